"""Streams: what is being written, piece by piece. The pieces are numbered, so a reader goes on from the number it knows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from deskmate.domain.messages import Position, Text, readable
from deskmate.errors import Invalid

SILENCE = timedelta(minutes=10)
"""A stream without a sign of life for this long is aborted."""
KEPT = timedelta(minutes=5)
"""How long a stream can be read after its end."""


class StreamStatus(StrEnum):
    STREAMING = "streaming"
    FINISHED = "finished"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStart:
    """A text begins. `id` tells the texts of one stream apart."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """What is added to a text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEnd:
    """A text is whole."""

    id: str


Piece = TextStart | TextDelta | TextEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDelta:
    """The pieces of a stream from number `start` up to `end`, which is excluded; the next delta starts there."""

    stream: str
    start: int
    end: int
    parts: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The text it adds."""
        return "".join(part.text for part in self.parts if isinstance(part, TextDelta))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Something being written at a position of a thread: what the pending message there is given when it ends.

    `run` is the run that writes it, if a run of the desk does; `reason` is why it was aborted; `alive_at` is when it began or
    last beat: pieces are signs of life of their own.
    """

    id: str
    thread: str
    order: int
    step: int
    agent_name: str | None = None
    run: str | None = None
    status: StreamStatus = StreamStatus.STREAMING
    reason: str | None = None
    alive_at: datetime
    ended_at: datetime | None = None
    created_at: datetime

    @property
    def position(self) -> Position:
        return Position(self.order, self.step)


def texts(parts: Iterable[Piece]) -> tuple[Text, ...]:
    """What these pieces say: one text for each id, in the order in which they began."""
    said: dict[str, list[str]] = {}
    for part in parts:
        if isinstance(part, TextDelta):
            said.setdefault(part.id, []).append(part.text)
    whole = ("".join(words) for words in said.values())
    return tuple(Text(text=text) for text in whole if text)


def check_numbers(start: int, end: int) -> None:
    """Raise Invalid unless `start` and `end` number at least one piece."""
    if type(start) is not int or type(end) is not int or not 0 <= start < end < 2**62:
        raise Invalid("start and end are whole numbers, start from 0 and end behind it", field="start")


def piece_to_json(part: Piece) -> dict[str, Any]:
    """One piece as plain values, with text that every store can hold."""
    match part:
        case TextStart():
            return {"type": "text_start", "id": readable(part.id)}
        case TextDelta():
            return {"type": "text_delta", "id": readable(part.id), "text": readable(part.text)}
        case TextEnd():
            return {"type": "text_end", "id": readable(part.id)}
        case _:
            assert_never(part)


def piece_from_json(record: Mapping[str, Any]) -> Piece:
    """The piece that plain values describe. Raises Invalid where they describe none."""
    match record:
        case {"type": "text_start", "id": str(id)}:
            return TextStart(id=id)
        case {"type": "text_delta", "id": str(id), "text": str(text)}:
            return TextDelta(id=id, text=text)
        case {"type": "text_end", "id": str(id)}:
            return TextEnd(id=id)
        case _:
            raise Invalid("not a piece of a stream", field="parts")


def dump(parts: Sequence[Piece]) -> str:
    """The pieces as the store keeps them."""
    return json.dumps([piece_to_json(part) for part in parts], ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> tuple[Piece, ...]:
    """Stored pieces."""
    return tuple(piece_from_json(record) for record in json.loads(text))
