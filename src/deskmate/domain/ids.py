"""Ids: opaque, unguessable strings with a prefix that says what they name."""

import threading
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
    "stream": "str",
    "file": "file",
    "choice": "cho",
    "canned": "can",
    "macro": "mac",
    "view": "view",
    "mention": "men",
    "webhook": "wh",
    "delivery": "msg",  # what Standard Webhooks calls the id of a message
    "notification": "ntf",
    "chain": "cha",
    "route": "rt",
    "example": "ex",
    "feedback": "fb",
    "suggestion": "sug",
    "told": "told",
    "faq": "faq",
}


class Ids:
    """Makes ids: 48 bits of time in ms, so that neighbours in time are neighbours in an index, and 80 random bits.

    Ids of one maker rise, also within one millisecond and when the clock goes back: lists by age and id keep the order of making.
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._last = 0
        self._lock = threading.Lock()

    def make(self, kind: str, at: datetime) -> str:
        """A new id of this kind, which is one of `type_prefixes`."""
        number = (int(at.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(self._entropy(10), "big")
        with self._lock:
            if number <= self._last:
                number = self._last + 1 + int.from_bytes(self._entropy(5), "big")
            self._last = number
        letters = [ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
        return f"{type_prefixes[kind]}_{''.join(letters)}"
