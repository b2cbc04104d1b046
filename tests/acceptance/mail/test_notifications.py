"""The inbox's list: who is mentioned is told, and reads it."""

from datetime import timedelta

from tests.acceptance.doors import Front, Person

from deskmate import Desk

DAY = timedelta(days=1)


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
