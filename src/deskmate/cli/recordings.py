"""Recordings: files of recorded conversations, read line by line, with a bar that shows how far that is."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deskmate.errors import Misconfigured
from deskmate.store.waiters import call_in

STDIN = "-"
AHEAD = 8  # lines that are read before they are asked for


@contextmanager
def recording(file: str, *, title: str) -> Generator[AsyncIterator[bytes]]:
    """The lines of a file, or of the standard input for `-`. Raises Misconfigured when it cannot be read."""
    with _opened(file) as stream, _bar(title, _size(stream)) as advance:
        yield _apart(_lines(stream, advance))


@contextmanager
def _opened(file: str) -> Generator[BinaryIO]:
    try:
        # The interpreter's own stream could not be torn down at the end while a thread still waits for a line of it.
        stream = sys.stdin.fileno() if file == STDIN else Path(file)
        stream = open(stream, "rb", closefd=file != STDIN)  # noqa: SIM115 - an error while reading is not one of opening
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}", field="file") from None
    try:
        yield stream
    finally:
        if file != STDIN:
            stream.close()


async def _apart(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, read in a thread of their own: while input is waited for the event loop goes on, and Ctrl-C ends the wait."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def tell(what: bytes | Exception | None) -> None:
        room.acquire()
        call_in(loop, lambda: read.put_nowait(what))

    def work() -> None:
        try:
            for line in lines:
                tell(line)
            tell(None)
        except Exception as error:
            tell(error)

    # Nobody waits for a thread that waits for input.
    threading.Thread(target=work, name="deskmate reads", daemon=True).start()
    while (line := await read.get()) is not None:
        room.release()
        if isinstance(line, Exception):
            raise line
        yield line


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
