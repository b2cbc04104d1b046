"""Where langchain 1.4 breaks: the sequences of verbs that broke it, with every execution of the tool counted.

The first lines of a test say what happened there.
"""

from tests.acceptance.doors import ADMIN_KEY, open_front, refused, serving
from tests.store.tool_calls.bank import Bank, asked_over_http, refunds

from deskmate import Desk, Settings
from deskmate.testing import ScriptedAgent


async def test_langchain_a_decision_list_of_the_wrong_length_or_with_foreign_ids(store_url: str, bank: Bank) -> None:
    """There one list of the wrong length poisoned the thread for good."""
    bot = ScriptedAgent(refunds(1, 2, 3)(bank))
    desk = Desk(store_url, agents=[bot], settings=Settings(admin_key=ADMIN_KEY, rate_limits=False))
    async with serving(desk) as url, open_front(url) as front:
        ana = await front.operator("Ana")
        foreign = await asked_over_http(front, 3)
        thread = await asked_over_http(front, 3)
        async with front.admin.listening(after=0, thread=thread[0]["thread"]) as heard:
            mine = [request["id"] for request in thread]
            wrong: list[list[str]] = [[], [mine[0]] * 101]
            for ids in wrong:
                body = {"decisions": [{"request": id, "kind": "approve"} for id in ids]}
                refused(await ana.client.post("/api/requests/decisions", json=body), 422, "invalid")
            broken = {"decisions": [{"request": mine[0], "kind": "approve"}, {"request": mine[1]}]}
            refused(await ana.client.post("/api/requests/decisions", json=broken), 422, "invalid")
            assert {(await ana.get(f"/api/requests/{id}"))["state"] for id in mine} == {"open"}, (
                "a list that is none does nothing"
            )

            ids = [mine[0], "req_of_nobody", foreign[0]["id"], mine[0], thread[0]["thread"], "c2"]
            many = await ana.post("/api/requests/decisions", decisions=[{"request": id, "kind": "approve"} for id in ids])
            said = [item.get("error", {}).get("code") for item in many["items"]]
            assert said == [None, "not_found", None, "already_decided", "not_found", "not_found"]
            assert [(await ana.get(f"/api/requests/{id}"))["state"] for id in mine] == ["decided", "open", "open"]
            assert bank.paid == []

            rest = [{"request": mine[2], "kind": "reject"}, {"request": mine[1], "kind": "approve"}]
            await ana.post("/api/requests/decisions", decisions=rest)
            await heard.reply("All done.")
        assert sorted(str(paid["order"]) for paid in bank.paid) == ["1", "2"]
        assert {(await ana.get(f"/api/requests/{id}"))["state"] for id in mine} == {"applied"}
        assert [(await ana.get(f"/api/requests/{r['id']}"))["state"] for r in foreign] == ["decided", "open", "open"]
