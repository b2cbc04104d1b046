"""Mail: operators are told of what waits for them, nobody is told late or for nothing."""

import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.doors import Front, Person, refused
from tests.acceptance.mail.people import MAILS, asked, email_of, follow, send, shown
from tests.acceptance.mail.postbox import Postbox, Tags, links, markup, open_postbox, words

from deskmate import Desk, Settings
from deskmate.services import notifying
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling, pass_time, say

DAY = timedelta(days=1)


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
        assert f"Customer: Visitor {ada.id[-4:]}" in text
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


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine, with its key, that nobody vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: there is nobody who makes a certificate")
    both = tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(both)]
    both.write_bytes(b"")
    made = subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(both.read_bytes() + made.stdout)
    return both


# Mail servers


@pytest.mark.parametrize("mood", ["refuses", "hangs", "dies"])
async def test_a_mail_that_was_not_taken_is_sent_again_as_the_same_mail(
    desk: Desk, front: Front, clock: FakeClock, ana: Person, box: Postbox, monkeypatch: pytest.MonkeyPatch, mood: str
):
    if mood == "hangs":
        monkeypatch.setattr(notifying, "PATIENCE", 1.5)
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
    store_url: str, clock: FakeClock, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
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
