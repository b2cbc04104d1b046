"""Embeddings as OpenAI sends them, for the server of openai_server.py."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODEL = "fake-embeddings"


@dataclass(frozen=True, slots=True)
class Answered:
    """Any JSON, as it is."""

    body: object


def vectors_of(rows: Sequence[Sequence[object]], model: str = MODEL) -> dict[str, Any]:
    """A list of embeddings, a row each."""
    data = [{"object": "embedding", "index": index, "embedding": list(row)} for index, row in enumerate(rows)]
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": 8, "total_tokens": 8}}


def words_counted(text: str) -> list[float]:
    """A vector of a text: how many of its words fall into each of 64 places."""
    counts = [0.0] * 64
    for word in text.casefold().split():
        counts[zlib.crc32(word.encode()) % 64] += 1.0
    return counts


def embedded(body: Mapping[str, Any]) -> Answered | None:
    """What a request gets; None where OpenAI would refuse it."""
    texts = body.get("input")
    if not isinstance(texts, list) or not 0 < len(texts) <= 2048 or not all(isinstance(text, str) and text for text in texts):
        return None
    return Answered(vectors_of([words_counted(text) for text in texts], body["model"]))
