"""FaqAgent: a Runner without a model. It answers what the library holds, quotes it, and asks people about all else."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from deskmate.domain.agents import Ask, Delta, Output, Question, Step, Turn
from deskmate.domain.escalations import shown
from deskmate.domain.faq import Teacher
from deskmate.domain.messages import Text, ToolCall, text_of
from deskmate.errors import Misconfigured
from deskmate.runners.faq.answers import ASK_HUMAN, prefix_of, unspoken
from deskmate.runners.faq.corpus import Corpus
from deskmate.runners.faq.excerpt import LONGEST, shortened
from deskmate.runners.faq.library import Answer, FaqLibrary
from deskmate.runners.faq.talk import Talk, follows, questions_of, talk_of

DEFAULT_FLOOR = 0.35
"""Below this confidence (0..1) a person is asked. See docs/faq.md for how it was chosen."""

_GREETING = "Hello! What can I help you with?"
_THANKS = "You're welcome! If there is anything else, just ask."
_FAREWELL = "Goodbye, and have a good day!"
_BACK = "I am back. Is there anything else I can help you with?"
_NOTICE = "One moment, I am asking a colleague."
_PIECE = re.compile(r"\S+\s*|\s+")
_PIECE_SIZE = 60
_MOST_QUESTIONS = 3
_LONGEST_MESSAGE = 1_000
_LONGEST_REASON = 400
_LEAST_SUGGESTION = 0.05


class FaqAgent:
    """Answers from a FaqLibrary above `floor`, and asks people below it. `name` is what customers see."""

    def __init__(self, library: FaqLibrary, *, name: str = "Support AI", floor: float = DEFAULT_FLOOR) -> None:
        if not 0.0 <= floor <= 1.0:
            raise Misconfigured(f"The floor of the FAQ agent is between 0 and 1, not {floor}.", field="floor")
        self._corpus = Corpus(library)
        self._name = name
        self._floor = floor

    @property
    def name(self) -> str:
        return self._name

    @property
    def floor(self) -> float:
        return self._floor

    @property
    def library(self) -> FaqLibrary:
        """What it answers from at this moment."""
        return self._corpus.library

    def learn_from(self, teacher: Teacher) -> None:
        """Answer from the entries of a store, too, as they are when it runs. A desk says so when the agent is registered."""
        self._corpus.learn_from(teacher)

    @property
    def provider_names(self) -> Mapping[str, str]:
        return {"provider": "deskmate", "model": "faq"}

    async def run(self, turn: Turn) -> AsyncIterator[Output]:
        """One answer, one question to people, or the answers that people have given since."""
        replies, settled = unspoken(turn)
        for at, reply in enumerate(replies, 1):
            for output in _spoken(reply, final=settled and at == len(replies)):
                yield output
        if not settled:
            library = await self._corpus.current()
            # An encoder computes for a while: in a thread, so that nobody else waits for it.
            for output in await asyncio.to_thread(lambda: list(self._respond(turn, library))):
                yield output

    def _respond(self, turn: Turn, library: FaqLibrary) -> Iterator[Output]:
        message, before = _asked(turn)
        if not message and turn.history and turn.history[-1].role == "system":
            yield from _spoken(_BACK, confidence=1.0)
            return
        kind = talk_of(message)
        match kind:
            case Talk.GREETING:
                yield from _spoken(_GREETING, confidence=1.0)
            case Talk.THANKS:
                yield from _spoken(_THANKS, confidence=1.0)
            case Talk.FAREWELL:
                yield from _spoken(_FAREWELL, confidence=1.0)
            case Talk.WANTS_PERSON:
                yield self._ask(turn, "The customer asks for a person.", None)
            case Talk.UNHELPED:
                yield self._ask(turn, "The customer says that the last answer did not help.", None)
            case None:
                text, found = _look_up(library, message, before)
                if found is not None and found.confidence >= self._floor_of(turn):
                    yield from _spoken(text, confidence=found.confidence)
                else:
                    yield self._ask(turn, _doubt(found), found)
            case _:
                assert_never(kind)

    def _floor_of(self, turn: Turn) -> float:
        return self._floor if turn.floor is None else turn.floor

    def _ask(self, turn: Turn, reason: str, found: Answer | None) -> Ask:
        question = _question(turn)
        prefix = prefix_of(turn)
        asked = sum(
            1
            for message in turn.history
            for part in message.parts
            if isinstance(part, ToolCall) and part.call_id.startswith(prefix)
        )
        call = ToolCall(call_id=f"{prefix}{asked + 1}", tool=ASK_HUMAN, input={"question": question, "reason": reason})
        request = Question(
            call_id=call.call_id,
            question=question,
            reason=reason,
            suggestion=found.text if found is not None and found.confidence >= _LEAST_SUGGESTION else None,
            confidence=found.confidence if found is not None else 0.0,
            floor=shown(self._floor_of(turn)),
        )
        return Ask(
            step=Step(role="assistant", parts=(call,), provider="deskmate", model="faq"), requests=(request,), notice=_NOTICE
        )


def _look_up(library: FaqLibrary, message: str, before: str) -> tuple[str, Answer | None]:
    """What to say, and the answer (the least sure one of several) to believe it by."""
    questions, rest = questions_of(message)
    if 2 <= len(questions) <= _MOST_QUESTIONS:
        answers = [library.answer(question, context=rest) for question in questions]
        return _joined(answers) if all(answers) else ("", None)
    found = [library.answer(message)]
    if len(questions) == 1 and rest:
        found.append(library.answer(questions[0], context=rest))
    if before and follows(message):
        found.append(library.answer(message, context=before))
    best = max((answer for answer in found if answer is not None), key=lambda answer: answer.confidence, default=None)
    return (best.text if best is not None else ""), best


def _doubt(found: Answer | None) -> str:
    """Why a person is asked, as a sentence. The confidence and the floor are facts of the request of their own."""
    if found is None:
        return "The FAQ has nothing on this."
    missing = found.evidence.missing[:4]
    if not missing:
        return "The best passage fits only partly."
    named = [f"“{word}”" for word in missing]
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return shortened(f"The FAQ does not cover {listed}.", _LONGEST_REASON)


def _spoken(text: str, *, final: bool = True, confidence: float | None = None) -> Iterator[Output]:
    """The text in pieces of a few words, then as the whole message; `final` when the run says nothing after it."""
    piece = ""
    for match in _PIECE.finditer(text):
        piece += match[0]
        if len(piece) >= _PIECE_SIZE or piece.endswith("\n"):
            yield Delta(text=piece, confidence=confidence)
            piece = ""
    if piece:
        yield Delta(text=piece, confidence=confidence)
    said = (Text(text=text),)
    yield Step(role="assistant", parts=said, provider="deskmate", model="faq", final=final, confidence=confidence)


def _joined(answers: Sequence[Answer | None]) -> tuple[str, Answer | None]:
    """Several answers as one message, when they fit; the least sure one speaks for all."""
    given = [answer for answer in answers if answer is not None]
    least = min(given, key=lambda answer: answer.confidence)
    texts = list(dict.fromkeys(answer.text for answer in given))
    text = "\n\n".join(texts)
    return (text, least) if len(text) <= LONGEST else (least.text, replace(least, confidence=0.0))


def _asked(turn: Turn) -> tuple[str, str]:
    """(what the customer asks, what they wrote before that). After a hand-back the prompt is the marker of the system: then it
    is their newest message, if nobody has replied to it; else nothing."""
    said = [(at, text) for at, m in enumerate(turn.history) if m.role == "user" and (text := text_of(m.role, m.parts).strip())]
    prompt = turn.prompt_text.strip()
    if turn.history and turn.history[-1].role == "system":
        prompt = said[-1][1] if said and not any(m.role == "assistant" for m in turn.history[said[-1][0] :]) else ""
    earlier = [text for _, text in said[:-1] if talk_of(text) is None]
    return prompt, earlier[-1][:_LONGEST_MESSAGE] if earlier else ""


def _question(turn: Turn) -> str:
    """What the person is asked: the customer's words, with the message before them where they do not stand alone."""
    prompt, before = _asked(turn)
    message = prompt or "(a message without text)"
    alone = talk_of(message) is None and not follows(message)
    return message if not before or alone else f"{message}\n\nBefore that, the customer wrote: {before}"
