"""Sessions: operators sign in and out, the first admin sets up the desk, visitors get a token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deskmate.domain.actors import Role
from deskmate.domain.customers import Customer
from deskmate.domain.operators import Operator, checked, normal_email, words
from deskmate.errors import Conflict, Invalid, Unauthenticated
from deskmate.services import customers, operators
from deskmate.services.credentials import Entropy, Passwords, check_password, digest, new_token
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

SESSION_LIFE = timedelta(days=14)
LINK_LIFE = timedelta(hours=24)
TOKEN_LIFE = timedelta(days=30)
SESSION_PREFIX, LINK_PREFIX, TOKEN_PREFIX = "ds_", "dl_", "ct_"
_WRONG = "the e-mail address or the password is wrong"
_SPENT = "this link was used already or has expired; start the server again for a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An operator's new session; the token goes into their cookie."""

    operator: Operator
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An anonymous visitor's new token."""

    customer: Customer
    token: str = field(repr=False)
    expires_at: datetime


class Sessions:
    """How people get in."""

    def __init__(self, store: Store, passwords: Passwords, entropy: Entropy) -> None:
        self._store = store
        self._passwords = passwords
        self._entropy = entropy

    async def login(self, email: str, password: str) -> SignedIn:
        """Sign an operator in. Raises Unauthenticated, in the same words and time for a wrong password and an unknown address."""
        row = await self._by_email(email)
        stored = None if row is None else row["password_hash"]
        right = await self._passwords.verify(stored, password)
        if row is None or stored is None or not right or row["disabled_at"] is not None:
            raise Unauthenticated(_WRONG)
        # Hashing takes a thread and a while, so it is done here, outside of the transaction.
        newer = await self._passwords.renewed(stored, password)
        token = new_token(SESSION_PREFIX, self._entropy)

        async def body(tx: Tx) -> SignedIn:
            now = await tx.one("operators.lock", id=row["id"])
            # The password was checked a moment ago: somebody may have changed it or disabled the operator meanwhile.
            if now is None or now["password_hash"] != stored or now["disabled_at"] is not None:
                raise Unauthenticated(_WRONG)
            if newer is not None:
                await tx.run("operators.rehash", id=row["id"], password_hash=newer, earlier=stored)
            return await _sign_in(tx, operators.operator_of(now), token)

        return await self._store.write(body)

    async def logout(self, token: str) -> None:
        """End a session. One that is over already stays over."""
        await self._store.write(lambda tx: tx.run("sessions.delete", hash=digest(token)))

    async def logout_everywhere(self, operator: str) -> None:
        """End all sessions of an operator."""
        await self._store.write(lambda tx: tx.run("sessions.delete_all", operator=operator))

    async def setup_link(self) -> str | None:
        """The token of a one-time link for the first admin, good for 24 hours; None once there is any operator."""
        token = new_token(LINK_PREFIX, self._entropy)

        async def body(tx: Tx) -> str | None:
            if await tx.one("operators.any") is not None:
                return None
            await tx.run("sessions.add_link", hash=digest(token), now=ms(tx.now), expires_at=ms(tx.now + LINK_LIFE))
            return token

        return await self._store.write(body)

    async def use_link(self, link: str, *, name: str, email: str, password: str) -> SignedIn:
        """Become the first admin, and be signed in. Raises Unauthenticated for a spent link, Invalid, Conflict."""
        check_password(password)
        # A hash costs much more than this look: made-up links must not be able to buy one.
        if await self._store.read(lambda tx: tx.one("sessions.link", hash=digest(link), now=ms(tx.now))) is None:
            raise Unauthenticated(_SPENT)
        password_hash = await self._passwords.hash(password)
        token = new_token(SESSION_PREFIX, self._entropy)

        async def body(tx: Tx) -> SignedIn:
            valid = await tx.one("sessions.link", hash=digest(link), now=ms(tx.now))
            if valid is None or not await tx.run("sessions.use_link", now=ms(tx.now)):
                raise Unauthenticated(_SPENT)
            if await tx.one("operators.any") is not None:
                raise Conflict("there is an operator already; ask them to add you")
            admin = checked(Operator(id=tx.id("operator"), name=name, email=email, role=Role.ADMIN, created_at=tx.now))
            return await _sign_in(tx, await operators.add(tx, admin, password_hash=password_hash, by=None), token)

        return await self._store.write(body)

    async def visit(self, name: str = "") -> Visit:
        """A new anonymous customer, and the token that opens their own threads; it lives 30 days behind its last use."""
        token = new_token(TOKEN_PREFIX, self._entropy)
        label = words(name, "name") if name.strip() else ""

        async def body(tx: Tx) -> Visit:
            visitor = Customer(id=tx.id("customer"), name=label, anonymous=True, created_at=tx.now)
            await customers.ensure(tx, visitor.id, name=visitor.name, anonymous=True)
            expires_at = tx.now + TOKEN_LIFE
            await tx.run(
                "tokens.insert", hash=digest(token), customer=visitor.id, now=ms(tx.now), expires_at=ms(expires_at)
            )  # fmt: skip
            return Visit(customer=visitor, token=token, expires_at=expires_at)

        return await self._store.write(body)

    async def leave(self, token: str) -> None:
        """A visitor's token opens nothing any more."""
        await self._store.write(lambda tx: tx.run("tokens.delete", hash=digest(token)))

    async def _by_email(self, email: str) -> Row | None:
        try:
            address = normal_email(email)
        except Invalid:
            return None
        return await self._store.read(lambda tx: tx.one("operators.by_email", email=address))


async def _sign_in(tx: Tx, operator: Operator, token: str) -> SignedIn:
    expires_at = tx.now + SESSION_LIFE
    await tx.run("sessions.delete_expired", operator=operator.id, now=ms(tx.now))
    await tx.run("sessions.insert", hash=digest(token), operator=operator.id, now=ms(tx.now), expires_at=ms(expires_at))
    return SignedIn(operator=operator, token=token, expires_at=expires_at)
