"""Files: add, find, read, delete. The content is kept before the row that names it, and removed after it."""

import asyncio
from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.files import GRACE, StoredFile, added_by, check_size, check_text, digest, filename_of, media_type_of
from deskmate.domain.messages import readable
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import check_limit
from deskmate.domain.permissions import Action, allowed, require, visible
from deskmate.domain.threads import Thread
from deskmate.errors import NotFound
from deskmate.services import attachments, threads
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.contents import Contents
from deskmate.store.rows import file_of, message_of
from deskmate.store.times import ms


class Files:
    """The files of a desk. A message names them in its File parts, or beside its parts as `files`."""

    def __init__(self, store: Store, contents: Contents, *others: Contents) -> None:
        """New contents go into `contents`; what was kept in `others` is read and removed there."""
        self._store = store
        self._contents = contents
        self._places = {place.scheme: place for place in (*others, contents)}

    async def add(self, content: bytes, *, filename: str | None = None, media_type: str | None = None) -> StoredFile:
        """Keep a content; the same content under the same name is the same file, with the media type it was first given.

        Raises TooLarge, Invalid.
        """
        return await self._add(content, filename, media_type)

    async def check_upload(self, thread: str, *, by: By) -> None:
        """Raise what `upload` would raise whatever the content, before anybody sends it."""

        async def body(tx: Tx) -> None:
            _check_may_add(await threads.get(tx, thread), actor_of(by))

        await self._store.read(body)

    async def upload(
        self, thread: str, content: bytes, *, filename: str | None = None, media_type: str | None = None, by: By
    ) -> StoredFile:
        """Give a file to a thread, for a message of one's own that will name it; where none does within a day, it goes.

        The same content under the same name from the same actor is the same file. Raises TooLarge, Invalid, NotFound, Forbidden.
        """
        actor = actor_of(by)
        await self.check_upload(thread, by=actor)
        return await self._add(content, filename, media_type, thread=thread, by=actor)

    async def _add(
        self,
        content: bytes,
        filename: str | None,
        media_type: str | None,
        *,
        thread: str | None = None,
        by: Actor | None = None,
    ) -> StoredFile:
        check_size(content)
        place = () if thread is None or by is None else (thread, by.kind, by.id or "")
        name, kind, hash = filename_of(filename), media_type_of(media_type), await asyncio.to_thread(digest, content, *place)
        if (known := await self.find(hash, filename=name)) is not None:
            return known

        async def reserve(tx: Tx) -> tuple[str, str]:
            id = tx.id("file")
            storage = f"{self._contents.scheme}:{id}"
            # Should this process end before the row is there, nobody knows of the content: then this removes it.
            await jobs.enqueue(tx, attachments.JOB, storage, at=tx.now + GRACE)
            return id, storage

        id, storage = await self._store.write(reserve)
        await self._contents.put(storage, content)

        async def name_it(tx: Tx) -> StoredFile:
            if thread is not None and by is not None:
                # The thread may have gone meanwhile, and its files with it.
                _check_may_add(await threads.lock(tx, thread), by)
            stored = await _insert(tx, id, hash, name, kind, len(content), storage, thread, by)
            if thread is not None:
                await jobs.enqueue(tx, attachments.LOOSE, stored.id, at=tx.now + GRACE)
            if stored.id == id:
                await jobs.cancel(tx, attachments.JOB, storage)
            else:
                await jobs.enqueue(tx, attachments.JOB, storage)
            return stored

        return await self._store.write(name_it)

    async def refer(self, hash: str, storage: str, *, filename: str | None = None, media_type: str | None = None) -> StoredFile:
        """Make known a content that a program of yours keeps, by its own hash and place. The same hash and name: the same file.

        Raises Invalid.
        """
        check_text(hash, "hash")
        check_text(storage, "storage")
        name, kind = filename_of(filename), media_type_of(media_type)
        return await self._store.write(lambda tx: _insert(tx, tx.id("file"), hash, name, kind, None, storage))

    async def find(self, hash: str, *, filename: str | None = None) -> StoredFile | None:
        """The file with this content and this name, or None. Being found keeps it a while longer."""
        name = filename_of(filename)

        async def body(tx: Tx) -> StoredFile | None:
            row = await tx.one("files.by_hash", hash=readable(hash), filename=name)
            if row is None:
                return None
            await tx.run("files.touch", id=row["id"], now=ms(tx.now))
            return await attachments.find(tx, row["id"])

        return await self._store.write(body)

    async def get(self, file: str, *, by: Actor = SYSTEM) -> StoredFile:
        """One file, for those who may see a message that names it, and who gave it to a thread. Raises NotFound."""

        async def body(tx: Tx) -> StoredFile:
            found = await attachments.find(tx, file)
            if found is None or not await _may_see(tx, found, by):
                raise NotFound("there is no such file", field="file")
            return found

        return await self._store.read(body)

    async def content(self, file: str, *, by: Actor = SYSTEM) -> bytes:
        """The content of a file, for those who may see the file. Raises NotFound."""
        found = await self.get(file, by=by)
        place = self._place_of(found.storage)
        content = None if place is None else await place.get(found.storage)
        if content is None:
            raise NotFound("the content of this file is not kept here", field="file", storage=found.storage)
        return content

    async def delete(self, *files: str, force: bool = False) -> list[str]:
        """Remove files that no message names and nobody has touched for a day; with `force` any. Returns the ids of those gone.

        What a message still shows of a file that was forced away is its name.
        """

        async def body(tx: Tx) -> list[str]:
            before = ms(tx.now - GRACE)
            ids = sorted(set(files))
            return [id for id in ids if await attachments.remove(tx, id, force=force, untouched_since=before)]

        return await self._store.write(body)

    async def unused(self, *, limit: int = 1000) -> list[StoredFile]:
        """Files that no message names and nobody has touched for a day, longest untouched first: `delete` takes them."""
        check_limit(limit)

        async def body(tx: Tx) -> list[StoredFile]:
            return [file_of(row) for row in await tx.all("files.unused", before=ms(tx.now - GRACE), limit=limit)]

        return await self._store.read(body)

    @property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the jobs of each kind."""
        return {attachments.JOB: self.sweep, attachments.LOOSE: self.drop}

    async def sweep(self, job: jobs.Job) -> None:
        """The handler of `content` jobs: remove a content that no file names."""
        named = await self._store.read(lambda tx: tx.one("files.by_storage", storage=job.ref))
        if named is None and (place := self._place_of(job.ref)) is not None:
            await place.remove(job.ref)

    async def drop(self, job: jobs.Job) -> None:
        """The handler of `file` jobs: remove a file that somebody gave to a thread, and that no message has named for a day."""

        async def body(tx: Tx) -> None:
            if await attachments.remove(tx, job.ref, force=False, untouched_since=ms(tx.now - GRACE)):
                return
            found = await attachments.find(tx, job.ref)
            if found is not None and found.messages == 0:
                await jobs.postpone(tx, job, found.touched_at + GRACE)

        await self._store.write(body)

    def _place_of(self, storage: str) -> Contents | None:
        return self._places.get(storage.partition(":")[0])


async def _insert(
    tx: Tx,
    id: str,
    hash: str,
    name: str,
    kind: str | None,
    size: int | None,
    storage: str,
    thread: str | None = None,
    by: Actor | None = None,
) -> StoredFile:
    row = await tx.one(
        "files.insert",
        id=id, hash=hash, filename=name, media_type=kind, size=size, storage=storage, thread=thread,
        added_by_kind=by.kind if by else None, added_by=by.id if by else None, now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    found = await attachments.find(tx, row["id"])
    assert found is not None
    return found


def _check_may_add(thread: Thread, by: Actor) -> None:
    """Whoever may say something on a thread, for themselves or for its customer, may give it a file."""
    if not allowed(by, Action.MESSAGE_POST_AS_CUSTOMER, owner=thread.customer):
        require(by, Action.MESSAGE_POST, owner=thread.customer)


async def _may_see(tx: Tx, file: StoredFile, by: Actor) -> bool:
    """Customers see the files of their own threads, agents those of public messages, and everybody what they added themselves.
    Who reads hidden things sees all, but for what somebody else has given to a thread and not said yet."""
    if added_by(file, by):
        return True
    if allowed(by, Action.MESSAGE_READ_HIDDEN):
        return file.messages > 0 or file.thread is None or by.kind is AuthorKind.SYSTEM
    if by.kind not in (AuthorKind.CUSTOMER, AuthorKind.AGENT) and not allowed(by, Action.MESSAGE_READ):
        return False
    customer = by.id if by.kind is AuthorKind.CUSTOMER else None
    if by.kind is AuthorKind.CUSTOMER and customer is None:
        return False
    rows = await tx.all("files.shown_to", file=file.id, customer=customer)
    return any(visible(message_of(row), by) for row in rows)
