"""An endpoint: a server that speaks OpenAI's embeddings (POST /embeddings), and turns texts into vectors of their meaning."""

import importlib
import math
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, cast

import httpx2

from deskmate.errors import Misconfigured, Unavailable

_FIELD = "embeddings"
_KEY = "embeddings_key"
_AT_ONCE = 32
"""Texts in one request: the least that servers of this kind take unless they are told otherwise."""
_LONGEST = 2_000
"""Characters of a text that are sent. What a message is about stands at its beginning, and models refuse what is too long."""
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_TRIES = 3
_PATIENCE = 10.0
"""Seconds that are waited before another try. A server that asks for more is not there for who waits for a decision."""


class Endpoint:
    """A model behind HTTP. Safe to use from several threads."""

    def __init__(self, url: str, model: str, *, key: str | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        """`url` is what comes before `/embeddings`."""
        self.name: Final = f"{url}#{model}"
        self._url = f"{url}/embeddings"
        self._model = model
        self._sleep = sleep
        self._size: int | None = None
        if key is not None and not (key.isascii() and key.isprintable()):
            raise Misconfigured("The key has characters that no header can carry", field=_KEY)
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._client = httpx2.Client(timeout=_TIMEOUT, headers=headers, follow_redirects=False)
        # Connections are kept for the next decision; they end with the endpoint.
        weakref.finalize(self, self._client.close)

    def embed(self, texts: Sequence[str]) -> Any:
        """A row of length 1 for each text. Raises Unavailable, or Misconfigured when the server will not have it at all."""
        np = importlib.import_module("numpy")
        rows = [row for start in range(0, len(texts), _AT_ONCE) for row in self._batch(texts[start : start + _AT_ONCE])]
        if not rows:
            return np.zeros((0, self._size or 0), np.float32)
        found = np.array(rows, np.float64)
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise self._unusable("a vector without a length")
        return (found / lengths).astype(np.float32)

    def _batch(self, texts: Sequence[str]) -> list[list[float]]:
        # Servers refuse an empty text, and a customer may well send one.
        given = [text[:_LONGEST].strip() or "-" for text in texts]
        answer = self._post({"model": self._model, "input": given, "encoding_format": "float"})
        rows = self._in_order(answer, len(given))
        sizes = {len(row) for row in rows} | ({self._size} if self._size else set[int]())
        if len(sizes) != 1 or 0 in sizes:
            raise self._unusable(f"vectors of {' and '.join(map(str, sorted(sizes)))} numbers")
        self._size = sizes.pop()
        return rows

    def _post(self, body: object) -> object:
        for further in reversed(range(_TRIES)):
            try:
                response = self._client.post(self._url, json=body)
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
                if not further:
                    raise self._unreachable(type(error).__name__) from error
                self._sleep(_pause(None, further))
                continue
            if response.status_code == 200:
                return self._json(response)
            if response.status_code not in (408, 429) and response.status_code < 500:
                self._refused(response.status_code)
            pause = _pause(response.headers.get("retry-after"), further)
            if not further or pause > _PATIENCE:
                raise self._unreachable(f"it answers {response.status_code}")
            self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _json(self, response: httpx2.Response) -> object:
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise self._unusable("no JSON") from None

    def _in_order(self, answer: object, count: int) -> list[list[float]]:
        """The vectors in the order of the texts. Servers may give them in another one: `index` says which is whose."""
        data = cast("dict[str, object]", answer).get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list):
            raise self._unusable("no data")
        found: dict[int, list[float]] = {}
        for item in cast("list[object]", data):
            part = cast("dict[str, object]", item) if isinstance(item, dict) else {}
            index, vector = part.get("index"), part.get("embedding")
            if type(index) is not int or index in found or not isinstance(vector, list):
                raise self._unusable("data that is not understood")
            found[index] = [self._number(value) for value in cast("list[object]", vector)]
        if sorted(found) != list(range(count)):
            raise self._unusable(f"{len(found)} vectors for {count} texts")
        return [found[index] for index in range(count)]

    def _number(self, value: object) -> float:
        if type(value) not in (int, float) or not math.isfinite(number := _float(cast("int | float", value))):
            raise self._unusable("a vector of what are no numbers")
        return number

    def _refused(self, status: int) -> NoReturn:
        # What the server says may quote the key, or what a customer wrote: it stays out of messages.
        match status:
            case 401 | 403:
                raise Misconfigured(f"{self.name} refuses the key ({status})", field=_KEY)
            case 404:
                raise Misconfigured(f"{self.name} does not know this address or model (404)", field=_FIELD)
            case _:
                raise Misconfigured(f"{self.name} refuses what it is sent ({status})", field=_FIELD)

    def _unreachable(self, why: str) -> Unavailable:
        return Unavailable(f"{self.name} cannot be reached: {why}", field=_FIELD)

    def _unusable(self, what: str) -> Unavailable:
        return Unavailable(f"{self.name} answers with {what}", field=_FIELD)


def _pause(asked: str | None, further: int) -> float:
    """Seconds until the next try: what the server asks for (a date counts as too long), else longer each time."""
    if asked is None:
        return 0.25 * 2 ** (_TRIES - 1 - further)
    try:
        return max(0.0, float(asked))
    except ValueError:
        return math.inf


def _float(value: float) -> float:
    """Whole numbers may be larger than any float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
