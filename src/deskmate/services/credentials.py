"""Credentials: tokens that are shown once and kept as a hash, and passwords that are kept as argon2id."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from deskmate.errors import Invalid

Entropy = Callable[[int], bytes]
T = TypeVar("T")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200


def new_token(prefix: str, entropy: Entropy) -> str:
    """A secret of 256 bits, with a prefix by which people and secret scanners know what it opens."""
    return prefix + base64.urlsafe_b64encode(entropy(32)).decode().rstrip("=")


def digest(token: str) -> str:
    """How a token is stored and looked up.

    The secret has 256 random bits, so one SHA-256 is enough; looking a hash up in an index gives away nothing about the secret.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Passwords:
    """Hashes and verifies passwords in threads of its own, so that the event loop goes on; at most `at_most` at a time."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_most: int = 2) -> None:
        self._hasher = hasher or PasswordHasher()
        # The pool is the limit: a caller who gives up cannot make room for a third computation while two still run.
        self._threads = ThreadPoolExecutor(at_most, thread_name_prefix="deskmate-passwords")
        self._decoy = _decoy(self._hasher)

    async def hash(self, password: str) -> str:
        """The argon2id hash of a new password. Raises Invalid for one that is too short, too long or no text."""
        check_password(password)
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def renewed(self, stored: str, password: str) -> str | None:
        """A new hash of a password just verified, where the stored one was made with other costs than today's; else None."""
        if not self._hasher.check_needs_rehash(stored):
            return None
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password. Takes as long when there is none: the clock must not tell who has an account."""
        if len(password) > LONGEST_PASSWORD:
            password = ""
        return await self._in_thread(lambda: self._matches(stored or self._decoy, password)) and stored is not None

    def close(self) -> None:
        """Let the threads go. Idempotent."""
        self._threads.shutdown(wait=False)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def check_password(password: str) -> None:
    """Raise Invalid for a password that is too short, too long, or no text."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", field="password")
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise Invalid("a password is text", field="password")


def _decoy(hasher: PasswordHasher) -> str:
    """A hash that no password has, of the same costs."""
    salt, result = (base64.b64encode(bytes(length)).decode().rstrip("=") for length in (hasher.salt_len, hasher.hash_len))
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${result}"
