"""Answers of people: which of them the customer has not been told yet, and the words that bring them."""

from collections.abc import Mapping, Sequence
from typing import cast

from deskmate.domain.actors import AuthorKind
from deskmate.domain.agents import Turn
from deskmate.domain.messages import ToolCall, ToolResult, text_of

ASK_HUMAN = "ask_human"
_NOBODY = "I am sorry, nobody from the team could answer this."


def unspoken(turn: Turn) -> tuple[list[str], bool]:
    """(replies that bring people's answers, in order; whether the newest customer message needs nothing more).

    An answer belongs to this run when the run asked, wherever its call stands; and when it follows the newest customer message
    unsaid, whichever run asked: the customer would wait for it in vain. It has been told when a later message of the agent is
    its reply, so a run that was killed in between neither repeats it nor forgets it.
    """
    newest = max((at for at, message in enumerate(turn.history) if message.role == "user"), default=-1)
    replies = [
        (at, reply_of(part))
        for at, message in enumerate(turn.history)
        for part in message.parts
        if isinstance(part, ToolResult) and part.tool == ASK_HUMAN and (at > newest or part.call_id.startswith(prefix_of(turn)))
    ]
    untold = _untold(turn, replies)
    handed_back = bool(turn.history) and turn.history[-1].role == "system"
    settled = any(at > newest for at, _ in replies) or _has_said(turn, newest, {reply for _, reply in replies}) or _waits(turn)
    return untold, settled and not (handed_back and not untold)


def prefix_of(turn: Turn) -> str:
    """How the ids of the calls of this run begin."""
    return f"faq_{turn.run}_"


def _has_said(turn: Turn, newest: int, replies: set[str]) -> bool:
    """Whether an answer, not only somebody's answer to an older question, stands after the newest customer message."""
    texts = [
        text
        for message in turn.history[newest + 1 :]
        if message.role == "assistant" and (text := text_of(message.role, message.parts))
    ]
    return newest >= 0 and any(text.strip() not in replies for text in texts)


def _waits(turn: Turn) -> bool:
    """Whether a question of this run to people has no answer yet: there is nothing to do but to wait."""
    calls = {
        p.call_id for m in turn.history for p in m.parts if isinstance(p, ToolCall) and p.call_id.startswith(prefix_of(turn))
    }
    results = {p.call_id for m in turn.history for p in m.parts if isinstance(p, ToolResult)}
    return bool(calls - results)


def _untold(turn: Turn, replies: Sequence[tuple[int, str]]) -> list[str]:
    used: set[int] = set()
    untold: list[str] = []
    for at, reply in replies:
        told = next(
            (
                later
                for later, message in enumerate(turn.history)
                if later > at
                and later not in used
                and message.role == "assistant"
                and text_of(message.role, message.parts).strip() == reply
            ),
            None,
        )
        if told is None:
            untold.append(reply)
        else:
            used.add(told)
    return untold


def reply_of(result: ToolResult) -> str:
    """The message to the customer: the answer with the name of whoever gave it, or that nobody could answer."""
    said = _words(result.output).strip()
    person = result.by if result.by is not None and result.by.kind is not AuthorKind.SYSTEM else None
    known = person is not None and bool(person.name)
    if result.denied or result.is_error or not said:
        reason = (result.reason or "").strip()
        who = f"{person.name} from the team could not answer this." if person is not None and known else _NOBODY
        return f"{who} Reason: {reason}" if reason else who
    return f"{person.name} from the team: {said}" if person is not None and known else f"From the team: {said}"


def _words(value: object) -> str:
    """An answer as text; a form is read field by field."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes." if value else "No."
        case str():
            return value
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            for key in ("answer", "value", "text"):
                if fields.get(key) is not None:
                    return _words(fields[key])
            return "\n".join(f"{key}: {_words(field)}" for key, field in fields.items())
        case list() | tuple():
            return ", ".join(_words(part) for part in cast("Sequence[object]", value))
        case _:
            return str(value)
