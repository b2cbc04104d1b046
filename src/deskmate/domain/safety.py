"""Safety: what a moderation model says of words, before the AI reads them or a customer does. Only a plain `safe` is safe."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, Protocol, assert_never

LONGEST_RAW = 500  # characters of what a model wrote that are kept
MOST_CATEGORIES = 20
LONGEST_CATEGORY = 60  # characters


class Verdict(StrEnum):
    """What a moderation model calls words; `unknown` where it gave no verdict."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


class On(StrEnum):
    """What is judged: the customer's words on their way in, or the AI's on their way out."""

    INPUT = "input"
    OUTPUT = "output"


class Unavailable(StrEnum):
    """What happens without a verdict: people decide (`closed`), or the AI goes on (`open`)."""

    CLOSED = "closed"
    OPEN = "open"


Role = Literal["user", "assistant"]
Said = tuple[Role, str]
"""What somebody said: the customer (`user`), or whoever answers them (`assistant`)."""

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "S1": "Violent Crimes",
        "S2": "Non-Violent Crimes",
        "S3": "Sex-Related Crimes",
        "S4": "Child Sexual Exploitation",
        "S5": "Defamation",
        "S6": "Specialized Advice",
        "S7": "Privacy",
        "S8": "Intellectual Property",
        "S9": "Indiscriminate Weapons",
        "S10": "Hate",
        "S11": "Suicide & Self-Harm",
        "S12": "Sexual Content",
        "S13": "Elections",
        "S14": "Code Interpreter Abuse",
    }
)
"""The hazards of Llama Guard 3. Source: its model card; they follow the taxonomy of MLCommons, and S14 is Llama Guard's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a moderation model said, and how long it took. `reason` is why there is no verdict, where there is none."""

    verdict: Verdict
    on: On
    model: str
    categories: tuple[str, ...] = ()
    """As the model writes them: codes like S10, or words of its own."""
    reason: str | None = None
    raw: str = ""
    """What the model wrote, no more than `LONGEST_RAW` characters of it."""
    milliseconds: int = 0

    @property
    def named(self) -> tuple[str, ...]:
        """The categories with their names, where these are known: `S10 Hate`."""
        return tuple(named(each) for each in self.categories)


class Moderator(Protocol):
    """A moderation model."""

    async def judge(self, messages: Sequence[Said], on: On) -> Judgement:
        """Judge the last of these messages, in the light of those before it: the customer's on the way in, else the AI's.

        What goes wrong with the model becomes the verdict `unknown`. Raises Invalid when the last message is not of the role
        that is judged.
        """
        ...


def verdict_of(text: str) -> tuple[Verdict, tuple[str, ...]]:
    """Read an answer in the format of Llama Guard: `safe`, or `unsafe` and a line of categories. Anything else is unknown.

    Empty lines, spaces around and case do not matter. Words after the line of categories are not read, but what they follow stays
    unsafe; with `safe` nothing else may be said, because a model that goes on has not understood what it was asked.
    """
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    match [line.casefold() for line in lines[:2]]:
        case ["safe"]:
            return Verdict.SAFE, ()
        case ["unsafe"]:
            return Verdict.UNSAFE, ()
        case ["unsafe", _]:
            return Verdict.UNSAFE, _categories(lines[1])
        case _:
            return Verdict.UNKNOWN, ()


def _categories(line: str) -> tuple[str, ...]:
    """The categories of a line, each once. Codes are written in one way, the words of other models stay as they are."""
    printable = "".join(char if char.isprintable() else " " for char in line)
    found = [each.strip()[:LONGEST_CATEGORY] for each in printable.split(",")]
    codes = [each.upper() if each.upper() in CATEGORIES else each for each in found if each]
    return tuple(dict.fromkeys(codes))[:MOST_CATEGORIES]


def named(category: str) -> str:
    """A category with its name: `S10 Hate`; one of another model stays as it is."""
    name = CATEGORIES.get(category)
    return category if name is None else f"{category} {name}"


def allows(judgement: Judgement, *, unavailable: Unavailable | Literal["closed", "open"]) -> bool:
    """Whether the words may go on their way without a person. `why` says it in a sentence."""
    match judgement.verdict:
        case Verdict.SAFE:
            return True
        case Verdict.UNSAFE:
            return False
        case Verdict.UNKNOWN:
            return Unavailable(unavailable) is Unavailable.OPEN
        case _:
            assert_never(judgement.verdict)


def why(judgement: Judgement, *, unavailable: Unavailable | Literal["closed", "open"]) -> str:
    """Why `allows` says what it says: for the route, and for the people who get the thread."""
    whose = "the customer's words" if judgement.on is On.INPUT else "the AI's answer"
    match judgement.verdict:
        case Verdict.SAFE:
            return f"the safety model calls {whose} safe"
        case Verdict.UNSAFE:
            listed = f": {', '.join(judgement.named)}" if judgement.categories else ""
            return f"the safety model calls {whose} unsafe{listed}"
        case Verdict.UNKNOWN:
            end = "people decide" if not allows(judgement, unavailable=unavailable) else "the AI goes on all the same"
            return f"the safety model has no verdict on {whose} ({judgement.reason or 'no answer'}): {end}"
        case _:
            assert_never(judgement.verdict)


_MARK = re.compile(r"<(?=\||\s*/?\s*(?:BEGIN|END)\b)", re.IGNORECASE)


def defused(text: str) -> str:
    """Words without the marks by which models tell who speaks, such as `<|eot_id|>` and `<END CONVERSATION>`.

    Servers read such marks in a message as their own, so that a customer could end the conversation in the middle of a message
    and write the verdict, too. The words around them stay, and the bracket becomes one that means nothing: `‹|eot_id|>`.
    """
    return _MARK.sub("‹", text)
