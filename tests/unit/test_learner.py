"""The learner of a desk: which classifier is fitted, and that what was kept is loaded whatever the setting is now."""

import pytest

from deskmate.classifiers.later import Later
from deskmate.classifiers.learned import Learned
from deskmate.classifiers.learner import DEFAULT, learner_of
from deskmate.classifiers.stacked import Stacked
from deskmate.domain.scoring import Example
from deskmate.errors import Invalid, Misconfigured
from deskmate.testing.routing import make

EXAMPLES = [
    Example(text="Where is my parcel?", intent="delivery", responder="ai"),
    Example(text="My parcel has not arrived yet", intent="delivery", responder="ai"),
    Example(text="I want my money back", intent="refund", responder="ai"),
    Example(text="Can I get a refund?", intent="refund", responder="ai"),
    Example(text="I will call my lawyer", intent=None, responder="human"),
]


def test_with_an_embedder_the_stacked_score_is_fitted_and_without_one_the_default() -> None:
    assert isinstance(learner_of(Later("auto")).fit(EXAMPLES), Stacked)
    assert isinstance(learner_of(Later("off")).fit(EXAMPLES), Learned)
    assert isinstance(learner_of(Later("auto")).fit(EXAMPLES[:2]), Learned)


def test_what_was_kept_is_loaded_as_what_it_is() -> None:
    learner = learner_of(Later("auto"))
    fitted = learner.fit(EXAMPLES)
    again = learner.load(fitted.to_bytes())
    asked = ["where has my package gone"]
    assert (again.version, again.score(asked)) == (fitted.version, fitted.score(asked))
    plain = DEFAULT.fit(EXAMPLES)
    assert learner.load(plain.to_bytes()).score(asked) == plain.score(asked)


def test_a_stacked_score_needs_the_embedder_it_was_learned_with() -> None:
    kept = learner_of(Later("auto")).fit(EXAMPLES).to_bytes()
    with pytest.raises(Misconfigured) as caught:
        learner_of(Later("off")).load(kept)
    assert caught.value.field == "embeddings"
    with pytest.raises(Misconfigured, match="fit it anew"):
        learner_of(Later("https://host/v1#model")).load(kept)
    with pytest.raises(Invalid):
        learner_of(Later("auto")).load(b"something else")


def test_a_setting_that_is_wrong_is_said_each_time() -> None:
    later = Later("nowhere")
    for _ in range(2):
        with pytest.raises(Misconfigured, match="no model"):
            _ = later.model


@pytest.mark.parametrize(("setting", "kind"), [("", Learned), ("off", Learned), ("auto", Stacked)])
def test_evaluations_go_by_meaning_where_the_setting_says_so(setting: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKMATE_EMBEDDINGS", setting)
    router = make([{"text": each.text, "intent": each.intent, "responder": each.responder} for each in EXAMPLES])
    assert type(router._scorer) is kind
    assert router.decide("I want a refund for my money")[:2] == ("ai", "refund")
