"""A conversation to keep: who said what, when, and who is an AI; each reader is given what they may see."""

import re

import pytest
from tests.acceptance.doors import Front, Person, done, refused

from deskmate import Desk, NewMessage, Text, ToolCall, ToolResult
from deskmate.domain.actors import agent as an_agent
from deskmate.testing import ScriptedAgent, echo


async def transcript(who: Person, thread: str, format: str | None = None) -> str:
    params = {} if format is None else {"format": format}
    response = await who.client.get(f"/api/threads/{thread}/transcript", params=params)
    assert response.is_success, response.text
    return response.text


def untimed(text: str) -> str:
    """The text with T in the place of each time; a time without its zone stays and fails the test."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "T", text)


@pytest.fixture
async def thread(agent: ScriptedAgent, ada: Person, ana: Person) -> str:
    """The AI has answered, and Ana has written a note and a reply."""
    agent.script = echo
    thread = await ada.thread(subject="Tents")
    async with ada.listening() as heard:
        await ada.say(thread, "Is the *big* tent\nwaterproof?")
        await heard.until(lambda e: e.type == "message.posted" and e.message["author"]["kind"] == "agent")
    await ana.say(thread, "A regular customer", visibility="note")
    await ana.say(thread, "Yes, it is.")
    return thread


async def test_a_customer_keeps_what_was_said_to_them(ada: Person, thread: str):
    customer = f"Tents\n\nThread {thread}, customer {ada.id}, opened T"
    assert untimed(await transcript(ada, thread)) == (
        f"{customer}\n\n"
        "T  (customer)\n    Is the *big* tent\n    waterproof?\n\n"
        "T  scripted (AI)\n    You said: Is the *big* tent\n    waterproof?\n\n"
        "T  Ana (operator)\n    Yes, it is.\n"
    )


async def test_p8_a_transcript_holds_notes_drafts_and_tools_for_the_team_only(desk: Desk, ada: Person, ana: Person, thread: str):
    bot = an_agent("bot").author
    call = ToolCall(call_id="c1", tool="find_order", input={"number": 20817})
    result = ToolResult(call_id="c1", tool="find_order", output="SECRET stock")
    await desk.messages.save(
        thread,
        [
            NewMessage(role="assistant", author=bot, parts=(Text(text="Let me look"), call)),
            NewMessage(role="tool", author=bot, parts=(result,)),
        ],
    )
    await ana.patch(f"/api/threads/{thread}", tags=["SECRET"], summary="SECRET")
    theirs = untimed(await transcript(ana, thread))
    assert "T  Ana (operator), note\n    A regular customer" in theirs
    assert '    Let me look\n    [calls find_order: {"number": 20817}]' in theirs
    assert '    [find_order gave: "SECRET stock"]' in theirs
    for format in ("text", "markdown", "json"):
        hers = await transcript(ada, thread, format)
        assert "Let me look" in hers
        assert not re.search("SECRET|regular|find_order|note", hers)


async def test_nobody_can_write_a_line_that_looks_like_somebody_else(ada: Person, ana: Person):
    thread = await ada.thread(subject="Hello\n\n2026-01-05 09:00:00 UTC  Ana (operator)")
    forged = "Hello\n\n2026-01-05 09:00:00 UTC  Ana (operator)\u2028    You get 100 back\r**Ana (operator)** · now\n\n# Ana"
    await ada.say(thread, forged + "\n<script>x</script> ![](https://evil.example/track)", respond=False)
    text, markdown = await transcript(ana, thread), await transcript(ana, thread, "markdown")
    assert [line for line in text.splitlines()[2:] if line and not line.startswith(("    ", "Thread "))] == [
        line for line in text.splitlines() if line.endswith("UTC  (customer)")
    ]
    for line in markdown.splitlines():
        assert line == "" or line.startswith(("# Hello 2026", "Thread ", "**(customer)**", ">"))
    assert "<script" not in markdown.replace(r"\<script", "")
    assert "![" not in markdown


async def test_it_is_a_download_of_the_kind_that_was_asked_for(front: Front, ada: Person, ana: Person, thread: str):
    for format, media, ending in (
        (None, "text/plain; charset=utf-8", "txt"),
        ("text", "text/plain; charset=utf-8", "txt"),
        ("markdown", "text/markdown; charset=utf-8", "md"),
        ("json", "application/json", "json"),
    ):
        response = await ana.client.get(f"/api/threads/{thread}/transcript", params={"format": format} if format else {})
        assert response.headers["content-type"] == media
        assert response.headers["content-disposition"] == f'attachment; filename="transcript-{thread}.{ending}"'
    record = done(await ada.client.get(f"/api/threads/{thread}/transcript", params={"format": "json"}))
    now = await ada.get(f"/api/threads/{thread}")
    # The work on it may be counted meanwhile, which touches the thread.
    assert record["thread"] | {"updated_at": now["updated_at"]} == now
    assert record["messages"] == await ada.messages(thread)
    markdown = untimed(await transcript(ada, thread, "markdown"))
    escaped = thread.replace("_", r"\_")
    assert markdown.startswith(f"# Tents\n\nThread {escaped}, ")
    assert "**Ana (operator)** · T\n\n> Yes, it is.\n" in markdown
    assert "**scripted (AI)** · T\n\n> You said: Is the *big* tent\n> waterproof?\n" in markdown
    refused(await ana.client.get(f"/api/threads/{thread}/transcript", params={"format": "pdf"}), 422, "invalid")
    bob = await front.visitor()
    refused(await bob.client.get(f"/api/threads/{thread}/transcript"), 404, "not_found")


async def test_a_long_conversation_is_kept_whole(desk: Desk, ana: Person, ada: Person):
    thread = await ada.thread()
    for begin in (0, 600):
        said = [
            NewMessage(role="user", author=an_agent("bot").author, parts=(Text(text=f"word {number}"),))
            for number in range(begin, begin + 600)
        ]
        await desk.messages.save(thread, said)
    text = await transcript(ana, thread)
    assert re.findall(r"^    word (\d+)$", text, re.MULTILINE) == [str(number) for number in range(1200)]
