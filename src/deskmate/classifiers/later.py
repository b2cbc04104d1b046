"""Later: the embedder of a desk, opened when something is first to be read. That takes half a second, and many never need it."""

from threading import Lock

from deskmate.classifiers.embedders import embedder_of
from deskmate.domain.scoring import Embedder
from deskmate.errors import Misconfigured


class Later:
    """The embedder of a setting (see `embedder_of`). Safe to use from several threads."""

    def __init__(self, setting: str, key: str | None = None) -> None:
        self._setting = setting
        self._key = key
        self._lock = Lock()
        self._opened: tuple[Embedder | None] | None = None

    @property
    def model(self) -> Embedder | None:
        """None where there is none. Raises Misconfigured, each time it is asked for."""
        with self._lock:
            if self._opened is None:
                self._opened = (embedder_of(self._setting, self._key),)
            return self._opened[0]

    @property
    def needed(self) -> Embedder:
        """Raises Misconfigured where there is none."""
        model = self.model
        if model is None:
            raise Misconfigured("There is no embedder, and what was learned with one needs it", field="embeddings")
        return model
