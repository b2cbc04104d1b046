"""For evaluations: the router that Deskmate comes with, taught by labelled messages, and asked about others."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from deskmate.classifiers.later import Later
from deskmate.classifiers.learner import learner_of
from deskmate.domain.labelled import labelled
from deskmate.domain.scoring import Example, Responder, Scorer
from deskmate.errors import Invalid


class Taught:
    """A router that has learned who should answer what."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def decide(self, text: str) -> tuple[Responder, str | None, float]:
        """Who should answer, what it is about, and a score: the higher, the more likely the AI gets it right.

        Nothing is held against a floor. Where a person should answer, nothing is said of what it is about.
        """
        judged = self._scorer.score([text])
        return judged.responder, judged.intent if judged.responder == "ai" else None, judged.score

    def calibrate(
        self, scores: Sequence[float], wrong: Sequence[bool], traffic: Sequence[float], max_error: float, delta: float
    ) -> float | None:
        """The lowest score at which the AI may answer alone; None where people should answer everything.

        `scores` and `wrong` are messages of which is known whether the AI was wrong, `traffic` the scores of others. With
        probability 1 - delta at most `max_error` of what the AI answers is wrong.
        """
        from deskmate.domain.calibration import floor_of

        return floor_of(scores, wrong, traffic, max_error=max_error, delta=delta)


def make(examples: Sequence[Mapping[str, Any]]) -> Taught:
    """Teach a router by rows `{"text", "intent" or None, "responder"}`. Raises Invalid with the row and the field.

    It goes by words; by meaning as well where DESKMATE_EMBEDDINGS is set, to `auto`, a folder or an endpoint.
    """
    known: list[Example] = []
    for number, row in enumerate(examples, start=1):
        try:
            known.append(labelled(row))
        except Invalid as error:
            raise Invalid(f"row {number}: {error.message}", field=error.field) from None
    setting = os.environ.get("DESKMATE_EMBEDDINGS", "").strip() or "off"
    embedder = Later(setting, os.environ.get("DESKMATE_EMBEDDINGS_KEY", "").strip() or None)
    return Taught(learner_of(embedder).fit(known))
