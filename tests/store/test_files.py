"""Files on both engines: one content under one name is one file, messages keep it, and what nobody names can go."""

import asyncio

import pytest

from deskmate import Desk
from deskmate.domain.actors import Author, AuthorKind, customer
from deskmate.domain.files import LARGEST, digest
from deskmate.domain.messages import File, NewMessage, Part, Text, Visibility
from deskmate.errors import Invalid, NotFound, TooLarge
from deskmate.testing import FakeClock, pass_time

ADA, BEN = customer("ada", "Ada"), customer("ben", "Ben")
DAY = 24 * 60 * 60


def showing(*files: str, named: tuple[str, ...] = (), visibility: Visibility = Visibility.PUBLIC) -> NewMessage:
    parts: list[Part] = [Text(text="See here"), *(File(file=file, media_type="image/png") for file in files)]
    author = Author(kind=AuthorKind.AGENT, name="bot")
    return NewMessage(role="assistant", parts=tuple(parts), author=author, files=named, visibility=visibility)


async def uses(desk: Desk, file: str) -> int:
    return (await desk.files.get(file)).messages


async def test_a_content_comes_back_as_it_was_and_is_known_by_its_hash(desk: Desk, other: Desk) -> None:
    content = bytes(range(256)) * 400
    added = await desk.files.add(content, filename="bill.PNG", media_type=" Image/PNG")
    assert (added.filename, added.media_type, added.size, added.hash) == ("bill.PNG", "image/png", len(content), digest(content))
    assert await other.files.content(added.id) == content
    assert await other.files.find(digest(content), filename="bill.PNG") == added
    assert await other.files.find(digest(content)) is None
    empty = await desk.files.add(b"")
    assert await desk.files.content(empty.id) == b""


async def test_the_same_content_under_the_same_name_is_one_file_also_when_it_comes_at_once(desk: Desk, other: Desk) -> None:
    added = await asyncio.gather(*(where.files.add(b"same", filename="a.txt") for where in [desk, other] * 6))
    assert len({file.id for file in added}) == 1
    assert (await desk.files.add(b"same", filename="b.txt")).id != added[0].id
    assert await desk.files.content(added[0].id) == b"same"
    while await desk.run_due():
        pass  # what the losers had stored already is removed
    assert await desk.files.content(added[0].id) == b"same"


async def test_a_message_counts_once_however_often_it_names_a_file(desk: Desk) -> None:
    file, picture = (await desk.files.add(b"1")).id, (await desk.files.add(b"2")).id
    thread = await desk.threads.open()
    message = (await desk.messages.save(thread.id, [showing(file, file, named=(file, picture))]))[0]
    assert (await uses(desk, file), await uses(desk, picture)) == (1, 1)
    await desk.messages.change(message.id, parts=(Text(text="gone"),))
    assert (await uses(desk, file), await uses(desk, picture)) == (1, 1)  # still listed beside the parts
    await desk.messages.change(message.id, files=())
    assert (await uses(desk, file), await uses(desk, picture)) == (0, 0)
    await desk.messages.change(message.id, parts=(Text(text="back"), File(file=picture, media_type="image/png")))
    assert (await uses(desk, file), await uses(desk, picture)) == (0, 1)
    await desk.messages.delete(message.id)
    assert await uses(desk, picture) == 0


async def test_a_file_that_there_is_not_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    known = (await desk.files.add(b"1")).id
    thread = await desk.threads.open()
    for wrong in (showing("file_none"), showing(known, named=("file_none",))):
        with pytest.raises(NotFound):
            await desk.messages.save(thread.id, [showing(known), wrong])
    assert not (await desk.messages.page(thread.id)).items
    assert await uses(desk, known) == 0


async def test_a_file_that_was_forced_away_leaves_its_message_whole_and_changeable(desk: Desk) -> None:
    file = (await desk.files.add(b"1")).id
    thread = await desk.threads.open()
    message = (await desk.messages.save(thread.id, [showing(file)]))[0]
    assert await desk.files.delete(file) == []
    assert await desk.files.delete(file, file, "file_none", force=True) == [file]
    with pytest.raises(NotFound):
        await desk.files.content(file)
    changed = await desk.messages.change(message.id, parts=(Text(text="Changed"), *message.parts[1:]))
    assert changed.parts[1:] == message.parts[1:]
    assert await desk.messages.delete(message.id) == [message.id]


async def test_what_nobody_names_can_go_after_a_day_and_its_content_goes_with_it(desk: Desk, clock: FakeClock) -> None:
    kept, found, forgotten = [(await desk.files.add(content)).id for content in (b"1", b"2", b"3")]
    thread = await desk.threads.open()
    await desk.messages.save(thread.id, [showing(kept)])
    await pass_time(desk, clock, seconds=DAY - 1)
    assert await desk.files.unused() == []
    assert await desk.files.delete(found, forgotten) == []
    assert await desk.files.find(digest(b"2")) is not None  # whoever asks is about to use it
    await pass_time(desk, clock, seconds=1)
    assert [file.id for file in await desk.files.unused()] == [forgotten]
    assert await desk.files.delete(kept, found, forgotten) == [forgotten]
    await desk.run_due()
    assert await desk.files.content(kept) == b"1"


async def test_a_file_is_never_deleted_under_a_message_that_begins_to_name_it(desk: Desk, other: Desk, clock: FakeClock) -> None:
    thread = await desk.threads.open()
    for turn in range(10):
        file = (await desk.files.add(f"{turn}".encode())).id
        await pass_time(desk, clock, seconds=DAY)
        saved, deleted = await asyncio.gather(
            desk.messages.save(thread.id, [showing(file)]), other.files.delete(file), return_exceptions=True
        )
        if deleted == [file]:
            assert isinstance(saved, NotFound)
        else:
            assert (deleted, await uses(desk, file)) == ([], 1)


async def test_a_thread_takes_the_files_with_it_that_nothing_else_names(desk: Desk) -> None:
    alone, shared = (await desk.files.add(b"passport", filename="p.png")).id, (await desk.files.add(b"price list")).id
    first, second = await desk.threads.open(customer="ada"), await desk.threads.open(customer="ben")
    await desk.messages.save(first.id, [showing(alone, shared), showing(alone)])
    await desk.messages.save(second.id, [showing(shared)])
    await desk.customers.delete("ada")
    with pytest.raises(NotFound):
        await desk.files.get(alone)
    assert await uses(desk, shared) == 1
    await desk.run_due()
    assert await desk.files.find(digest(b"passport"), filename="p.png") is None
    assert await desk.files.content(shared) == b"price list"


async def test_p8_customers_get_the_files_of_their_own_public_messages_only(desk: Desk) -> None:
    public, note, loose = [(await desk.files.add(content)).id for content in (b"1", b"2", b"3")]
    thread = await desk.threads.open(customer="ada")
    await desk.messages.save(thread.id, [showing(public), showing(note, visibility=Visibility.NOTE)])
    assert await desk.files.content(public, by=ADA) == b"1"
    for file, who in ((note, ADA), (loose, ADA), (public, BEN), ("file_none", ADA)):
        with pytest.raises(NotFound):
            await desk.files.content(file, by=who)


async def test_a_content_that_a_program_keeps_is_known_by_its_place(desk: Desk) -> None:
    file = await desk.files.refer("sha1:abc", "s3://bucket/abc", filename="../../etc/passwd")
    assert (file.storage, file.filename) == ("s3://bucket/abc", "passwd")
    assert (await desk.files.refer("sha1:abc", "s3://bucket/elsewhere", filename="passwd")).storage == "s3://bucket/abc"
    with pytest.raises(NotFound) as refused:
        await desk.files.content(file.id)
    assert refused.value.facts == {"storage": "s3://bucket/abc"}


async def test_hostile_names_and_sizes_are_refused(desk: Desk) -> None:
    with pytest.raises(TooLarge):
        await desk.files.add(bytes(LARGEST + 1))
    for name in ("a" * 256, "a\x00b", "\ud800"):
        with pytest.raises(Invalid):
            await desk.files.add(b"x", filename=name)
    for hash, storage in (("", "x"), ("x", ""), ("x\x00", "x"), ("x", "y" * 1001)):
        with pytest.raises(Invalid):
            await desk.files.refer(hash, storage)
    assert await desk.files.find("x\x00'; DROP TABLE files") is None


class Folder:
    """A place for contents that is not the store."""

    scheme = "folder"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def remove(self, key: str) -> None:
        self.kept.pop(key, None)


async def test_contents_can_be_kept_elsewhere_and_are_removed_there_also_after_a_crash(store_url: str, clock: FakeClock) -> None:
    folder = Folder()
    desk = Desk(store_url, clock=clock, contents=folder)
    file = await desk.files.add(b"there")
    assert list(folder.kept.values()) == [b"there"]

    class Crash(Exception): ...

    async def crash(key: str, content: bytes) -> None:
        folder.kept[key] = content
        raise Crash

    folder.put = crash
    with pytest.raises(Crash):
        await desk.files.add(b"lost")
    assert len(folder.kept) == 2
    await pass_time(desk, clock, seconds=DAY)
    assert list(folder.kept.values()) == [b"there"]
    assert await desk.files.delete(file.id) == [file.id]
    await desk.run_due()
    assert folder.kept == {}
    await desk.close()
