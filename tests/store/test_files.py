"""Files on both engines: one content under one name is one file, messages keep it, and what nobody names can go."""

import asyncio
from pathlib import Path

import pytest

from deskmate import Desk, Settings
from deskmate.domain.actors import Author, AuthorKind, customer, service
from deskmate.domain.files import LARGEST, digest
from deskmate.domain.messages import File, NewMessage, Part, Text, Visibility
from deskmate.errors import Forbidden, Invalid, KeyReused, Misconfigured, NotFound, TooLarge, Unavailable
from deskmate.store.fsspec_contents import FsspecContents
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


async def test_what_somebody_gives_to_a_thread_is_theirs_until_they_say_it(desk: Desk) -> None:
    ana, bo = [await desk.operators.add(name=name, email=f"{name}@shop.example") for name in ("Ana", "Bo")]
    thread, other = await desk.threads.open(customer="ada"), await desk.threads.open(customer="ada")
    hers = await desk.files.upload(thread.id, b"bill", filename="bill.pdf", media_type="application/pdf", by=ADA)
    again = await desk.files.upload(thread.id, b"bill", filename="bill.pdf", by=ADA)
    elsewhere = await desk.files.upload(other.id, b"bill", filename="bill.pdf", by=ADA)
    anas = await desk.files.upload(thread.id, b"bill", filename="bill.pdf", by=ana)
    assert again == hers
    assert len({hers.id, elsewhere.id, anas.id, (await desk.files.add(b"bill", filename="bill.pdf")).id}) == 4
    assert await desk.files.content(hers.id, by=ADA) == b"bill"
    assert await desk.files.content(anas.id, by=ana.actor()) == b"bill"
    for file, who in ((hers, BEN), (anas, ADA), (anas, bo.actor()), (hers, bo.actor())):
        with pytest.raises(NotFound):
            await desk.files.content(file.id, by=who)
    for file in (anas.id, elsewhere.id, "file_none", "a\x00b"):
        with pytest.raises(NotFound) as refused:
            await desk.messages.post(thread.id, "Here", author=ADA, files=[hers.id, file], respond=False)
        assert refused.value.field == "files"
    assert not (await desk.messages.page(thread.id)).items
    with pytest.raises(Invalid):
        await desk.messages.post(thread.id, " ", author=ADA, respond=False)
    said = await desk.messages.post(thread.id, " ", author=ADA, files=[hers.id, hers.id], respond=False)
    assert said.parts == (File(file=hers.id, media_type="application/pdf", filename="bill.pdf"),)
    assert await desk.files.content(hers.id, by=bo.actor()) == b"bill"
    listed = await desk.threads.get(thread.id)
    assert (listed.subject, listed.preview and listed.preview.text) == ("bill.pdf", "bill.pdf")


async def test_an_idempotency_key_knows_the_files_of_its_message(desk: Desk) -> None:
    thread = await desk.threads.open(customer="ada")
    files = [(await desk.files.upload(thread.id, content, by=ADA)).id for content in (b"1", b"2")]
    first = await desk.messages.post(thread.id, "Here", author=ADA, files=files[:1], respond=False, idempotency_key="k")
    assert await desk.messages.post(thread.id, "Here", author=ADA, files=files[:1], respond=False, idempotency_key="k") == first
    for others in ([], files):
        with pytest.raises(KeyReused):
            await desk.messages.post(thread.id, "Here", author=ADA, files=others, respond=False, idempotency_key="k")


async def test_what_nobody_said_goes_by_itself_after_a_day_and_at_once_with_its_thread(desk: Desk, clock: FakeClock) -> None:
    thread = await desk.threads.open(customer="ada")
    said, unsaid = [await desk.files.upload(thread.id, content, by=ADA) for content in (b"said", b"unsaid")]
    message = await desk.messages.post(thread.id, "", author=ADA, files=[said.id], respond=False)
    await pass_time(desk, clock, seconds=DAY - 1)
    late = await desk.files.upload(thread.id, b"unsaid", by=ADA)  # again: a day more
    assert late.id == unsaid.id
    await pass_time(desk, clock, seconds=DAY - 1)
    assert await desk.files.content(unsaid.id, by=ADA) == b"unsaid"
    await pass_time(desk, clock, seconds=1)
    with pytest.raises(NotFound):
        await desk.files.get(unsaid.id, by=ADA)
    assert await desk.files.content(said.id, by=ADA) == b"said"
    await desk.messages.delete(message.id)
    await pass_time(desk, clock, seconds=DAY)
    with pytest.raises(NotFound):
        await desk.files.get(said.id)
    left = await desk.files.upload(thread.id, b"left", by=ADA)
    await desk.customers.delete("ada")
    with pytest.raises(NotFound):
        await desk.files.get(left.id)


async def test_only_who_may_speak_on_a_thread_gives_it_files(desk: Desk) -> None:
    observer = await desk.operators.add(name="Obi", email="obi@shop.example", role="observer")
    thread = await desk.threads.open(customer="ada")
    with pytest.raises(NotFound):
        await desk.files.upload(thread.id, b"x", by=BEN)
    with pytest.raises(NotFound):
        await desk.files.upload("th_none", b"x", by=ADA)
    with pytest.raises(Forbidden):
        await desk.files.upload(thread.id, b"x", by=observer)
    site = service("site", role=None, scopes=frozenset({"messages:customer"}))
    file = await desk.files.upload(thread.id, b"x", by=site)
    said = await desk.messages.post(thread.id, "", author=site, as_customer=True, files=[file.id], respond=False)
    assert (said.author.id, await desk.files.content(file.id, by=ADA)) == ("ada", b"x")


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


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a place that is not the store."""
    return f"memory://{tmp_path.name}" if request.param == "memory" else f"file://{tmp_path / 'deep' / 'files'}"


async def test_a_setting_keeps_new_contents_elsewhere_and_old_ones_stay_where_they_are(
    store_url: str, clock: FakeClock, place: str
) -> None:
    before = Desk(store_url, clock=clock)
    old = await before.files.add(b"old")
    await before.close()
    desk = Desk(clock=clock, settings=Settings(store=store_url, files=place))
    new = await desk.files.add(b"new", filename="../../new")
    assert (old.storage.partition(":")[0], new.storage) == ("database", f"fsspec+{place.partition(':')[0]}:{new.id}")
    assert [await desk.files.content(file.id) for file in (old, new)] == [b"old", b"new"]
    contents = FsspecContents(place)
    assert await contents.get(new.storage) == b"new"
    assert await contents.get(f"{contents.scheme}:../{new.id}") is None
    assert await desk.files.delete(old.id, new.id, force=True) == sorted([old.id, new.id])
    await desk.run_due()
    assert await contents.get(new.storage) is None
    await contents.remove(new.storage)
    await desk.close()


async def test_a_place_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    for url in ("nowhere://x", "folder", "s3://"):
        with pytest.raises(Misconfigured) as refused:
            Desk(settings=Settings(store="sqlite://", files=url))
        assert refused.value.field == "DESKMATE_FILES"
    (tmp_path / "file").write_bytes(b"no folder")
    contents = FsspecContents(f"file://{tmp_path / 'file'}")
    with pytest.raises(Unavailable):
        await contents.put(f"{contents.scheme}:file_1", b"x")
