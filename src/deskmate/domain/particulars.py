"""Particulars: what a text says of one customer and no other. Such a text is for that customer, and for no FAQ."""

import re
from collections.abc import Collection

from deskmate.domain.words import EMPTY, words_of

_NAMED = r"(?: (?:Mr|Mrs|Ms|Dr)\.?)?(?: [A-ZÀ-Þ][\w'’-]*){1,2}"
_GREETING = re.compile(
    rf"^\W*(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Gg]ood (?:morning|afternoon|evening)|[Tt]hanks|[Tt]hank you)\b"
    rf"(?: there| again| for [^.!?\n]{{1,60}}|{_NAMED})?\s*[,.!:\n]+\s*"
)
_CLOSING = re.compile(
    r"\s*(?:(?:kind|best|warm) (?:regards|wishes)|regards|cheers|sincerely|yours|all the best|have a (?:nice|good|great) \w+"
    r"|let (?:me|us) know\b[^.!?\n]*|(?:is there|can i help you with|can we help you with) anything else\b[^.!?\n]*"
    r"|(?:i|we) hope (?:this|that) helps\b[^.!?\n]*|[-–—]{1,2} ?[A-ZÀ-Þ]\w+)"
    r"\W*(?:\n?\s*[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?(?:\s+from the team)?)?\W*$",
    re.IGNORECASE,
)
_LONGEST_CLOSING = 200  # characters at the end of a text
_MOST_CLOSINGS = 3
_OWN = re.compile(
    r"\w@\w[\w-]*\.\w"  # an e-mail address
    r"|\d(?:[ ()/.-]?\d){6,}"  # a telephone number
    r"|\d{5,}|#\s?\d+"  # the number of an order
    r"|\b(?:order|invoice|ticket|tracking|customer|case|booking|reservation)\s+(?:number|no\.?|nr\.?|id)?\s*:?\s*\d{3,}"
    r"|\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9-]{6,}\b"  # a code
    r"|\b(?:[Mm]r|[Mm]rs|[Mm]s|[Dd]r)\.? [A-ZÀ-Þ]\w+"
    r"|https?://\S{0,200}?\d{4}"
)
_DEED = re.compile(
    r"\b(?:i|we)(?:['’]ve| have| just)(?: just| now| already)? (?!to\b|a\b|an\b|the\b|no\b|two\b)\w+(?:ed|nt|de|ne|ut|ld|id)\b"
    r"|\byour (?:order|parcel|package|refund|payment|account|item|request|ticket|return)s? (?:has|have|was|were) "
    r"|\b(?:today|tomorrow|yesterday|tonight|this (?:morning|afternoon|evening))\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][\w'’-]+|\b\w*\d[\w.,-]*\w\b|\b\d\b")


def without_greeting(text: str) -> str:
    """A text without the words that begin and end a letter: these are for one reader."""
    body = _GREETING.sub("", text.strip(), count=1)
    for _ in range(_MOST_CLOSINGS):
        start = max(0, len(body) - _LONGEST_CLOSING)
        shorter = body[:start] + _CLOSING.sub("", body[start:])
        if not shorter.strip():
            break
        body = shorter
    return body.strip()


def is_own(text: str, names: Collection[str] = ()) -> bool:
    """Whether a text holds what belongs to one customer: addresses, numbers of orders, or one of these names."""
    if _OWN.search(text):
        return True
    said = set(words_of(" ".join(match[0] for match in re.finditer(r"\b[A-ZÀ-Þ]\w+", text))))
    return any(len(word) > 2 and word in said for name in names for word in words_of(name))


def is_deed(text: str) -> bool:
    """Whether a text tells what was done for somebody, or is true on one day only."""
    return _DEED.search(text) is not None


def particulars_of(text: str) -> frozenset[str]:
    """What a text names: capitals inside its sentences, and numbers."""
    return frozenset(word for match in _MARKED.finditer(text) for word in words_of(match[0])) - EMPTY
