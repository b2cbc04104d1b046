"""Small talk and wishes: greetings and thanks get a friendly line, and whoever wants a person gets one."""

import re
from enum import StrEnum

from deskmate.domain.wishes import wants_person
from deskmate.domain.words import words_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GREETINGS = _words("hi hello hey heya hallo howdy greetings yo hiya morning afternoon evening good day there everyone team bot")
_THANKS = _words(
    """
    thanks thank you thx ty cheers great perfect awesome cool nice super wonderful excellent so very much a lot many for your the
    help all good that it was is s works worked helped helpful ok okay appreciated appreciate merci danke
    """
)
_THANK_CORE = _words("thanks thank thx ty cheers merci danke appreciated appreciate")
_PRAISE_CORE = _words("great perfect awesome cool super wonderful excellent ok okay")
_FAREWELLS = _words("bye goodbye ciao see you later have a nice day good night thanks thank")
_FAREWELL_CORE = _words("bye goodbye ciao")

_UNHELPED = re.compile(
    r"\b(?:that|this|it) (?:still )?(?:did|does|has) ?(?:n't|not) (?:help|work|answer|solve|fix)(?:ed)?"
    r"(?: (?:me|it|that|this|for me|my question))?\W*$"
    r"|\bnot (?:what i (?:asked|meant|wanted|need)|helpful|my question|an answer)\b|\bwrong answer\b"
    r"|\balready tried (?:that|this|it|everything)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"^\W*(?:and|or|but|also|what about|how about|what if|then|so|why|for|on|in|with|without|at|from|to)\b"
    r"|\b(?:it|its|that|this|those|these|they|them|there|one|same|instead|else)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.?!\n]+(?:[.?!](?!\s|$)[^.?!\n]*)*[.?!]*")


class Talk(StrEnum):
    """What a message is when it is no question for the library."""

    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    WANTS_PERSON = "wants_person"
    UNHELPED = "unhelped"


def talk_of(message: str) -> Talk | None:
    """The kind of small talk, or None for anything that may be a question."""
    text = message[:1_000].replace("’", "'")
    words = words_of(text)
    if wants_person(text):
        return Talk.WANTS_PERSON
    if words and len(words) <= 12 and "?" not in text:
        said = frozenset(words)
        if said & _FAREWELL_CORE and said <= _FAREWELLS:
            return Talk.FAREWELL
        if said & (_THANK_CORE | _PRAISE_CORE) and said <= _THANKS | _GREETINGS | _FAREWELLS:
            return Talk.THANKS
        if said <= _GREETINGS and len(words) <= 5:
            return Talk.GREETING
    if len(words) <= 25 and _UNHELPED.search(text):
        return Talk.UNHELPED
    return None


def follows(message: str) -> bool:
    """Whether a message may need the one before it to be understood ("and on Sundays?")."""
    return len(words_of(message[:400])) <= 12 and _FOLLOWS.search(message[:400]) is not None


def questions_of(message: str) -> tuple[list[str], str]:
    """(the sentences that ask, the other sentences). A message without a question mark asks as a whole."""
    sentences = [match[0].strip() for match in _SENTENCE.finditer(message[:4_000]) if match[0].strip()]
    asking = [sentence for sentence in sentences if sentence.endswith("?") and len(words_of(sentence)) > 1]
    return asking, " ".join(sentence for sentence in sentences if sentence not in asking)
