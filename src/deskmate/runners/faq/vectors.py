"""Vectors: what the passages of a library mean, worked out in the background and kept in a file for the next start."""

import contextlib
import hashlib
import importlib
import os
import tempfile
import weakref
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from deskmate.classifiers.encoder import Encoder

if TYPE_CHECKING:
    from deskmate.classifiers.encoder import Vectors

_AT_ONCE = 8
_SAVED_EVERY = 1_000


class Shelf:
    """A vector for each text of a list, as soon as it is known. Safe to use from several threads."""

    def __init__(
        self, encoder: Encoder, texts: Sequence[str], *, file: Path | None = None, before: "Shelf | None" = None
    ) -> None:
        """`file` is where vectors are kept between starts; a file that cannot be read or written is done without.

        What `before` knows is not worked out again.
        """
        self._work = _Work(encoder, texts, file, None if before is None else before._work)
        self._thread = Thread(target=self._work.run, name="faq-meaning", daemon=True)
        # The thread holds the work and not the shelf: a shelf that nobody needs any more, or the end of the program, stops it.
        self._stop = weakref.finalize(self, _end, self._work, self._thread)
        if not self._work.done:
            self._thread.start()

    def wait(self) -> None:
        """Until every text has its vector."""
        if self._thread.ident is not None:
            self._thread.join()

    def need(self, numbers: Iterable[int]) -> None:
        """Works these out now, when they are still to come."""
        self._work.learn(numbers)

    def known(self) -> "tuple[Vectors, Any]":
        """(a row for each text, which of the rows are known)."""
        return self._work.rows, self._work.has


class _Work:
    def __init__(self, encoder: Encoder, texts: Sequence[str], file: Path | None, before: "_Work | None" = None) -> None:
        self._numpy: Any = importlib.import_module("numpy")
        self._encoder = encoder
        self._texts = texts
        self._file = file
        self._lock = Lock()
        self.stop = Event()
        self._keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        self.rows: Vectors = self._numpy.zeros((len(texts), encoder.size), self._numpy.float32)
        self.has: Any = self._numpy.zeros(len(texts), bool)
        if before is not None:
            self._take(before._keys, before.rows, before.has)
        if file is not None and not self.done:
            self._read(file)

    @property
    def done(self) -> bool:
        return bool(self.has.all())

    def run(self) -> None:
        new = 0
        for start in range(0, len(self._texts), _AT_ONCE):
            if self.stop.is_set():
                return
            new += self.learn(range(start, min(start + _AT_ONCE, len(self._texts))))
            if new >= _SAVED_EVERY:
                self._write()
                new = 0
        self._write()

    def learn(self, numbers: Iterable[int]) -> int:
        missing = [number for number in numbers if not self.has[number]]
        # As exact as the file keeps them, so that the next start says the same.
        found = [self._encoder.read(self._texts[number]).whole.astype(self._numpy.float16) for number in missing]
        with self._lock:
            for number, row in zip(missing, found, strict=True):
                self.rows[number] = row
                self.has[number] = True
        return len(missing)

    def _read(self, file: Path) -> None:
        np = self._numpy
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
                keys, rows = kept["keys"], kept["rows"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return
        if keys.shape != (len(rows), 16) or rows.shape[1:] != (self._encoder.size,):
            return
        self._take([bytes(key) for key in keys], rows, np.ones(len(rows), bool))

    def _take(self, keys: Sequence[bytes], rows: Any, has: Any) -> None:
        """What is known of these texts already."""
        at = {key: number for number, key in enumerate(keys) if has[number]}
        for number, key in enumerate(self._keys):
            if key in at and not self.has[number]:
                self.rows[number] = rows[at[key]]
                self.has[number] = True

    def _write(self) -> None:
        """Only what this library needs, so that the file does not grow; whole or not at all, so that nobody reads half of it."""
        if self._file is None:
            return
        np = self._numpy
        with self._lock:
            held = [number for number in range(len(self._texts)) if self.has[number]]
            keys = np.array([list(self._keys[number]) for number in held], np.uint8).reshape(-1, 16)
            rows = self.rows[held].astype(np.float16)
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as part:
                    np.savez(part, keys=keys, rows=rows)
                Path(name).replace(self._file)
            except OSError:
                Path(name).unlink(missing_ok=True)


def _end(work: _Work, thread: Thread) -> None:
    work.stop.set()
    if thread.is_alive():
        thread.join(1.0)
