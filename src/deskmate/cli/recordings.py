"""Recordings: files of recorded conversations, read line by line, with a bar that shows how far that is."""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deskmate.errors import Misconfigured

STDIN = "-"


@contextmanager
def recording(file: str, *, title: str) -> Generator[Iterator[bytes]]:
    """The lines of a file, or of the standard input for `-`. Raises Misconfigured when it cannot be read."""
    with _interruptible(), _opened(file) as stream, _bar(title, _size(stream)) as advance:
        yield _lines(stream, advance)


@contextmanager
def _opened(file: str) -> Generator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - an error while reading is not one of opening
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}", field="file") from None
    with stream:
        yield stream


@contextmanager
def _interruptible() -> Generator[None]:
    """Ctrl-C ends a wait for input. An event loop's own handler would wait for the loop, which waits for the input."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _size(stream: BinaryIO) -> int | None:
    try:
        return os.fstat(stream.fileno()).st_size or None
    except OSError:
        return None


def _lines(stream: BinaryIO, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The lines, without a byte order mark. Of a line that is too long comes no more than shows that it is."""
    from deskmate.domain.transcripts import LONGEST_LINE

    first = True
    while line := stream.readline(LONGEST_LINE + 1):
        read = len(line)
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE + 1)
            read += len(rest)
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False
        advance(read)


@contextmanager
def _bar(title: str, total: int | None) -> Generator[Callable[[int], None]]:
    """A bar on a terminal; silence where the output goes elsewhere."""
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda read: progress.update(task, advance=read)
