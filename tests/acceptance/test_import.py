"""`deskmate import`: recorded conversations become threads, each once, whole, and readable in the inbox."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.acceptance.doors import Front, Json, Person, soon

from deskmate import Desk, Text, ToolCall, ToolResult, customer
from deskmate.domain.actors import SYSTEM
from deskmate.testing import ScriptedAgent

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "traces" / "tau_airline_sample.jsonl"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


async def start(*arguments: str, stdin: int | None = None) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deskmate", *arguments, env=env, stdin=stdin, stdout=pipe, stderr=pipe
    )


async def deskmate(*arguments: str) -> Done:
    """Run a command to its end."""
    process = await start(*arguments)
    out, err = await soon(process.communicate(), 60)
    assert b"Traceback" not in err, err.decode()
    return Done(process.returncode or 0, out.decode(), err.decode())


def call(id: str, tool: str, **arguments: object) -> Json:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id, "type": "function", "function": function}]}


def result(id: str, tool: str, content: str) -> Json:
    return {"role": "tool", "tool_call_id": id, "name": tool, "content": content}


TENT: Json = {
    "id": "tent",
    "user": {"id": "ada", "name": "Ada"},
    "messages": [
        {"role": "system", "content": "You work for a shop of tents. Never give discounts."},
        {"role": "user", "content": "Where is my tent?"},
        call("c1", "find_order", number=17),
        result("c1", "find_order", '{"state": "shipped"}'),
        {"role": "assistant", "content": "It is on its way."},
        {"role": "user", "content": "I want a person."},
        call("c2", "transfer_to_human_agents", summary="Ada wants a person."),
        result("c2", "transfer_to_human_agents", "Transfer successful"),
    ],
}
STOVE: Json = {
    "id": "stove",
    "user": {"id": "ben"},
    "messages": [{"role": "user", "content": "Which gas?"}, {"role": "assistant", "content": "Any screw cartridge."}],
}


def write(path: Path, records: Iterable[object]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return write(tmp_path / "recorded.jsonl", [TENT, STOVE])


async def imported_threads(reader: Person) -> dict[str, Json]:
    """All threads that came from elsewhere, by the id of their conversation."""
    found: dict[str, Json] = {}
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await reader.get("/api/threads", status="all", limit=200, **more)
        for thread in page["items"]:
            assert thread["metadata"]["import"]["id"] not in found
            found[thread["metadata"]["import"]["id"]] = thread
        cursor = page["cursor"]
        if cursor is None:
            return found


async def told(reader: Person, thread: str) -> list[Json]:
    """All messages of a thread in their order, as chat completions again."""
    items: list[Json] = []
    cursor: str | None = None
    while True:
        more = {"before": cursor} if cursor else {}
        page = await reader.get(f"/api/threads/{thread}/messages", limit=100, **more)
        items = page["items"] + items
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [(m["order"], m["step"]) for m in items] == sorted((m["order"], m["step"]) for m in items)
    return [as_completion(message) for message in items]


def as_completion(message: Json) -> Json:
    texts = [part["text"] for part in message["parts"] if part["type"] == "text"]
    calls = [part for part in message["parts"] if part["type"] == "tool_call"]
    results = [part for part in message["parts"] if part["type"] == "tool_result"]
    if results:
        [one] = results
        return {"role": message["role"], "id": one["call_id"], "name": one["tool"], "content": one["output"]}
    return {
        "role": message["role"],
        "content": "".join(texts) or None,
        "calls": [(part["call_id"], part["tool"], part["input"]) for part in calls],
    }


def as_recorded(message: Json) -> Json:
    """What of a recorded message must come out again."""
    if message["role"] == "tool":
        return {"role": "tool", "id": message["tool_call_id"], "name": message["name"], "content": message["content"]}
    calls = [
        (one["id"], one["function"]["name"], json.loads(one["function"]["arguments"])) for one in message.get("tool_calls") or []
    ]
    return {"role": message["role"], "content": message["content"], "calls": calls}


async def same(reader: Person, records: Iterable[Json]) -> None:
    """Every conversation is a thread with the same messages in the same order, and there is no other thread."""
    threads = await imported_threads(reader)
    expected = {record["id"]: record["messages"] for record in records}
    assert threads.keys() == expected.keys()
    for id, messages in expected.items():
        assert await told(reader, threads[id]["id"]) == [as_recorded(message) for message in messages], id


async def test_every_conversation_of_the_sample_comes_in_whole_and_once(front: Front, store_url: str) -> None:
    if not SAMPLE.exists():
        pytest.skip("the sample of recorded conversations is not beside this checkout")
    records = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    first = await deskmate("import", str(SAMPLE), "--store", store_url, "--source", "tau")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("20 imported, 0 skipped, 0 refused; 600 new messages")
    await same(front.admin, records)
    again = await deskmate("import", str(SAMPLE), "--store", store_url, "--source", "tau")
    assert again.out.startswith("0 imported, 20 skipped, 0 refused; 0 new messages")
    await same(front.admin, records)
    escalated = {record["id"] for record in records if record["transferred"]}
    threads = await imported_threads(front.admin)
    for id, thread in threads.items():
        requests = (await front.admin.get(f"/api/threads/{thread['id']}/requests"))["items"]
        assert [one["state"] for one in requests] == (["applied"] if id in escalated else [])


async def test_an_imported_thread_reads_well_in_the_inbox(front: Front, store_url: str, recorded: Path, ana: Person) -> None:
    done = await deskmate("import", str(recorded), "--store", store_url, "--source", "old desk", "--customer-field", "user")
    assert done.code == 0
    page = await ana.get("/api/threads", status="resolved")
    assert [(thread["subject"], thread["customer_name"]) for thread in page["items"]] == [
        ("Which gas?", "ben"), ("Where is my tent?", "Ada"),
    ]  # fmt: skip
    tent = page["items"][1]
    assert tent["metadata"] == {"import": {"source": "old desk", "id": "tent"}}
    assert (tent["assignment"]["to"], tent["waiting_since"], tent["requests"]) == ("ai", None, [])
    assert tent["preview"]["text"] == "I want a person."
    messages = await ana.messages(tent["id"])
    assert [(one["order"], one["step"], one["role"], one["author"]["kind"]) for one in messages] == [
        (0, 0, "system", "service"), (1, 0, "user", "customer"), (1, 1, "assistant", "agent"), (1, 2, "tool", "agent"),
        (1, 3, "assistant", "agent"), (2, 0, "user", "customer"), (2, 1, "assistant", "agent"), (2, 2, "tool", "agent"),
    ]  # fmt: skip


async def test_a_call_for_a_person_is_an_escalation_that_is_over(
    front: Front, store_url: str, recorded: Path, ana: Person
) -> None:
    await deskmate("import", str(recorded), "--store", store_url)
    tent = (await imported_threads(ana))["tent"]["id"]
    messages = await ana.messages(tent)
    [request] = (await ana.get(f"/api/threads/{tent}/requests"))["items"]
    assert (request["kind"], request["state"], request["reason"]) == ("escalation", "applied", "Ada wants a person.")
    assert (request["tool"], request["args"]) == ("transfer_to_human_agents", {"summary": "Ada wants a person."})
    assert (request["call_id"], request["call_message"], request["outcome"]) == ("c2", messages[6]["id"], messages[7]["id"])
    assert (request["decision"]["kind"], request["decision"]["value"]) == ("answer", "Transfer successful")
    assert request["decision"]["by"] == {"id": "import", "name": "Import"}
    assert request["expires_at"] is None
    assert (await ana.get("/api/requests"))["items"] == []


async def test_the_tools_that_call_a_person_can_be_named(front: Front, store_url: str, recorded: Path, ana: Person) -> None:
    await deskmate("import", str(recorded), "--store", store_url, "--escalate-tool", "find_order", "--escalate-tool", "other")
    tent = (await imported_threads(ana))["tent"]["id"]
    [request] = (await ana.get(f"/api/threads/{tent}/requests"))["items"]
    assert (request["call_id"], request["reason"], request["decision"]["value"]) == ("c1", None, '{"state": "shipped"}')


async def test_nobody_is_set_to_work_by_an_import(front: Front, desk: Desk, agent: ScriptedAgent, recorded: Path) -> None:
    await deskmate("import", str(recorded), "--store", desk.settings.store, "--open")
    async with front.admin.listening(after=0) as listener:
        await listener.until(lambda event: event.type == "message.posted", count=10)
        await front.admin.post("/api/threads")
        await listener.type("thread.opened", count=3)
    types = {event.type for event in listener.heard if event.type != ":"}
    assert types == {"thread.opened", "message.posted", "request.applied"}
    assert agent.turns == []
    assert {thread["status"] for thread in (await front.admin.get("/api/threads"))["items"]} == {"open"}


@pytest.mark.usefixtures("front")
async def test_p8_the_customer_reads_the_words_and_never_the_instructions(desk: Desk, recorded: Path) -> None:
    await deskmate("import", str(recorded), "--store", desk.settings.store, "--customer-field", "user")
    ada = customer("ada")
    [thread] = (await desk.threads.of_customer(by=ada)).items
    seen = (await desk.messages.history(thread.id, by=ada)).items
    assert [message.text for message in seen] == ["Where is my tent?", "It is on its way.", "I want a person."]
    assert {type(part) for message in seen for part in message.parts} == {Text}


@pytest.mark.usefixtures("front")
async def test_p6_the_model_is_given_an_imported_history_whole(desk: Desk, recorded: Path, tmp_path: Path) -> None:
    loose = {"id": "loose", "messages": [
        {"role": "user", "content": "Hello?"}, call("x", "find_order"), {"role": "assistant", "content": "Sorry."},
        result("nothing", "find_order", "of no call"),
    ]}  # fmt: skip
    write(recorded, [TENT, loose])
    await deskmate("import", str(recorded), "--store", desk.settings.store)
    threads = {str(thread.subject): thread.id for thread in (await desk.threads.page()).items}
    whole = await desk.messages.context(threads["Where is my tent?"], recent=1000)
    assert [(message.role, [type(part) for part in message.parts]) for message in whole] == [
        ("system", [Text]), ("user", [Text]), ("assistant", [ToolCall]), ("tool", [ToolResult]), ("assistant", [Text]),
        ("user", [Text]), ("assistant", [ToolCall]), ("tool", [ToolResult]),
    ]  # fmt: skip
    mended = await desk.messages.context(threads["Hello?"], recent=1000)
    assert [(message.role, [type(part) for part in message.parts]) for message in mended] == [
        ("user", [Text]), ("assistant", [Text]),
    ]  # fmt: skip


async def test_a_customer_who_comes_back_is_answered_with_the_history(
    front: Front, desk: Desk, agent: ScriptedAgent, recorded: Path
) -> None:
    await deskmate("import", str(recorded), "--store", desk.settings.store, "--customer-field", "user")
    threads = await imported_threads(front.admin)
    await desk.messages.post(threads["stove"]["id"], "And in winter?", author=customer("ben"))
    turn = await soon(agent.given(1))
    assert [message.role for message in turn.history] == ["user", "assistant", "user"]
    assert (await front.admin.get(f"/api/threads/{threads['stove']['id']}"))["status"] == "open"


async def test_what_is_refused_is_named_by_line_and_holds_up_nothing(front: Front, store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    bad = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "human"}]}'
    file.write_text("\n".join(["\ufeff" + json.dumps(TENT), "", "{not json", bad, json.dumps(STOVE)]), "utf-8")
    done = await deskmate("import", str(file), "--store", store_url)
    assert done.code == 1
    assert done.out.startswith("2 imported, 0 skipped, 2 refused; 10 new messages")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["line 3", "line 4"]
    assert "messages[1].role" in done.err
    await same(front.admin, [TENT, STOVE])


async def test_strict_stops_at_the_first_that_is_refused(front: Front, store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join([json.dumps(TENT), "{not json", json.dumps(STOVE)]))
    done = await deskmate("import", str(file), "--store", store_url, "--strict")
    assert (done.code, done.out.partition(";")[0]) == (1, "1 imported, 0 skipped, 1 refused")
    await same(front.admin, [TENT])


async def test_the_same_id_with_other_messages_is_another_conversation(front: Front, store_url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "grown.jsonl", [STOVE, STOVE | {"messages": [*STOVE["messages"], {"role": "user", "content": "Ok"}]}])
    done = await deskmate("import", str(file), "--store", store_url)
    assert done.code == 1
    assert "line 2: conversation stove of import was imported with other messages" in done.err
    await same(front.admin, [STOVE])
    other = await deskmate("import", str(file), "--store", store_url, "--source", "later", "--strict")
    assert other.out.startswith("1 imported, 0 skipped, 1 refused")


@pytest.mark.usefixtures("front")
async def test_a_conversation_without_an_id_is_known_by_its_content(desk: Desk, tmp_path: Path) -> None:
    nameless = {"messages": STOVE["messages"]}
    first = await deskmate("import", str(write(tmp_path / "a.jsonl", [nameless])), "--store", desk.settings.store)
    moved = write(tmp_path / "b.jsonl", [STOVE["messages"], {"traj": STOVE["messages"]}])
    again = await deskmate("import", str(moved), "--store", desk.settings.store)
    assert (first.out[:10], again.out[:23]) == ("1 imported", "0 imported, 2 skipped, ")


async def test_times_of_the_recording_are_kept(front: Front, store_url: str, tmp_path: Path) -> None:
    dated = {"id": "old", "messages": [
        {"role": "user", "content": "Hi", "created_at": "2020-02-01T10:00:00Z"},
        {"role": "assistant", "content": "Hello", "timestamp": 1580551260},
        call("c", "transfer_to_human_agents") | {"timestamp": 1580551320}, result("c", "transfer_to_human_agents", "ok"),
    ]}  # fmt: skip
    await deskmate("import", str(write(tmp_path / "old.jsonl", [dated])), "--store", store_url)
    thread = (await imported_threads(front.admin))["old"]
    assert thread["created_at"] == "2020-02-01T10:00:00.000Z"
    assert thread["preview"]["at"] == "2020-02-01T10:01:00.000Z"
    moments = [message["created_at"] for message in await front.admin.messages(thread["id"])]
    assert moments == [f"2020-02-01T10:0{minute}:00.000Z" for minute in (0, 1, 2, 2)]
    [request] = (await front.admin.get(f"/api/threads/{thread['id']}/requests"))["items"]
    assert request["created_at"] == request["decision"]["at"] == "2020-02-01T10:02:00.000Z"


async def test_an_import_that_was_killed_goes_on_where_it_was(front: Front, desk: Desk, tmp_path: Path) -> None:
    records = [TENT | {"id": f"tent {number}"} for number in range(60)]
    file = write(tmp_path / "many.jsonl", records)
    process = await start("import", "-", "--store", desk.settings.store, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"".join(file.read_bytes().splitlines(keepends=True)[:40]))
    opened = 0
    async for seen in desk.feed.follow(by=SYSTEM, after=0):
        opened += getattr(getattr(seen, "event", None), "type", None) == "thread.opened"
        if opened == 7:
            break
    process.kill()
    await soon(process.communicate())
    there = len(await imported_threads(front.admin))
    assert 7 <= there <= 40
    done = await deskmate("import", str(file), "--store", desk.settings.store)
    assert done.out.startswith(f"{60 - there} imported, {there} skipped, 0 refused")
    await same(front.admin, records)


async def test_an_import_that_waits_for_its_input_tells_what_came_and_ends_with_ctrl_c(front: Front, desk: Desk) -> None:
    process = await start("import", "-", "--store", desk.settings.store, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    async with front.admin.listening(after=0) as listener:
        for count in range(1, 6):
            process.stdin.write(json.dumps({**TENT, "id": f"tent {count}"}).encode() + b"\n")
            await listener.type("request.applied", count=count)
    process.send_signal(signal.SIGINT)
    _, err = await soon(process.communicate())
    assert (process.returncode, err) == (130, b"")
    await same(front.admin, [{**TENT, "id": f"tent {count}"} for count in range(1, 6)])


@pytest.mark.parametrize(("arguments", "says"), [
    (["nowhere.jsonl"], "nowhere.jsonl cannot be read"), (["-", "--source", ""], "--source: a source has a name"),
    (["-", "--store", "mysql://x"], "--store"), (["-", "--store", " "], "is empty"), ([], "Missing argument 'FILE'"),
    (["-", "--colour"], "No such option"),
])  # fmt: skip
async def test_a_wrong_call_of_import_is_refused_in_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    store = [] if "--store" in arguments else ["--store", f"sqlite:///{tmp_path / 'x.db'}"]
    done = await deskmate("import", *arguments, *store)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
