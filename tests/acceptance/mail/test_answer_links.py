"""Links in mails: looking decides nothing, a form decides once, as the operator who got the mail."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from tests.acceptance.doors import ADMIN_KEY, Front, Person, done, open_front, refused, serving
from tests.acceptance.mail.people import asked, email_of, follow, send, shown
from tests.acceptance.mail.postbox import Postbox, links

from deskmate import Desk, Settings
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling, pass_time

DAY = timedelta(days=1)


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


async def test_links_are_counted_at_the_door(store_url: str, agent: ScriptedAgent):
    desk = Desk(store_url, agents=[agent], settings=Settings(admin_key=ADMIN_KEY))
    async with serving(desk, work=False) as url, open_front(url) as front:
        client = front.client()
        statuses = [(await client.get(f"/answer/da_{number}")).status_code for number in range(40)]
    assert (statuses[0], statuses[-1]) == (404, 429)
