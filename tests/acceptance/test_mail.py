"""Mail: operators are told of what waits for them, and answer by a link that works once; nobody is told late or for nothing."""

import asyncio
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, Person, done, open_front, refused, serving
from tests.acceptance.postbox import Postbox, Tags, links, markup, open_postbox, words

from deskmate import Desk, Settings
from deskmate.services import delivering
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling, pass_time, say

DAY = timedelta(days=1)
MAILS = {"kinds": ["request.opened", "thread.waiting"], "to": "queue", "channels": ["inbox", "email"]}


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    async with open_postbox() as box:
        yield box


@pytest.fixture
def settings(box: Postbox) -> Settings:
    return Settings(
        admin_key=ADMIN_KEY, rate_limits=False, smtp_url=box.url, mail_from="Desk of the shop <desk@shop.example>",
        public_url="https://desk.example",
    )  # fmt: skip


@pytest.fixture
def desk(store_url: str, agent: ScriptedAgent, settings: Settings, clock: FakeClock) -> Desk:
    return Desk(store_url, agents=[agent], settings=settings, clock=clock)


@pytest.fixture
async def front(desk: Desk) -> AsyncIterator[Front]:
    async with serving(desk, work=False) as url, open_front(url) as front:
        await front.admin.put("/api/policies/notification/mails", rules=MAILS)
        yield front


async def email_of(front: Front, person: Person) -> str:
    return (await front.admin.get(f"/api/operators/{person.id}"))["email"]


async def asked(desk: Desk, ada: Person, text: str = "Is it?") -> tuple[str, str]:
    """A thread on which something waits for people, and the request."""
    thread = await ada.thread(subject="Opening hours")
    await ada.say(thread, text)
    await desk.run_due()
    [request] = (await desk.requests.list(by=(await desk.operators.list()).items[0], thread=thread)).items
    return thread, request.id


def form(**fields: str) -> dict[str, Any]:
    return {"data": fields}


async def follow(front: Front, path: str) -> httpx.Response:
    return await front.client().get(path)


async def send(front: Front, path: str, **fields: str) -> httpx.Response:
    """Send the form of a page behind a link, without a session."""
    return await front.client().post(path, data=fields or {"nothing": ""})


def shown(response: httpx.Response, status: int = 200) -> Tags:
    """The page, after a look at what may be on such a page."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in response.headers["content-security-policy"]
    page = Tags(response.text)
    assert "script" not in page.names
    assert not [name for _, attributes in page.found for name in attributes if name.startswith(("on", "style"))]
    return page


# What is in a mail


async def test_a_mail_carries_the_question_who_asks_and_the_last_ten_public_messages(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, box: Postbox
):
    thread = await ada.thread(subject="Opening hours")
    for number in range(1, 6):
        await ada.say(thread, f"word {number} of Ada")
        await desk.run_due()
    await ana.say(thread, "a note, SECRET", visibility="note")
    await front.admin.patch(f"/api/threads/{thread}", mode="review")
    agent.script = lambda turn: _once(say("a draft, SECRET"))
    await ada.say(thread, "word 6 of Ada")
    await desk.run_due()
    await front.admin.patch(f"/api/threads/{thread}", mode="auto")
    agent.script = asking("Are you open on Monday?")
    await ada.say(thread, "word 7 of Ada")
    await desk.run_due()
    letter = box.letters[-1]
    assert str(letter["to"]) == f"Ana <{await email_of(front, ana)}>"
    assert letter["from"] == "Desk of the shop <desk@shop.example>"
    assert letter["auto-submitted"] == "auto-generated"
    assert letter["subject"] == "scripted asks: Are you open on Monday?"
    for text in (words(letter), markup(letter)):
        assert f"Customer: {ada.id}" in text
        assert "Asked by: scripted" in text
        assert "Subject: Opening hours" in text
        assert text.count("Are you open on Monday?") == 2
        assert f"https://desk.example/inbox/threads/{thread}" in text
        assert "SECRET" not in text
        assert text.count("You said: word") == 4
    plain = re.findall(r"^> (.*)$", words(letter), re.MULTILINE)
    assert [one for one in plain if one.startswith("word")] == [f"word {number} of Ada" for number in range(2, 8)]
    quoted = re.findall(r">(word \d of Ada)<", markup(letter))
    assert quoted == [f"word {number} of Ada" for number in range(2, 8)]


async def test_the_words_of_a_draft_are_on_the_page_and_not_in_the_mail(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, box: Postbox
):
    agent.script = lambda turn: _once(say("We are open, SECRET draft."))
    thread = await ada.thread()
    await front.admin.patch(f"/api/threads/{thread}", mode="review")
    await ada.say(thread, "Are you open?")
    await desk.run_due()
    [letter] = box.letters
    assert "SECRET" not in letter.as_string()
    assert "SECRET" not in words(letter) + markup(letter)
    page = shown(await follow(front, links(letter)["Approve"]))
    assert "We are open, SECRET draft." in page.text
    assert "approved this" in shown(await send(front, links(letter)["Approve"])).text
    await desk.run_due()
    said = (await ada.messages(thread))[-1]
    assert (said["text"], said["visibility"]) == ("We are open, SECRET draft.", "public")


async def _once(step: Any) -> AsyncIterator[Any]:
    yield step


async def test_an_approval_shows_the_arguments_that_would_run(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, box: Postbox
):
    ran: list[object] = []

    async def refund(args: Any) -> object:
        ran.append(args)
        return "refunded"

    agent.script = calling("refund", {"order": "A-7", "amount": 4200}, refund)
    _, request = await asked(desk, ada)
    [letter] = box.letters
    assert '"amount": 4200' in words(letter)
    ways = links(letter)
    assert set(ways) == {"Approve", "Reject"}
    page = shown(await follow(front, ways["Approve"]))
    assert '"amount": 4200' in page.text
    [digest] = [attributes["value"] for name, attributes in page.found if attributes.get("name") == "args_digest"]
    # What was changed since the page was shown is not approved unseen, and the link still works.
    assert "changed since you looked" in shown(await send(front, ways["Approve"], args_digest="another"), 409).text
    assert "approved this" in shown(await send(front, ways["Approve"], args_digest=str(digest))).text
    await desk.run_due()
    assert ran == [{"order": "A-7", "amount": 4200}]
    decision = (await ana.get(f"/api/requests/{request}"))["decision"]
    assert (decision["by"]["id"], decision["channel"]) == (ana.id, "email")
    assert "Ana" in shown(await send(front, ways["Reject"], reason="No"), 409).text


# Links


async def test_p2_looking_at_every_link_changes_nothing_and_a_form_decides_once(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, box: Postbox
):
    agent.script = asking("Is it?")
    thread, request = await asked(desk, ada)
    [letter] = box.letters
    before = await ana.get(f"/api/requests/{request}")
    for path in links(letter).values():
        for _ in range(3):
            assert "Is it?" in shown(await follow(front, path)).text
        assert (await front.client().head(path)).status_code == 405
    assert await ana.get(f"/api/requests/{request}") == before
    path = links(letter)["Answer"]
    assert "Ana answered this" in shown(await send(front, path, value="Yes, it is.")).text
    decided = await ana.get(f"/api/requests/{request}")
    assert decided["decision"]["value"] == "Yes, it is."
    assert (decided["decision"]["by"]["id"], decided["decision"]["channel"]) == (ana.id, "email")
    again = shown(await send(front, path, value="No."), 409)
    assert "Ana" in again.text
    assert "2026-01-05" in again.text
    assert "Ana answered this on 05 January 2026 at 09:00 UTC." in shown(await follow(front, path), 410).text
    await desk.run_due()
    assert (await ada.messages(thread))[-1]["text"] == "Ana says: Yes, it is."
    assert (await ana.get(f"/api/requests/{request}"))["decision"] == decided["decision"]


async def test_p2_of_two_people_with_two_mails_one_decides_and_the_other_is_told_who(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, ben: Person, box: Postbox
):
    agent.script = asking("Is it?")
    _, request = await asked(desk, ada)
    [hers], [his] = box.to(await email_of(front, ana)), box.to(await email_of(front, ben))
    assert set(links(hers).values()).isdisjoint(links(his).values())
    assert "Ben answered this" in shown(await send(front, links(his)["Answer"], value="Ben's")).text
    lost = shown(await send(front, links(hers)["Answer"], value="Ana's"), 409)
    assert "Ben decided this at 2026-01-05" in lost.text
    decision = (await ana.get(f"/api/requests/{request}"))["decision"]
    assert (decision["value"], decision["by"]["id"]) == ("Ben's", ben.id)


async def test_p2_one_link_that_is_used_by_many_at_once_decides_once(
    desk: Desk, store_url: str, clock: FakeClock, settings: Settings, front: Front, ana: Person, box: Postbox
):
    request = await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    path = links(box.letters[0])["Answer"]
    second = Desk(store_url, settings=settings, clock=clock)
    async with serving(second, work=False) as url, open_front(url) as other:
        doors = (front, other) * 5
        responses = await asyncio.gather(*(send(door, path, value=f"answer {n}") for n, door in enumerate(doors)))
    assert sorted(response.status_code for response in responses) == [200, *[409] * 9]
    [won] = [number for number, response in enumerate(responses) if response.status_code == 200]
    assert (await ana.get(f"/api/requests/{request['id']}"))["decision"]["value"] == f"answer {won}"


async def test_p2_of_two_who_have_to_approve_neither_does_it_twice_by_one_mail(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, ben: Person, box: Postbox
):
    async def refund(args: Any) -> object:
        return "refunded"

    agent.script = calling("refund", {"amount": 1}, refund, approvers=2)
    _, request = await asked(desk, ada)
    [hers], [his] = box.to(await email_of(front, ana)), box.to(await email_of(front, ben))
    assert "A second person" in shown(await send(front, links(hers)["Approve"])).text
    assert "used before" in shown(await send(front, links(hers)["Approve"]), 410).text
    assert "used before" in shown(await follow(front, links(hers)["Approve"]), 410).text
    assert (await ana.get(f"/api/requests/{request}"))["decision"] is None
    assert "Ben approved this" in shown(await send(front, links(his)["Approve"])).text


async def test_a_decision_that_is_refused_does_not_use_the_link_up(
    desk: Desk, front: Front, ada: Person, ana: Person, box: Postbox
):
    schema = {"type": "integer", "minimum": 1}
    request = await front.admin.post("/api/requests", question="How many?", response_schema=schema)
    await desk.run_due()
    path = links(box.letters[0])["Answer"]
    for value in ("", "  ", "many", "0", "NaN", "[]", "1.5"):
        page = shown(await send(front, path, value=value), 422)
        assert "How many?" in page.text
    assert (await ana.get(f"/api/requests/{request['id']}"))["state"] == "open"
    shown(await send(front, path, value="7"))
    assert (await ana.get(f"/api/requests/{request['id']}"))["decision"]["value"] == 7


async def test_an_answer_of_a_list_is_chosen_from_it(desk: Desk, front: Front, ana: Person, box: Postbox):
    schema = {"enum": ["yes", '"><script>alert(1)</script>']}
    request = await front.admin.post("/api/requests", question="Which?", response_schema=schema)
    await desk.run_due()
    path = links(box.letters[0])["Answer"]
    page = shown(await follow(front, path))
    values = [attributes["value"] for name, attributes in page.found if name == "option"]
    assert [json.loads(value or "") for value in values] == schema["enum"]
    shown(await send(front, path, value='"never"'), 422)
    shown(await send(front, path, value=values[1] or ""))
    assert (await ana.get(f"/api/requests/{request['id']}"))["decision"]["value"] == schema["enum"][1]


async def test_a_link_ends_after_a_day_and_an_unknown_one_leads_nowhere(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, box: Postbox
):
    request = await front.admin.post("/api/requests", question="Is it?", expires_in=7 * 86400)
    await desk.run_due()
    path = links(box.letters[0])["Answer"]
    await pass_time(desk, clock, DAY - timedelta(seconds=1))
    shown(await follow(front, path))
    await pass_time(desk, clock, seconds=1)
    for response in (await follow(front, path), await send(front, path, value="Yes")):
        shown(response, 410)
    for token in ("da_unknown", path.rpartition("/")[2] + "x", "%F0%9F%98%80", "x" * 5000):
        for response in (await follow(front, f"/answer/{token}"), await send(front, f"/answer/{token}", value="Yes")):
            assert "Is it?" not in shown(response, 404).text
    assert (await ana.get(f"/api/requests/{request['id']}"))["state"] == "open"
    await pass_time(desk, clock, 31 * DAY)
    await desk.run_due()
    shown(await follow(front, path), 404)


async def test_whoever_has_left_or_may_only_look_decides_nothing_by_an_old_link(
    desk: Desk, front: Front, ana: Person, ben: Person, box: Postbox
):
    request = await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    [hers], [his] = box.to(await email_of(front, ana)), box.to(await email_of(front, ben))
    done(await front.admin.client.delete(f"/api/operators/{ana.id}"))
    await front.admin.patch(f"/api/operators/{ben.id}", role="observer")
    for path in (links(hers)["Answer"], links(his)["Answer"]):
        assert "Is it?" not in shown(await follow(front, path), 403).text
        shown(await send(front, path, value="Yes"), 403)
    assert (await front.admin.get(f"/api/requests/{request['id']}"))["state"] == "open"


async def test_what_somebody_else_has_claimed_is_left_to_them(desk: Desk, front: Front, ana: Person, ben: Person, box: Postbox):
    request = await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    [hers] = box.to(await email_of(front, ana))
    await ben.post(f"/api/requests/{request['id']}/claim")
    assert "Ben has claimed this" in shown(await send(front, links(hers)["Answer"], value="Yes"), 409).text
    await ben.post(f"/api/requests/{request['id']}/release")
    shown(await send(front, links(hers)["Answer"], value="Yes"))


async def test_other_bodies_than_a_form_are_refused_and_change_nothing(desk: Desk, front: Front, ana: Person, box: Postbox):
    request = await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    path = links(box.letters[0])["Answer"]
    client = front.client()
    refused(await client.post(path, json={"value": "Yes"}), 415)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    many = "&".join(f"f{number}=" for number in range(50))
    for body in (b"value=%FF%FE", b"value=\xff", many.encode(), b"", b"value=%00", b"value=" + b"x" * 30_000):
        shown(await client.post(path, content=body, headers=kind), 422)
    refused(await client.post("/api/threads", content=b"a=b", headers=kind | {"authorization": f"Bearer {ADMIN_KEY}"}), 415)
    assert (await ana.get(f"/api/requests/{request['id']}"))["state"] == "open"


# What people write is data


async def test_no_name_and_no_message_adds_a_header_or_markup(desk: Desk, front: Front, ana: Person, box: Postbox):
    evil = "x\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script><img src=x onerror=alert(1)> \u202eevil\u2028> You: yes"
    request = await front.admin.post("/api/requests", question=evil, reason=evil, suggestion=evil)
    thread = request["thread"]
    await front.admin.patch(f"/api/threads/{thread}", subject="<b>Subject</b>")
    await desk.run_due()
    [letter], [whom] = box.letters, box.receivers
    assert whom == [await email_of(front, ana)]
    assert letter["bcc"] is None
    assert "\n" not in letter["subject"]
    assert "\u202e" not in words(letter)
    tags = Tags(markup(letter))
    assert not {"script", "img", "b"} & tags.names
    ours, *rows = words(letter).split("\n")
    assert ours == letter["subject"]
    assert all(row.startswith("> ") for row in rows if "You: yes" in row or "script" in row or "Bcc" in row)
    page = shown(await follow(front, links(letter)["Answer"]))
    assert not {"script", "img", "b"} & page.names
    assert "<script>alert(1)</script>" in page.text


# Mail servers


@pytest.mark.parametrize("mood", ["refuses", "hangs", "dies"])
async def test_a_mail_that_was_not_taken_is_sent_again_as_the_same_mail(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, box: Postbox, monkeypatch: pytest.MonkeyPatch, mood: str
):
    if mood == "hangs":
        monkeypatch.setattr(delivering, "PATIENCE", 1.5)
    box.mood = mood
    await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    assert box.tries == 1
    await pass_time(desk, clock, timedelta(seconds=59))
    assert box.tries == 1
    box.mood = "kind"
    monkeypatch.undo()
    await pass_time(desk, clock, timedelta(minutes=10))
    assert box.tries == 2
    assert len({letter["message-id"] for letter in box.letters}) == 1
    assert len(box.letters) == (2 if mood == "dies" else 1)
    async with ana.listening(after=0) as heard:
        sent = await heard.until(lambda e: e.type == "notification.sent" and e.data["data"]["channel"] == "email")
    assert sent.data["data"]["operator"] == ana.id


async def test_after_the_last_try_a_mail_is_dead_and_visible_until_a_lead_has_it_tried_again(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, lea: Person, box: Postbox
):
    box.mood = "refuses"
    await front.admin.put("/api/policies/notification/mails", rules=MAILS | {"to": [ana.id]})
    await front.admin.post("/api/requests", question="Is it?", expires_in=7 * 86400)
    await pass_time(desk, clock, DAY)
    assert box.tries == 8
    async with lea.listening(after=0) as heard:
        failed = await heard.type("notification.failed")
    assert failed.data["data"]["operator"] == ana.id
    assert "451" in failed.data["data"]["error"]
    [dead] = (await lea.get("/api/notifications", failed="true"))["items"]
    assert (dead["state"], dead["attempts"], dead["operator"], dead["channel"]) == ("dead", 8, ana.id, "email")
    refused(await ana.client.get("/api/notifications", params={"failed": "true"}), 403)
    refused(await ana.client.post(f"/api/notifications/{dead['id']}/retry"), 403)
    box.mood = "kind"
    assert (await lea.post(f"/api/notifications/{dead['id']}/retry"))["state"] == "queued"
    await desk.run_due()
    [letter] = box.letters
    assert "Is it?" in words(letter)
    refused(await lea.client.post(f"/api/notifications/{dead['id']}/retry"), 409, "conflict")
    assert (await lea.get("/api/notifications", failed="true"))["items"] == []


async def test_a_password_goes_through_an_encrypted_line_to_a_server_that_is_known(
    store_url: str, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: there is nobody who makes a certificate")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with open_postbox(tls=context, password="s3cret/@") as box:
        port = box.url.rpartition(":")[2]
        settings = Settings(smtp_url=f"smtp://desk:s3cret%2F%40@localhost:{port}", mail_from="desk@shop.example")
        async with Desk.open(store_url, settings=settings, clock=clock, work=False) as desk:
            await desk.operators.add(name='Zoë Müller, "Z"', email="zoe@shop.example")
            await desk.policies.put("notification", "mails", MAILS)
            await desk.requests.ask("Is it?")
            await desk.run_due()
            assert (box.letters, box.signed_in) == ([], 0)  # nobody vouches for this server yet
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            await pass_time(desk, clock, timedelta(minutes=2))
    [letter] = box.letters
    assert box.signed_in == 1
    assert letter["to"].addresses[0].display_name == 'Zoë Müller, "Z"'


# When


async def test_in_quiet_hours_a_mail_waits_for_their_end_unless_it_is_urgent(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, box: Postbox
):
    quiet = {"zone": "Europe/Paris", "from": "20:00", "until": "08:00"}
    await front.admin.put("/api/policies/notification/mails", rules=MAILS | {"quiet": quiet})
    await pass_time(desk, clock, timedelta(hours=12))  # 22:00 in Paris
    await front.admin.post("/api/requests", question="By morning?", expires_in=7 * 86400)
    await front.admin.post("/api/requests", question="Now?", priority="urgent", expires_in=7 * 86400)
    await desk.run_due()
    assert [str(letter["subject"]) for letter in box.letters] == ["admin key asks: Now?"]
    told = await ana.get("/api/notifications")
    assert (len(told["items"]), told["unread"]) == (2, 2)  # the inbox makes no noise
    await pass_time(desk, clock, timedelta(hours=9, minutes=59))
    assert len(box.letters) == 1
    await pass_time(desk, clock, timedelta(minutes=1))  # 08:00 in Paris
    assert len(box.letters) == 2


async def test_what_is_over_when_the_quiet_ends_is_not_told_any_more(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, box: Postbox
):
    quiet = {"zone": "Europe/Paris", "from": "00:00", "until": "00:00", "days": ["mon"]}
    await front.admin.put("/api/policies/notification/mails", rules=MAILS | {"quiet": quiet})
    request = await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    await ana.answer(request["id"], "Yes")
    await pass_time(desk, clock, 2 * DAY)
    assert box.tries == 0


async def test_people_say_how_they_want_to_be_told(desk: Desk, front: Front, ana: Person, ben: Person, box: Postbox):
    assert await ana.get("/api/me/notifications/preferences") == {"channels": {}, "quiet": None, "urgent_anyway": True}
    wish = {"channels": {"request.*": []}, "quiet": {"zone": "Europe/Paris", "from": "20:00", "until": "08:00"}}
    changed = await ana.patch("/api/me/notifications/preferences", channels=wish["channels"])
    assert changed["channels"] == wish["channels"]
    changed = await ana.patch("/api/me/notifications/preferences", quiet=wish["quiet"])
    assert (changed["channels"], changed["quiet"]) == (wish["channels"], wish["quiet"] | {"days": None})
    await front.admin.post("/api/requests", question="Is it?")
    await desk.run_due()
    assert box.to(await email_of(front, ana)) == []
    assert len(box.to(await email_of(front, ben))) == 1
    assert len((await ana.get("/api/notifications"))["items"]) == 1
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"channels": {"mention": ["pigeon"]}}, "channels.mention.0"),
        ({"channels": {"weather": ["email"]}}, "channels.weather"),
        ({"quiet": {"zone": "Mars", "from": "20:00", "until": "08:00"}}, "quiet.zone"),
        ({"quiet": {"zone": "Europe/Paris", "from": "late", "until": "08:00"}}, "quiet.from"),
        ({"quiet": {"zone": "Europe/Paris", "from": "20:00"}}, "quiet.until"),
    ]
    for body, field in wrong:
        problem = refused(await ana.client.patch("/api/me/notifications/preferences", json=body), 422, "invalid")
        assert problem["field"].startswith(field), problem
    assert await ana.get("/api/me/notifications/preferences") == changed


# The inbox


async def test_who_is_mentioned_is_told_and_reads_it(desk: Desk, front: Front, ada: Person, ana: Person, ben: Person):
    thread = await ada.thread()
    await ana.say(thread, "@Ben @Ana SECRET", visibility="note")
    await desk.run_due()
    assert (await ana.get("/api/notifications"))["items"] == []
    [told] = (await ben.get("/api/notifications"))["items"]
    assert (told["kind"], told["thread"], told["state"], told["read_at"]) == ("mention", thread, "sent", None)
    assert "SECRET" not in told["text"]
    async with ben.listening(after=0) as his, ana.listening(after=0) as hers:
        await his.type("notification.sent")
        await hers.type("message.posted")
        await ana.say(thread, "Done", visibility="note")
        await hers.type("message.posted", count=2)
        assert not hers.of("notification.sent")
    assert await ana.post("/api/notifications/read", notifications=[told["id"]]) == {"unread": 0}
    assert (await ben.get("/api/notifications"))["unread"] == 1
    assert await ben.post("/api/notifications/read", notifications=[told["id"], "ntf_unknown"]) == {"unread": 0}
    assert (await ben.get("/api/notifications", unread="true"))["items"] == []


async def test_links_are_counted_at_the_door(store_url: str, agent: ScriptedAgent):
    desk = Desk(store_url, agents=[agent], settings=Settings(admin_key=ADMIN_KEY))
    async with serving(desk, work=False) as url, open_front(url) as front:
        client = front.client()
        statuses = [(await client.get(f"/answer/da_{number}")).status_code for number in range(40)]
    assert (statuses[0], statuses[-1]) == (404, 429)
