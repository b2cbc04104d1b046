"""Files: add, find, read, delete. The content is kept before the row that names it, and removed after it."""

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.files import GRACE, StoredFile, check_size, check_text, digest, filename_of, media_type_of
from deskmate.domain.messages import readable
from deskmate.domain.pages import check_limit
from deskmate.domain.permissions import Action, allowed, visible
from deskmate.errors import NotFound
from deskmate.services import attachments
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.contents import Contents
from deskmate.store.rows import message_of
from deskmate.store.times import ms, utc


def file_of(row: Row) -> StoredFile:
    """A stored row as a file."""
    return StoredFile(
        id=row["id"],
        hash=row["hash"],
        storage=row["storage"],
        filename=row["filename"] or None,
        media_type=row["media_type"],
        size=row["size"],
        messages=row["messages"],
        touched_at=utc(row["touched_at"]),
        created_at=utc(row["created_at"]),
    )


class Files:
    """The files of a desk. A message names them in its File parts, or beside its parts as `files`."""

    def __init__(self, store: Store, contents: Contents) -> None:
        self._store = store
        self._contents = contents

    async def add(self, content: bytes, *, filename: str | None = None, media_type: str | None = None) -> StoredFile:
        """Keep a content; the same content under the same name is the same file, with the media type it was first given.

        Raises TooLarge, Invalid.
        """
        check_size(content)
        name, kind, hash = filename_of(filename), media_type_of(media_type), digest(content)
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
            stored = await _insert(tx, id, hash, name, kind, len(content), storage)
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
            return await _find(tx, row["id"])

        return await self._store.write(body)

    async def get(self, file: str, *, by: Actor = SYSTEM) -> StoredFile:
        """One file, for those who may see a message that names it. Raises NotFound."""

        async def body(tx: Tx) -> StoredFile:
            found = await _find(tx, file)
            if found is None or not await _may_see(tx, file, by):
                raise NotFound("there is no such file", field="file")
            return found

        return await self._store.read(body)

    async def content(self, file: str, *, by: Actor = SYSTEM) -> bytes:
        """The content of a file, for those who may see a message that names it. Raises NotFound."""
        found = await self.get(file, by=by)
        own = found.storage.startswith(f"{self._contents.scheme}:")
        content = await self._contents.get(found.storage) if own else None
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

    async def sweep(self, job: jobs.Job) -> None:
        """The handler of `content` jobs: remove a content that no file names."""
        named = await self._store.read(lambda tx: tx.one("files.by_storage", storage=job.ref))
        if named is None and job.ref.startswith(f"{self._contents.scheme}:"):
            await self._contents.remove(job.ref)


async def _insert(tx: Tx, id: str, hash: str, name: str, kind: str | None, size: int | None, storage: str) -> StoredFile:
    row = await tx.one(
        "files.insert", id=id, hash=hash, filename=name, media_type=kind, size=size, storage=storage, now=ms(tx.now)
    )
    assert row is not None
    found = await _find(tx, row["id"])
    assert found is not None
    return found


async def _find(tx: Tx, id: str) -> StoredFile | None:
    row = await tx.one("files.get", id=id)
    return None if row is None else file_of(row)


async def _may_see(tx: Tx, file: str, by: Actor) -> bool:
    """Customers see the files of their own threads, agents those of public messages; who reads hidden things sees all."""
    if allowed(by, Action.MESSAGE_READ_HIDDEN):
        return True
    if by.kind not in (AuthorKind.CUSTOMER, AuthorKind.AGENT) and not allowed(by, Action.MESSAGE_READ):
        return False
    customer = by.id if by.kind is AuthorKind.CUSTOMER else None
    if by.kind is AuthorKind.CUSTOMER and customer is None:
        return False
    rows = await tx.all("files.shown_to", file=file, customer=customer)
    return any(visible(message_of(row), by) for row in rows)
