"""The learner of a desk: the default classifier, imported when it is first needed, since what it stands on is large."""

from collections.abc import Sequence

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
