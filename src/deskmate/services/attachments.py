"""Attachments: which messages name which files. Counted from the links, in the transaction that changes the message."""

from collections.abc import Iterable, Sequence

from deskmate.domain.actors import Actor
from deskmate.domain.files import GRACE, MOST_FILES, UNKNOWN, StoredFile, added_by, shown_in
from deskmate.domain.messages import File, Message, Part, readable
from deskmate.errors import Invalid, NotFound
from deskmate.store import jobs
from deskmate.store.base import Tx
from deskmate.store.rows import file_of
from deskmate.store.times import ms

JOB = "content"
"""The kind of the job that removes a content which no file names."""
LOOSE = "file"
"""The kind of the job that removes a file which somebody gave to a thread, where no message came to name it."""


async def find(tx: Tx, id: str) -> StoredFile | None:
    """One file, or None."""
    row = await tx.one("files.get", id=id)
    return None if row is None else file_of(row)


async def given(tx: Tx, thread: str, files: Sequence[str], by: Actor) -> tuple[File, ...]:
    """Files that this actor gave to this thread, as parts of a message. Raises NotFound for any other, and Invalid."""
    if len(files) > MOST_FILES:
        raise Invalid(f"a message has at most {MOST_FILES} files", field="files")
    parts: list[File] = []
    for id in dict.fromkeys(files):
        found = await find(tx, id) if readable(id) == id else None
        if found is None or found.thread != thread or not added_by(found, by):
            raise NotFound(f"there is no file {id} of yours on this thread", field="files")
        parts.append(File(file=id, media_type=found.media_type or UNKNOWN, filename=found.filename))
    return tuple(parts)


async def attach(tx: Tx, message: Message, files: Sequence[str]) -> None:
    """A new message names these files and those its parts show. Raises NotFound for one that there is not."""
    if files or shown_in(message.parts):
        await _link(tx, message.id, dict.fromkeys(shown_in(message.parts), 0) | dict.fromkeys(files, 1))


async def reattach(tx: Tx, before: Sequence[Part], message: Message, files: Sequence[str] | None) -> None:
    """The same after a change; without `files` those it named stay. Raises NotFound for a new one that there is not."""
    linked = {row["file"]: int(row["named"]) for row in await tx.all("files.of_message", message=message.id)}
    named = [file for file in linked if linked[file]] if files is None else files
    wanted = dict.fromkeys(shown_in(message.parts), 0) | dict.fromkeys(named, 1)
    await _link(tx, message.id, {file: how for file, how in wanted.items() if linked.get(file) != how}, gone=shown_in(before))
    for file in sorted(linked.keys() - wanted.keys()):
        await _unlink(tx, message.id, file)


async def detach(tx: Tx, message: Message) -> None:
    """The message is about to go."""
    for row in await tx.all("files.of_message", message=message.id):
        await _unlink(tx, message.id, row["file"])


async def detach_thread(tx: Tx, thread: str) -> None:
    """All messages of a thread are about to go, and the files with them that are named nowhere else."""
    alone = [row["file"] for row in await tx.all("files.only_on_thread", thread=thread)]
    await tx.run("files.touch_on_thread", thread=thread, now=ms(tx.now))
    await tx.run("threads.delete_attachments", id=thread)
    for file in alone:
        await remove(tx, file, force=False, untouched_since=ms(tx.now))


async def remove(tx: Tx, file: str, *, force: bool, untouched_since: int) -> bool:
    """Remove a file, and its content soon after. Without force only one that no message names and nobody touched since."""
    if await tx.one("files.lock", id=file) is None:
        return False
    row = await tx.one("files.get", id=file)
    if row is None or not (force or (row["messages"] == 0 and row["touched_at"] <= untouched_since)):
        return False
    await tx.run("files.unlink_all", file=file)
    await tx.run("files.delete", id=file)
    await jobs.enqueue(tx, JOB, row["storage"])
    return True


async def _link(tx: Tx, message: str, files: dict[str, int], *, gone: Iterable[str] = ()) -> None:
    """In the order of ids, so that two writers who name the same files do not wait for each other."""
    for file in sorted(files):
        if await tx.run("files.touch", id=file, now=ms(tx.now)):
            await tx.run("files.link", message=message, file=file, named=files[file])
        elif file not in gone:
            raise NotFound(f"there is no file {file}", field="files")


async def _unlink(tx: Tx, message: str, file: str) -> None:
    await tx.run("files.touch", id=file, now=ms(tx.now))
    await tx.run("files.unlink", message=message, file=file)
    found = await find(tx, file)
    if found is not None and found.thread is not None and found.messages == 0:
        await jobs.enqueue(tx, LOOSE, file, at=tx.now + GRACE)
