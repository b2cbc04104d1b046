"""Causes: why agents pass things on to people, or fail, told apart by what is broken and not by whom it hit."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.messages import Part, ToolCall, ToolResult

LONGEST = 300  # characters of a reason that are looked at
MOST_THREADS = 20
MOST_REASONS = 3
GONE = "…"
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`|(?<!\w)'[^']*'(?!\w)")
_NAMED = re.compile(
    r"""\b[Tt]ool\s+["'`“]?([A-Za-z_][\w.-]{0,99})
      | \b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)["'`”]?\s+(?:has\s+)?(?:failed|broke|is\sbroken|timed\sout)""",
    re.VERBOSE,
)
_ASKS = " wants a person to answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A thread on which something happened, and when."""

    thread: str
    subject: str | None
    customer: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One escalation, or one failed run: the words for it, and the tool that failed, where one did."""

    agent: str | None
    words: str
    tool: str | None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What several troubles have in common: their agent and the tool that failed, or else their agent and their words.

    `reason` are the most frequent words, without what differs from case to case; `reasons` are the most frequent ones and how
    often each came; `example` is the newest as it was said. `of` is how many troubles there were in all.
    """

    agent: str | None
    tool: str | None
    reason: str
    reasons: tuple[tuple[str, int], ...]
    example: str
    count: int
    of: int
    first_at: datetime
    last_at: datetime
    places: tuple[Place, ...]

    @property
    def share(self) -> float:
        """Its part of all troubles, from 0 to 1."""
        return self.count / self.of


def normal(words: str, *, agent: str | None = None, customer: str | None = None) -> str:
    """A reason without what differs from case to case: what is quoted, numbers and ids, addresses, the customer's name."""
    text = " ".join(words[:LONGEST].split())
    if agent is not None:
        text = text.removeprefix(f"{agent} failed: ")
    if text.endswith(_ASKS):
        return "a person was asked for"
    if customer:
        text = text.replace(customer, "the customer")
    kept: list[str] = []
    for word in _QUOTED.sub(GONE, text).split():
        plain = word.rstrip(".,:;!?)")
        differs = any(letter.isdigit() for letter in plain) or "@" in plain or "://" in plain or GONE in plain
        put = GONE + word[len(plain) :] if differs else word
        if not (differs and kept and kept[-1] == GONE):
            kept.append(put)
    return " ".join(kept).rstrip(" .!") or GONE


def failed_tool(parts: Sequence[Part], *words: str | None) -> str | None:
    """The tool that failed in a run: the one whose last result was an error; else the one that the words name.

    A tool that failed and then worked is not what stopped the run.
    """
    last: dict[str, bool] = {}
    called: list[str] = []
    for part in parts:
        match part:
            case ToolCall():
                called.append(part.tool)
            case ToolResult(denied=False):
                last.pop(part.tool, None)
                last[part.tool] = part.is_error
            case _:
                pass
    if failed := [tool for tool, error in last.items() if error]:
        return failed[-1]
    said = " ".join(text[:LONGEST] for text in words if text)
    for tool in reversed(called):
        if re.search(rf"(?<!\w){re.escape(tool)}(?!\w)", said):
            return tool
    named = _NAMED.search(said)
    return (named[1] or named[2]).rstrip(".-") if named else None


def causes(troubles: Iterable[Trouble]) -> tuple[Cause, ...]:
    """The causes of these troubles, the most frequent first, then the newest, then by name. The troubles come newest first."""
    groups: defaultdict[tuple[str | None, str | None, str], list[Trouble]] = defaultdict(list)
    number = 0
    for one in troubles:
        number += 1
        words = "" if one.tool is not None else _normal(one).casefold()
        groups[one.agent, one.tool, words].append(one)
    found = [_cause(group, number) for group in groups.values()]
    return tuple(sorted(found, key=_rank))


def _rank(cause: Cause) -> tuple[int, float, str, str]:
    return -cause.count, -cause.last_at.timestamp(), cause.agent or "", cause.tool or cause.reason


def _normal(one: Trouble) -> str:
    return normal(one.words, agent=one.agent, customer=one.place.customer)


def _cause(group: Sequence[Trouble], of: int) -> Cause:
    reasons = Counter(_normal(one) for one in group).most_common(MOST_REASONS)
    places = {one.place.thread: one.place for one in reversed(group)}
    newest = sorted(places.values(), key=lambda place: place.at, reverse=True)
    return Cause(
        agent=group[0].agent,
        tool=group[0].tool,
        reason=reasons[0][0],
        reasons=tuple(reasons),
        example=group[0].words[:LONGEST],
        count=len(group),
        of=of,
        first_at=group[-1].place.at,
        last_at=group[0].place.at,
        places=tuple(newest[:MOST_THREADS]),
    )
