"""Places: where threads stand on the lists of the inbox. One list is walked along its order; what stands on it is asked the rest.

What a page costs does not grow with the number of threads: a walk looks at so many places and stops, and says where it stopped.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge

from deskmate.domain.search import wanted
from deskmate.domain.threads import Status
from deskmate.store.base import Tx

EXAMINED = 1000
"""How many places one page looks at, where not all that is met fits."""
FIRST_LOOK = 4
"""How many places for each thread of the page are looked at before all of them are: most pages are full by then."""
CANDIDATES = 1000
"""A word that this many threads and messages have is looked for along the list, not the list for the word."""
MOST_WORDS = 8
WORDS_TRIED = 3
RARE = 20
"""One thread in so many may have a word that is looked up."""
HIGHEST = chr(0x10FFFF)
"""Behind every character that a word has."""


class Sort(StrEnum):
    NEWEST = "newest"
    ACTIVITY = "activity"
    WAITING = "waiting"
    PRIORITY = "priority"
    DUE = "due"

    @property
    def down(self) -> bool:
        """Whether the highest place comes first."""
        return self in (Sort.NEWEST, Sort.ACTIVITY)

    @property
    def start(self) -> "Place":
        """The place before all others."""
        return Place(at=2**62 if self.down else -(2**62), thread="")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a thread stands in an order; a cursor names one."""

    at: int
    thread: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word that a thread must have, or one that begins like it."""

    word: str
    prefix: bool

    @property
    def beyond(self) -> str:
        """The end of what the word stands for, in the order of words."""
        return self.word + (HIGHEST if self.prefix else "\x01")

    def record(self) -> dict[str, object]:
        return {"word": self.word, "beyond": self.beyond, "prefix": self.prefix}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What stands on all of `lists` and on none of `without`, with a status, or with any; what it must say, for a reader.

    `q` are words: all of them, the last one perhaps not finished; or, where there is no word in it, signs that must be shown.
    """

    lists: Sequence[str]
    without: Sequence[str] = ()
    status: Status | None
    sort: Sort
    q: str | None = None
    hidden: bool

    @property
    def statuses(self) -> Sequence[Status]:
        return list(Status) if self.status is None else [self.status]

    @property
    def words(self) -> list[Word]:
        found = wanted(self.q or "")[:MOST_WORDS]
        return [Word(word=word, prefix=place == len(found)) for place, word in enumerate(found, 1)]

    @property
    def text(self) -> str | None:
        """The text to look for as it is, as a pattern of LIKE, where it has no words."""
        if not self.q or self.words:
            return None
        return "%" + self.q.lower().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"


async def page(tx: Tx, question: Question, after: Place, limit: int) -> tuple[list[str], Place | None]:
    """The threads that come next behind a place, and the place to go on from; None where there are no more.

    There may be fewer than `limit`, or none, though others come later: then the walk has looked at all it may look at.
    """
    walked, *others = await _smallest_first(tx, question)
    if question.q and (exact := await _exactly(tx, question)):
        return await _ask(tx, replace(question, q=None), walked, others, exact, after, limit)
    if not (others or question.without or question.q):
        return _cut(await _walk(tx, question, walked, after, limit + 1), limit)
    kept: list[Place] = []
    begin, first = after, min(limit * FIRST_LOOK, EXAMINED)
    for number in (first, EXAMINED - first):
        met = await _walk(tx, question, walked, after, number)
        kept += await _fitting(tx, question, others, met)
        if len(kept) > limit or len(met) < number:
            break
        after = met[-1] if met else after
        if number == first and (found := await _with_words(tx, question, met)) is not None:
            return await _ask(tx, question, walked, others, found, begin, limit)
    else:
        return [place.thread for place in kept], after
    return _cut(kept, limit)


async def _ask(
    tx: Tx, question: Question, walked: str, others: Sequence[str], threads: Sequence[str], after: Place, limit: int
) -> tuple[list[str], Place | None]:
    """The page, where it is known which few threads can be on it."""
    rows = await tx.all("inbox.among", list=walked, threads=json.dumps(threads), sort=question.sort)
    places = sorted(
        (Place(row["at"], row["thread"]) for row in rows if row["status"] in question.statuses), reverse=question.sort.down
    )
    behind = [place for place in places if (place < after if question.sort.down else place > after)]
    return _cut(await _fitting(tx, question, others, behind), limit)


async def sizes(tx: Tx, lists: Sequence[str], statuses: Iterable[Status], bound: int) -> list[int]:
    """How many threads each list has, as far as `bound`."""
    counted = dict.fromkeys(lists, 0)
    for status in statuses:
        for row in await tx.all("inbox.sizes", lists=json.dumps(lists), status=status, bound=bound):
            counted[row["list"]] += row["number"]
    return [min(counted[list], bound) for list in lists]


async def queues(tx: Tx, statuses: Iterable[Status], bound: int) -> dict[str, int]:
    """How many threads of each queue wait and are nobody's, as far as `bound`; queues where none does are left out."""
    counted: dict[str, int] = {}
    for status in statuses:
        for row in await tx.all("inbox.queues", status=status, bound=bound):
            if row["number"]:
                counted[row["queue"]] = min(counted.get(row["queue"], 0) + row["number"], bound)
    return counted


def _cut(places: Sequence[Place], limit: int) -> tuple[list[str], Place | None]:
    return [place.thread for place in places[:limit]], places[limit - 1] if len(places) > limit else None


async def _smallest_first(tx: Tx, question: Question) -> list[str]:
    """The shortest list is walked, and the others are asked."""
    if len(question.lists) < 2:
        return list(question.lists)
    numbers = await sizes(tx, question.lists, question.statuses, EXAMINED)
    return [name for _, name in sorted(zip(numbers, question.lists, strict=True), key=lambda one: one[0])]


async def _walk(tx: Tx, question: Question, name: str, after: Place, number: int) -> list[Place]:
    """The next places of a list. Statuses are walked side by side."""
    walks: list[list[Place]] = []
    for status in question.statuses:
        rows = await tx.all(f"inbox.{question.sort}", list=name, status=status, at=after.at, id=after.thread, limit=number)
        walks.append([Place(row["at"], row["thread"]) for row in rows])
    return list(merge(*walks, reverse=question.sort.down))[:number]


async def _fitting(tx: Tx, question: Question, lists: Sequence[str], met: Sequence[Place]) -> list[Place]:
    """Those of the places that fit, in their order."""
    left = list(met)
    for name in (*lists, *question.without):
        there = await _those(tx, left, "inbox.among", list=name, sort=question.sort)
        left = [place for place in left if (place.thread in there) == (name in lists)]
    if question.words:
        words = json.dumps([word.record() for word in question.words])
        there = await _those(tx, left, "inbox.saying", words=words, hidden=int(question.hidden))
        left = [place for place in left if place.thread in there]
    elif question.text:
        there = await _those(tx, left, "inbox.showing", text=question.text, hidden=int(question.hidden))
        left = [place for place in left if place.thread in there]
    return left


async def _those(tx: Tx, places: Sequence[Place], statement: str, **params: object) -> set[str]:
    """Which of the places' threads a statement answers with."""
    if not places:
        return set()
    threads = json.dumps([place.thread for place in places])
    return {row["thread"] for row in await tx.all(statement, threads=threads, **params)}


async def _exactly(tx: Tx, question: Question) -> list[str]:
    """The thread whose id this is, or those of the customer whose id or address it is."""
    rows = await tx.all("inbox.exactly", q=question.q, hidden=int(question.hidden), limit=CANDIDATES)
    return list({row["thread"]: None for row in rows})


async def _with_words(tx: Tx, question: Question, met: Sequence[Place]) -> list[str] | None:
    """The threads with a rare one of the words, where they are few enough to ask each; None where the list has to be walked.

    To look up a word that many messages have costs more the more they are: one that is met often on the list is not looked up.
    """
    hidden = int(question.hidden)
    for word in sorted(question.words, key=lambda one: -len(one.word))[:WORDS_TRIED]:
        often = await _those(tx, met, "inbox.saying", words=json.dumps([word.record()]), hidden=hidden)
        if (word.prefix and len(word.word) == 1) or len(often) * RARE > len(met):
            continue
        rows = await tx.all(
            "inbox.with_word",
            word=word.word, beyond=word.beyond, prefix=int(word.prefix), hidden=hidden, limit=CANDIDATES,
        )  # fmt: skip
        if len(rows) < CANDIDATES:
            return [thread for thread in {row["thread"]: None for row in rows} if thread is not None]
    return None
