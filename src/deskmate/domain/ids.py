"""Ids: opaque, unguessable strings with a prefix that says what they name."""

from collections.abc import Callable
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, in lower case

type_prefixes = {
    "thread": "th",
    "message": "msg",
    "run": "run",
    "request": "req",
    "operator": "op",
    "customer": "cus",
    "assignment": "asg",
    "key": "key",
    "job": "job",
    "usage": "use",
    "session": "ses",
    "call": "call",
}


def make(kind: str, at: datetime, entropy: Callable[[int], bytes]) -> str:
    """An id of this kind: 48 bits of time in ms, so that neighbours in time are neighbours in an index, and 80 random bits."""
    number = (int(at.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(entropy(10), "big")
    letters = [ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{type_prefixes[kind]}_{''.join(letters)}"
