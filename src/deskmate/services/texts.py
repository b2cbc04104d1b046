"""Texts: what people and programs may write."""

import unicodedata

from deskmate.errors import Invalid

LONGEST_TEXT = 100_000  # characters
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # categories of characters that leave no mark


def clean(text: object, field: str = "text") -> str:
    """Text that both stores and every reader can hold. Raises Invalid, naming the field."""
    if not isinstance(text, str) or not seen(text):
        raise Invalid(f"{field} must be a text with at least one visible character", field=field)
    return storable(text, field)


def seen(text: str) -> bool:
    """Whether the text has a visible character."""
    return any(unicodedata.category(c) not in _UNSEEN for c in text)


def storable(text: str, field: str = "text") -> str:
    """The same for a text that may be empty."""
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"{field} is longer than {LONGEST_TEXT} characters", field=field)
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Invalid(f"{field} holds characters that are no text (NUL or a lone surrogate)", field=field)
    return text
