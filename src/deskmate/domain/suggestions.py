"""Suggestions: a question that people answer again and again, suggested for the FAQ. Accepted or dismissed once, by a lead."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Author
from deskmate.domain.particulars import is_deed, is_own, particulars_of, without_greeting
from deskmate.domain.topics import Gist, agree, gist_of, likeness, same
from deskmate.domain.words import words_of
from deskmate.errors import Invalid

TIMES = 3
"""How many customers have to have asked the same, and been answered alike, before it is suggested."""
LONGEST_QUESTION = 500  # characters
LONGEST_ANSWER = 4_000
MOST_COMPARED = 8  # of the questions on a topic, newest first
MOST_WORDINGS = 4  # of a question that are kept for the FAQ

_BEGINS = re.compile(r"^\s*(?:yes|no|sure|of course|certainly)\b[\s,.!:;–-]*", re.IGNORECASE)


class State(StrEnum):
    """`gathering` is no suggestion yet: too few customers have asked."""

    GATHERING = "gathering"
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A customer asked this, and a person answered that."""

    id: str
    thread: str
    customer: str
    message: str
    question: str
    answer: str
    operator: Author
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What is suggested. `question` and `answer` are the words of one customer and one colleague that stand for all of `told`;
    of an accepted one they are what was accepted."""

    id: str
    state: State
    question: str
    answer: str
    told: tuple[Told, ...] = ()
    first_at: datetime
    last_at: datetime
    decided_by: Author | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    @property
    def times(self) -> int:
        """How many customers have asked it."""
        return times(self.told)

    @property
    def operators(self) -> tuple[str, ...]:
        """The names of those who have answered it, each once."""
        return tuple(dict.fromkeys(one.operator.name for one in self.told))


@dataclass(frozen=True, slots=True)
class Compared:
    """A question with its answer, ready to be compared with others."""

    asked: Gist
    answered: Gist

    @classmethod
    def of(cls, question: str, answer: str) -> "Compared":
        return cls(gist_of(question), gist_of(answer))

    @property
    def stands(self) -> bool:
        """Whether question and answer are understood without the conversation around them."""
        return self.asked.asks and self.answered.tells

    @property
    def words(self) -> frozenset[str]:
        """What it is looked up by."""
        return self.asked.roots | self.answered.roots

    def fits(self, other: "Compared") -> bool:
        """Whether both ask for the same and say the same."""
        return agree(self.answered, other.answered) and same(self.asked, self.answered, other.asked, other.answered)

    def contradicts(self, other: "Compared") -> bool:
        """Whether the same was asked and something else was said."""
        if agree(self.answered, other.answered):
            return False
        return same(self.asked, self.asked, other.asked, other.asked)


def general(question: str, answer: str, *, names: Collection[str] = ()) -> tuple[str, str] | None:
    """What may stand in a FAQ of a question and its answer; None where they are about one customer's own case, or where the
    answer asks something in turn. `names` are those of the people who talk."""
    if len(question) > LONGEST_QUESTION or len(answer) > LONGEST_ANSWER:
        return None
    asked, told = without_greeting(question), without_greeting(answer)
    if not asked or not told or told.endswith("?"):
        return None
    if is_own(told, names) or is_deed(told) or is_own(asked, names) or not Compared.of(asked, told).stands:
        return None
    return asked, told


def belongs(new: Compared, topic: Sequence[Compared]) -> bool:
    """Whether a question is one of this topic: of the same kind as half of those that are there, at odds with none of them."""
    fitting = sum(new.fits(one) for one in topic)
    return fitting > 0 and 2 * fitting >= len(topic) and all(agree(new.answered, one.answered) for one in topic)


def times(told: Iterable[Told]) -> int:
    """How many customers asked. One who asks three times is one."""
    return len({one.customer for one in told})


def standing_for(told: Sequence[Told]) -> tuple[Told, Told] | None:
    """The question and the answer that stand for all; None where every answer is about somebody's own case.

    What only one of them names (a person, a place, a number) may be that customer's own, so it does not stand for all.
    """
    answers = [one for one in told if _is_shared(one.answer, [each.answer for each in told if each.customer != one.customer])]
    if not answers:
        return None
    answer = _typical(answers, [one.answer for one in told], lambda one: one.answer)
    known = [answer.answer]
    questions = [
        one
        for one in told
        if _is_shared(one.question, [*known, *(each.question for each in told if each.customer != one.customer)])
    ]
    return (_typical(questions, [one.question for one in told], lambda one: one.question), answer) if questions else None


def spoken(answer: str) -> str:
    """An answer as an entry says it: whether it begins with yes or no hangs on how it was asked, and others ask otherwise."""
    rest = _BEGINS.sub("", answer, count=1)
    return rest[:1].upper() + rest[1:] if rest else answer


def _is_shared(text: str, others: Sequence[str]) -> bool:
    """Whether all that a text names is named by others, too."""
    known = {word for other in others for word in words_of(other)}
    return particulars_of(text) <= known


def _typical(from_: Sequence[Told], all: Sequence[str], text: Callable[[Told], str]) -> Told:
    """The one that is most like all the others; of equal ones the shorter, then the older."""
    gists = [gist_of(one) for one in all]

    def place(one: Told) -> tuple[float, int, datetime, str]:
        own = gist_of(text(one))
        return -round(sum(likeness(own, gist) for gist in gists), 6), len(text(one)), one.at, one.id

    return min(from_, key=place)


def wordings(told: Sequence[Told], question: str) -> tuple[Told, ...]:
    """Other ways in which customers put a question, the newest first: those that name nothing of their own."""
    found: dict[str, Told] = {}
    texts = [question, *(one.answer for one in told)]
    for one in sorted(told, key=lambda one: one.at, reverse=True):
        others = [each.question for each in told if each.customer != one.customer]
        if one.question.casefold() != question.casefold() and _is_shared(one.question, [*texts, *others]):
            found.setdefault(one.question.casefold(), one)
    return tuple(found.values())[:MOST_WORDINGS]


def check_question(text: str) -> str:
    """The question of an entry: one line of bearable length. Raises Invalid."""
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_QUESTION:
        raise Invalid(f"a question has 1 to {LONGEST_QUESTION} characters", field="question")
    return line


def check_answer(text: str) -> str:
    """The answer of an entry. Raises Invalid."""
    answer = text.strip()
    if not answer or len(answer) > LONGEST_ANSWER:
        raise Invalid(f"an answer has 1 to {LONGEST_ANSWER} characters", field="answer")
    return answer
