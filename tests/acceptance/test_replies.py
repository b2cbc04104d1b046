"""What operators write with, over HTTP: canned replies, macros, saved views, words not yet sent, mentions."""

from tests.acceptance.doors import Front, Person, done, refused


async def test_a_canned_reply_is_kept_filled_in_and_removed(lea: Person, ana: Person, ada: Person):
    thread = await ada.thread(subject="Stoves")
    text = "Hello {{customer.name|there}}, {{operator.name}} here. {{thread.subject}}!"
    made = await lea.post("/api/canned", shortcut="hi", title="Hello", text=text, queue="tents")
    assert {"shortcut": "hi", "title": "Hello", "text": text, "queue": "tents"}.items() <= made.items()
    path = f"/api/canned/{made['id']}"
    assert await lea.patch(path, queue=None, title="Hi") | {"updated_at": 0} == made | {
        "queue": None,
        "title": "Hi",
        "updated_at": 0,
    }
    filled = "Hello there, Ana here. Stoves!"
    assert (await ana.post(f"{path}/filled", thread=thread))["text"] == filled
    [found] = (await ana.get("/api/canned", thread=thread, q="HI"))["items"]
    assert found == await ana.get(path) | {"filled": filled}
    wrong = await lea.client.post("/api/canned", json={"shortcut": "x", "title": "X", "text": "{{customer.secret}}"})
    problem = refused(wrong, 422, "invalid")
    assert (problem["field"], problem["variable"]) == ("text", "customer.secret")
    assert refused(await lea.client.post("/api/canned", json=made_of("HI")), 422)["field"] == "shortcut"
    done(await lea.client.delete(path), 204)
    refused(await ana.client.get(path), 404, "not_found")


def made_of(shortcut: str) -> dict[str, str]:
    return {"shortcut": shortcut, "title": "Hello", "text": "Hello."}


async def test_a_macro_does_all_or_nothing_and_names_the_place(lea: Person, ana: Person, ada: Person):
    thread = await ada.thread()
    await ada.say(thread, "Hello?", respond=False)
    actions = [{"do": "assign", "to": "me"}, {"do": "reply", "text": "Done. {{operator.name}}"}, {"do": "tag", "add": ["done"]}]
    made = await lea.post("/api/macros", name="Done", actions=[*actions, {"do": "status", "to": "resolved"}])
    wrong = [*actions, {"do": "assign", "to": "ai", "why": "x"}]
    for place, body in (("actions.3.why", wrong), ("actions.1", [actions[0], {"do": "reply", "text": " "}])):
        for response in (
            await lea.client.post("/api/macros", json={"name": "Wrong", "actions": body}),
            await lea.client.patch(f"/api/macros/{made['id']}", json={"actions": body}),
        ):
            assert refused(response, 422, "invalid")["field"].startswith(place)
    assert (await ana.get("/api/macros"))["items"] == [made]
    shown = await ana.post(f"/api/threads/{thread}/macro", macro=made["id"])
    assert (shown["status"], shown["tags"], shown["assignment"]["id"]) == ("resolved", ["done"], ana.id)
    assert (await ada.messages(thread))[-1]["text"] == "Done. Ana"
    before = await ana.messages(thread)
    snoozing = await lea.post("/api/macros", name="Later", actions=[*actions, {"do": "status", "to": "snoozed"}])
    response = await ana.client.post(f"/api/threads/{thread}/macro", json={"macro": snoozing["id"]})
    refused(response, 409, "conflict")  # what is resolved is opened before it is snoozed
    assert await ana.messages(thread) == before
    refused(await ana.client.post(f"/api/threads/{thread}/macro", json={"macro": "mac_none"}), 404)


async def test_views_are_kept_for_oneself_and_shared_by_leads(lea: Person, ana: Person, ben: Person):
    mine = await ana.post("/api/views", name="Late", filters={"sort": "waiting", "priority": "urgent"})
    shared = await lea.post("/api/views", name="Bills", filters={"queue": "bills"}, shared=True)
    assert (await ana.get("/api/views"))["items"] == [mine, shared]
    assert (await ben.get("/api/views"))["items"] == [shared]
    assert (await ana.patch(f"/api/views/{mine['id']}", filters={"kind": "approval"}))["filters"] == {"kind": "approval"}
    refused(await ben.client.patch(f"/api/views/{mine['id']}", json={"name": "x"}), 404)
    refused(await ben.client.delete(f"/api/views/{shared['id']}"), 403)
    response = await ana.client.post("/api/views", json={"name": "x", "filters": {"sort": "colour"}})
    assert refused(response, 422)["field"] == "filters.sort"
    done(await ana.client.delete(f"/api/views/{mine['id']}"), 204)
    assert (await ana.get("/api/views"))["items"] == [shared]


async def test_what_an_operator_types_is_theirs_and_goes_when_it_is_sent(front: Front, ana: Person, ben: Person, ada: Person):
    path = f"/api/threads/{await ada.thread()}/unsent"
    for visibility in ("public", "note"):
        kept = done(await ana.client.put(path, json={"text": f"SECRET {visibility}", "visibility": visibility}), 200)
        assert kept["text"] == f"SECRET {visibility}"
    assert [one["visibility"] for one in (await ana.get(path))["items"]] == ["public", "note"]
    assert (await ben.get(path))["items"] == []
    refused(await front.admin.client.get(path), 403)
    await ana.post(path.replace("unsent", "messages"), text="Hello", visibility="note")
    assert [one["text"] for one in (await ana.get(path))["items"]] == ["SECRET public"]
    done(await ana.client.put(path, json={"text": "", "visibility": "public"}))
    assert (await ana.get(path))["items"] == []
    done(await ana.client.delete(path, params={"visibility": "note"}), 204)


async def test_a_note_tells_whom_it_calls_on(front: Front, ana: Person, ben: Person, ada: Person):
    thread = await ada.thread(subject="Stoves")
    reader = await front.program("threads:read")
    async with ben.listening(thread=thread) as heard, reader.listening(thread=thread) as public:
        note = await ana.say(thread, "@ben, do we sell them?", visibility="note")
        posted = await heard.type("message.posted")
        assert posted.data["data"]["mentions"] == [ben.id]
        said = await ana.say(thread, "@Ben is looking")
        assert "mentions" not in (await heard.type("message.posted", count=2)).data["data"]
        assert (await public.type("message.posted")).message["id"] == said["id"]
    found = await ben.get("/api/me/mentions", unread=True)
    [mention] = found["items"]
    assert (found["unread"], mention["message"]["id"], mention["thread"]["subject"]) == (1, note["id"], "Stoves")
    assert await ben.post("/api/me/mentions/read", mentions=[mention["id"]]) == {"unread": 0}
    assert (await ben.get("/api/me/mentions", unread=True))["items"] == []
    assert (await ben.get("/api/me/mentions"))["items"][0]["read_at"] is not None
    assert (await ana.get("/api/me/mentions"))["items"] == []
