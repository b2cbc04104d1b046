"""The learner of a desk: which classifier is fitted, imported when it is first needed, since what it stands on is large."""

from collections.abc import Callable, Sequence

from deskmate.classifiers.later import Later
from deskmate.domain.scoring import Example
from deskmate.services.corpus import Fitted, Learner


def _fit(examples: Sequence[Example]) -> Fitted:
    from deskmate.classifiers import learned

    return learned.fit(examples)


def _load(body: bytes) -> Fitted:
    from deskmate.classifiers.learned import Learned

    return Learned.from_bytes(body)


DEFAULT = Learner(fit=_fit, load=_load)
"""TF-IDF of words and characters, and a linear model."""


def learner_of(embedder: Later) -> Learner:
    """With an embedder the stacked score, without one the default. What was kept by another setting loads as what it is."""
    return Learner(fit=_fit_with(embedder), load=_load_with(embedder))


def _fit_with(embedder: Later) -> Callable[[Sequence[Example]], Fitted]:
    def fit(examples: Sequence[Example]) -> Fitted:
        from deskmate.classifiers.stacked import Stacked

        model = embedder.model
        # Of one kind there is nothing to tell apart; words know what to do with that.
        if model is None or len({(example.intent, example.responder) for example in examples}) < 2:
            return _fit(examples)
        return Stacked.fit(examples, model, _fit)

    return fit


def _load_with(embedder: Later) -> Callable[[bytes], Fitted]:
    def load(body: bytes) -> Fitted:
        from deskmate.classifiers.packing import is_packed
        from deskmate.classifiers.stacked import Stacked

        return Stacked.from_bytes(body, embedder.needed, _load) if is_packed(body) else _load(body)

    return load
