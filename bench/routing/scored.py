"""Messages with scores, of which is known whether the AI would have been right: what the benches of calibration run on.

The scorer of words is `deskmate.classifiers.learned`; a stand-in of the same kind is fitted here where it is not there. With
`[embeddings]` a second one knows meanings as well: better scores, so more can be answered alone. Scores are kept as temporary
files, because fitting takes longer than all the resampling.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("DESKMATE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "routing"
NOTHING = "nothing of these"
"""What a message is about for which there is no intent."""
SHARE_OUT = 1000 / 5500
"""The share of messages out of scope in the test set of CLINC150, to which the validation set is weighted."""
SEED = 7


@dataclass(frozen=True)
class Pool:
    """Messages by score, with what the AI got wrong, and how much of the traffic each stands for."""

    name: str
    scores: np.ndarray
    wrong: np.ndarray
    weights: np.ndarray


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def words(train: Sequence[dict[str, Any]]) -> Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]:
    """Words and characters in a linear machine: the margins of all intents, and their names."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    seen = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    machine = make_pipeline(seen, LinearSVC(random_state=SEED))
    machine.fit([row["text"] for row in train], [row["intent"] or NOTHING for row in train])
    return lambda texts: (machine.decision_function(texts), machine.classes_)


def meanings(train: Sequence[dict[str, Any]]) -> Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]:
    """Vectors of meaning in a logistic regression, whose logits are its margins."""
    from sklearn.linear_model import LogisticRegression

    from deskmate.classifiers.encoder import Encoder

    encoder = Encoder.packaged()

    def vectors(texts: Sequence[str]) -> np.ndarray:
        return np.stack([encoder.read(text).whole for text in texts])

    machine = LogisticRegression(C=20, max_iter=300)
    machine.fit(vectors([row["text"] for row in train]), [row["intent"] or NOTHING for row in train])
    return lambda texts: (machine.decision_function(vectors(texts)), machine.classes_)


def judged(margins: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The intent of each message, and a score: the best margin and its distance to the second, less the margin of nothing."""
    within = margins.copy()
    out = np.zeros(len(margins))
    for column in np.flatnonzero(names == NOTHING):
        out = margins[:, column]
        within[:, column] = -np.inf
    order = np.sort(within, axis=1)
    return names[within.argmax(axis=1)], 2 * order[:, -1] - order[:, -2] - out


def learned(train: Sequence[dict[str, Any]], texts: Sequence[str]) -> tuple[list[str | None], np.ndarray] | None:
    """What the product's own scorer says, where it is there."""
    try:
        from deskmate.classifiers import learned as product
    except ImportError:
        return None
    from deskmate.domain.scoring import Example

    scorer: Any = product.fit([Example(text=row["text"], intent=row["intent"], responder=row["responder"]) for row in train])
    said = [scorer.score([text]) for text in texts]
    return [each.intent for each in said], np.array([each.score for each in said])


def pool(data: str, *, meaning: bool = False) -> Pool:
    """The validation set of the data, scored by what its training set teaches."""
    train, rest = rows(f"{data}_train.jsonl"), rows(f"{data}_validation.jsonl")
    scores, wrong = _kept(f"{data}-{meaning}-{_version()}", lambda: _score(train, rest, meaning))
    out = np.array([row["intent"] is None for row in rest])
    weights = np.ones(len(rest))
    if data.startswith("clinc"):
        weights[out] = SHARE_OUT / (1 - SHARE_OUT) * (~out).sum() / out.sum()
    name = f"{data.split('_')[0]}, {'words and meaning' if meaning else 'words'}"
    return Pool(name, scores, wrong, weights / weights.sum())


def fitted(name: str, train: list[dict[str, Any]], rest: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores by words of the messages in `rest`, and what of them would be wrong, after learning from `train`."""
    return _kept(f"{name}-{_version()}", lambda: _score(train, rest, False))


def _score(train: list[dict[str, Any]], rest: list[dict[str, Any]], meaning: bool) -> tuple[np.ndarray, np.ndarray]:
    texts, truth = [row["text"] for row in rest], [row["intent"] for row in rest]
    if not meaning and (said := learned(train, texts)) is not None:
        return said[1], np.array([a is None or a != b for a, b in zip(said[0], truth, strict=True)])
    margins, names = words(train)(texts)
    if meaning:
        more, same = meanings(train)(texts)
        assert (names == same).all()
        margins = margins / margins.std() + more / more.std()
    said_intents, scores = judged(margins, names)
    return scores, np.array([said != true for said, true in zip(said_intents, truth, strict=True)])


def _version() -> str:
    from importlib.util import find_spec

    found = find_spec("deskmate.classifiers.learned")
    sources = [Path(__file__), *([Path(found.origin)] if found is not None and found.origin else [])]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def _kept(name: str, make: Callable[[], tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    file = Path(tempfile.gettempdir()) / f"deskmate-bench-{name}.npz"
    if not file.exists():
        scores, wrong = make()
        np.savez(file, scores=scores, wrong=wrong)
    kept = np.load(file)
    return kept["scores"], kept["wrong"]
