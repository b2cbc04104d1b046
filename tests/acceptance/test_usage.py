"""What agents and people have used, and invoices, through the doors: the API and the command line."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.acceptance.command_line import Result
from tests.acceptance.doors import Front, Person, refused, soon

from deskmate import Desk, customer
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.messages import Text
from deskmate.testing import FakeClock, ScriptedAgent, pass_time

PRICE = {"currency": "EUR", "models": ["gpt-5*"], "input": "1.25", "output": "10.00"}


async def priced(_: Turn) -> AsyncIterator[Output]:
    """An answer of a model that takes a million tokens to read and a thousand to write."""
    yield Step(
        role="assistant", parts=(Text(text="Yes."),), provider="openai", model="gpt-5.2", input_tokens=1_000_000,
        output_tokens=1_000, final=True,
    )  # fmt: skip


@pytest.fixture
async def worked(front: Front, agent: ScriptedAgent, ada: Person, ana: Person, lea: Person) -> str:
    """A thread on which the agent has answered, and then Ana."""
    agent.script = priced
    await lea.put("/api/policies/price/ours", rules=PRICE)
    await lea.put("/api/policies/rate/all", rules={"currency": "EUR", "per_hour": 3600})
    thread = await ada.thread()
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, "Is it?")
        await heard.reply("Yes.")
        await ana.assign(thread, f"operator:{ana.id}")
        await ana.say(thread, "It is.")
        await heard.until(lambda event: event.type == "usage.recorded" and event.data["data"].get("operator") == ana.id)
    return thread


async def test_an_invoice_has_what_agents_and_people_did_for_a_customer(ada: Person, ana: Person, worked: str):
    [made] = (await ana.get("/api/invoices", customer=ada.id, since="2020-01-01", until="2100-01-01", zone="Europe/Paris"))[
        "items"
    ]
    agents, people = made["lines"]
    assert agents == {
        "kind": "agent", "who": "scripted", "model": "openai:gpt-5.2", "input_tokens": 1_000_000, "input_price": "1.25",
        "output_tokens": 1_000, "output_price": "10.00", "currency": "EUR", "amount_minor": 126, "amount": "1.26",
    }  # fmt: skip
    assert (people["kind"], people["who"], people["rate_minor"], people["currency"]) == ("operator", ana.id, 3600, "EUR")
    assert 1 <= people["seconds"] < 20
    assert made["since"] == "2020-01-01T00:00:00+01:00"
    assert [total["currency"] for total in made["totals"]] == ["EUR"]
    labour = (await ana.get(f"/api/threads/{worked}/usage"))["labour"]
    assert (labour["input_tokens"], labour["output_tokens"], labour["seconds"]) == (1_000_000, 1_000, people["seconds"])
    [by_model] = (await ana.get("/api/usage/summary", by="model"))["items"]
    assert (by_model["key"], by_model["costs"]) == (
        "openai:gpt-5.2", [{"currency": "EUR", "amount_minor": 126, "amount": "1.26"}],
    )  # fmt: skip


async def test_invoices_come_as_csv_too(ada: Person, ana: Person, worked: str):
    answer = await ana.client.get("/api/invoices", params={"since": "2020-01-01", "until": "2100-01-01", "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["customer"], row["kind"]) for row in rows] == [(ada.id, "agent"), (ada.id, "operator"), (ada.id, "total")]
    assert rows[0]["amount"] == "1.26"
    again = await ana.client.get("/api/invoices", params={"since": "2020-01-01", "until": "2100-01-01", "format": "csv"})
    assert again.content == answer.content


async def test_a_customer_is_refused_and_told_nothing(ada: Person, worked: str):
    for path in ("/api/invoices", f"/api/invoices?customer={ada.id}", "/api/usage", "/api/usage/summary"):
        refused(await ada.client.get(path), 403)
    refused(await ada.client.get(f"/api/threads/{worked}/usage"), 403)
    async with ada.listening(after=0) as heard:
        await heard.reply("It is.")
    assert heard.of("usage.recorded") == []


async def test_bad_periods_are_refused_by_name(ana: Person):
    for params, field in (
        ({"since": "soon"}, "since"),
        ({"until": "2026-02-30"}, "until"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"since": "0001-01-01", "zone": "Asia/Tokyo"}, "since"),
    ):
        for path in ("/api/invoices", "/api/usage/summary"):
            assert refused(await ana.client.get(path, params=params), 422)["field"] == field, params
    for params in ({"by": "nobody"}, {"format": "pdf"}, {"since": "x" * 41}):
        refused(await ana.client.get("/api/invoices", params=params), 422)


async def test_a_lead_corrects_and_an_operator_does_not(ana: Person, lea: Person, worked: str):
    entries = (await ana.get(f"/api/threads/{worked}/usage"))["items"]
    [mine] = [entry for entry in entries if entry["operator"] == ana.id]
    path = f"/api/usage/{mine['id']}/correction"
    refused(await ana.client.post(path, json={"seconds": 0, "reason": "Not mine"}), 403)
    for body in (
        {"seconds": -1, "reason": "x"},
        {"seconds": "many", "reason": "x"},
        {"seconds": 1},
        {"seconds": 0, "reason": ""},
    ):
        refused(await lea.client.post(path, json=body), 422)
    refused(
        await lea.client.post(path, content='{"seconds": NaN, "reason": "x"}', headers={"content-type": "application/json"}), 422
    )
    less = await lea.post(path, seconds=0, reason="A test")
    assert (less["seconds"], less["corrects"], less["reason"]) == (-mine["seconds"], mine["id"], "A test")
    assert (await ana.get(f"/api/threads/{worked}/usage"))["labour"]["seconds"] == 0
    [line] = (await ana.get("/api/invoices"))["items"][0]["lines"]
    assert line["kind"] == "agent"


async def test_the_command_line_tells_the_same(deskmate: Callable[..., Result], store_url: str, clock: FakeClock):
    agent = ScriptedAgent(priced)
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        await filled(desk, clock)
        invoice = await desk.usage.invoice("ada", "2026-01-01", "2026-02-01", by="queue")
    period = ("--since", "2026-01-01", "--until", "2026-02-01", "--store", store_url)
    made = deskmate("invoice", "ada", *period, "--by", "queue", "--format", "json")
    assert made.code == 0, made.err
    told: Any = json.loads(made.out)
    assert (
        [(total["currency"], total["amount_minor"]) for total in told["totals"]] == list(invoice.totals.items()) == [("EUR", 138)]
    )
    as_csv = deskmate("invoice", "ada", *period, "--format", "csv")
    assert as_csv == deskmate("invoice", "ada", *period, "--format", "csv")
    assert "0:00:12" in as_csv.out
    assert "agent" in deskmate("invoice", "ada", *period).out
    usage = deskmate("usage", *period, "--by", "operator", "--format", "csv")
    assert "0:00:12,12,0.12,EUR" in usage.out
    assert "scripted" in deskmate("usage", "--store", store_url).out
    wrong = deskmate("invoice", "ada", "--since", "soon", "--until", "2026-02-01", "--store", store_url)
    assert (wrong.code, wrong.line.startswith("deskmate: --since: ")) == (2, True)
    wrong = deskmate("usage", "--zone", "Mars/Base", "--store", store_url)
    assert (wrong.code, wrong.line.startswith("deskmate: --zone: ")) == (2, True)


async def filled(desk: Desk, clock: FakeClock) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    await desk.policies.put("price", "ours", PRICE)
    await desk.policies.put("rate", "all", {"currency": "EUR", "per_hour": 3600})
    thread = (await desk.threads.open(customer="ada")).id
    await desk.messages.post(thread, "Is it?", author=customer("ada"))
    await soon(desk.respond(thread))
    await desk.viewers.typing(thread, by=ana)
    await pass_time(desk, clock, seconds=12)
    await desk.messages.post(thread, "It is.", author=ana)
    await desk.run_due()
