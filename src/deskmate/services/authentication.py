"""Authentication: from a bearer token or a session cookie to an actor. Identity is never taken from anything else (P9)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from deskmate.domain.actors import Actor, AuthorKind, customer, service
from deskmate.domain.keys import Key, actor_of
from deskmate.domain.operators import words
from deskmate.errors import Invalid
from deskmate.services import customers, findable, keys, operators, sessions
from deskmate.services.credentials import digest
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

AUDIENCE = "deskmate"
LONGEST_LIFE = timedelta(hours=1)
LEEWAY = timedelta(seconds=60)
LONGEST_CREDENTIAL = 8192
_ADMIN = service("admin key")
# Noting the use of a key or a token costs a write, so it is done now and then only.
_NOTE_USE_EVERY = timedelta(hours=1)
_EXTEND_BELOW = sessions.TOKEN_LIFE / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a host site says about its own customer, over its signature."""

    id: str
    name: str
    email: str | None
    issued_at: int
    begins_at: int
    expires_at: int

    def hold(self, now: datetime) -> bool:
        """Whether the statement is good at this moment: begun, not over, and short-lived as such."""
        life = self.expires_at - self.issued_at
        seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
        return 0 < life <= LONGEST_LIFE.total_seconds() and self.begins_at - leeway <= seconds < self.expires_at


class Authenticator:
    """Who is there. One read of the store for each question and nothing remembered, so what is revoked is refused at once."""

    def __init__(self, store: Store, *, admin_key: str | None = None, jwt_secrets: Mapping[str, str] | None = None) -> None:
        self._store = store
        self._admin_key = admin_key.encode("utf-8", "surrogatepass") if admin_key else None
        self._jwt_secrets = dict(jwt_secrets or {})

    async def actor_for(self, bearer: str | None, cookie: str | None = None) -> Actor | None:
        """The actor these credentials belong to; None when there are none, or they are wrong.

        A bearer token alone decides where there is one: a wrong token is not made good by a cookie.
        """
        if bearer is None:
            return None if not cookie or len(cookie) > LONGEST_CREDENTIAL else await self._by_session(cookie)
        if not bearer or len(bearer) > LONGEST_CREDENTIAL:
            return None
        if self._admin_key is not None and hmac.compare_digest(bearer.encode("utf-8", "surrogatepass"), self._admin_key):
            return _ADMIN
        if bearer.startswith(keys.PREFIX):
            return await self._by_key(bearer)
        if bearer.startswith(sessions.TOKEN_PREFIX):
            return await self._by_token(bearer)
        claims = read_claims(bearer, self._jwt_secrets)
        return None if claims is None else await self._by_claims(claims)

    async def _by_session(self, cookie: str) -> Actor | None:
        row = await self._store.read(lambda tx: tx.one("sessions.operator", hash=digest(cookie), now=ms(tx.now)))
        return None if row is None else operators.operator_of(row).actor("inbox")

    async def _by_key(self, secret: str) -> Actor | None:
        async def body(tx: Tx) -> tuple[Actor, Key, bool] | None:
            found = await keys.find(tx, secret)
            if found is None:
                return None
            key, operator = found
            stale = key.last_used_at is None or tx.now - key.last_used_at > _NOTE_USE_EVERY
            return actor_of(key, operator), key, stale

        found = await self._store.read(body)
        if found is None:
            return None
        actor, key, stale = found
        if stale:
            await self._store.write(lambda tx: keys.used(tx, key))
        return actor

    async def _by_token(self, token: str) -> Actor | None:
        async def body(tx: Tx) -> tuple[Row, bool] | None:
            row = await tx.one("tokens.customer", hash=digest(token), now=ms(tx.now))
            return None if row is None else (row, utc(int(row["expires_at"])) - tx.now < _EXTEND_BELOW)

        found = await self._store.read(body)
        if found is None:
            return None
        row, ending = found
        if ending:
            await self._store.write(
                lambda tx: tx.run("tokens.extend", hash=digest(token), expires_at=ms(tx.now + sessions.TOKEN_LIFE))
            )
        return Actor(kind=AuthorKind.CUSTOMER, id=row["id"], name=row["name"], channel="chat")

    async def _by_claims(self, claims: Claims) -> Actor | None:
        async def body(tx: Tx) -> tuple[bool, Row | None]:
            return claims.hold(tx.now), await tx.one("customers.get", id=claims.id)

        holds, row = await self._store.read(body)
        if not holds:
            return None
        if row is None or (claims.name and row["name"] != claims.name) or (claims.email and row["email"] != claims.email):
            await self._store.write(lambda tx: identify(tx, claims))
        return customer(claims.id, claims.name or (row["name"] if row else ""), channel="chat")


async def identify(tx: Tx, claims: Claims) -> None:
    """Keep what the host site says about its customer; what it does not mention stays."""
    await customers.ensure(tx, claims.id, name=claims.name, email=claims.email)
    row = await tx.one("customers.get", id=claims.id)
    if row is not None:
        name, email = claims.name or row["name"], claims.email or row["email"]
        await tx.run("customers.change", id=claims.id, name=name, email=email, metadata=row["metadata"])
        if name != row["name"]:
            await findable.customer(tx, claims.id, name, known=True)


def read_claims(token: str, secrets: Mapping[str, str]) -> Claims | None:
    """The claims of a customer's signed token (HS256, by `kid`); None unless the signature, audience and form are right.

    Whether it is good *now* is asked of the claims with the store's time, not of the library with the machine's.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or kid not in secrets:
            return None
        said = jwt.decode(  # pyright: ignore[reportUnknownMemberType]
            token,
            secrets[kid],
            algorithms=["HS256"],
            audience=AUDIENCE,
            options={"require": ["exp", "iat", "aud", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        return _claims(said)
    except (jwt.PyJWTError, ValueError, Invalid):
        return None


def _claims(said: Mapping[str, object]) -> Claims | None:
    issued_at, expires_at, sub = said["iat"], said["exp"], said["sub"]
    not_before = said.get("nbf", issued_at)
    name, email = said.get("name") or "", said.get("email") or None
    if type(issued_at) is not int or type(expires_at) is not int or type(not_before) is not int:
        return None
    if not isinstance(sub, str) or not isinstance(name, str) or not isinstance(email, str | None):
        return None
    if words(sub, "sub", 200) != sub:
        return None
    return Claims(
        id=sub,
        name=words(name, "name", 200) if name else "",
        email=words(email, "email", 254) if email else None,
        issued_at=issued_at,
        begins_at=max(issued_at, not_before),
        expires_at=expires_at,
    )
