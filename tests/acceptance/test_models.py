"""A model behind the desk, over OpenAI's wire protocol: streamed, asking people, failing, tried again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, Person, open_front, serving, soon
from tests.fakes.openai_server import MODEL, Call, Cut, Failure, Hold, OpenAIServer, Reply, rate_limited

from deskmate import Desk, FaqLibrary, Settings
from deskmate.runners.pydantic_ai import Patience, model_agent

FAQ = [("returns.md", "# Returns\n\n## How long can I return something?\n\nEverything within 30 days, the parcel is free.\n")]


async def at_once(_: float) -> None:
    """No pause: these tests do not sleep."""


@dataclass
class House:
    """A desk whose agent is a model, and the model's provider."""

    provider: OpenAIServer
    front: Front


@pytest.fixture
async def house(store_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    async with OpenAIServer() as provider:
        monkeypatch.setenv("OPENAI_API_KEY", provider.key)
        agent = model_agent(
            f"openai-chat:{MODEL}", library=FaqLibrary(FAQ), name="Support AI", base_url=provider.base_url,
            patience=Patience(sleep=at_once),
        )  # fmt: skip
        desk = Desk(store_url, agents=[agent], settings=Settings(admin_key=ADMIN_KEY, rate_limits=False))
        async with serving(desk) as url, open_front(url) as front:
            yield House(provider=provider, front=front)


async def asks(house: House) -> tuple[Person, str, Person]:
    """A customer with a thread, and an operator."""
    ada = await house.front.visitor()
    return ada, await ada.thread(), await house.front.operator("Ana")


async def test_a_model_looks_a_thing_up_and_its_answer_streams_to_the_customer(house: House):
    hold = Hold()
    house.provider.script(
        Reply(calls=[Call("search_faq", {"query": "return period"})]),
        Reply("You have ", "30 days", hold, " (returns.md).", input_tokens=50, output_tokens=9),
    )
    ada, thread, ana = await asks(house)
    async with ada.listening() as hers:
        await ada.say(thread, "Until when can I send a tent back?")
        piece = await hers.until(lambda event: event.type == "message.delta" and "30 days" in event.data["text"])
        assert "returns.md)" not in hers.streamed(piece.data["message"])
        hold.release()
        await hers.reply("You have 30 days (returns.md).")
    assert "Everything within 30 days" in str(house.provider.seen[1].messages[-1]["content"])
    assert [message["role"] for message in await ana.messages(thread)] == ["user", "assistant", "tool", "assistant"]
    assert [message["text"] for message in await ada.messages(thread)] == [
        "Until when can I send a tent back?",
        "You have 30 days (returns.md).",
    ]
    tokens = [
        (entry["input_tokens"], entry["output_tokens"]) for entry in (await ana.get(f"/api/threads/{thread}/usage"))["items"]
    ]
    assert tokens == [(11, 7), (50, 9)]


async def test_a_model_asks_a_person_and_passes_the_answer_on(house: House):
    house.provider.script(
        Reply(calls=[Call("ask_human", {"question": "Is the Lyon shop open on Monday?", "suggestion": "Probably"}, id="call_1")]),
        Reply("Ana says it is open until 19:00."),
    )
    ada, thread, ana = await asks(house)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Lyon on Monday?")
        request = (await theirs.type("request.opened")).data["data"]["request"]
        assert (request["question"], request["suggestion"]) == ("Is the Lyon shop open on Monday?", "Probably")
        assert len(house.provider.seen) == 1
        await ana.answer(request["id"], "Yes, until 19:00.")
        await hers.reply("Ana says it is open until 19:00.")
    told = house.provider.seen[1].messages
    assert [message["role"] for message in told if message["role"] != "system"] == ["user", "assistant", "tool"]
    assert "Yes, until 19:00." in told[-1]["content"]
    assert "Ana" in told[-1]["content"]


async def test_what_the_customer_writes_meanwhile_is_answered_while_the_question_stays_open(house: House):
    house.provider.script(
        Reply(calls=[Call("ask_human", {"question": "Can we engrave it?"}, id="call_1")]),
        Reply("Sure, 30 days."),
        Reply("And Ana says: yes, we engrave."),
    )
    ada, thread, ana = await asks(house)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Can you engrave a mug?")
        request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        await ada.say(thread, "And how long can I return things?")
        await hers.reply("Sure, 30 days.")
        assert (await ana.open_request(thread))["id"] == request
        await ana.answer(request, "Yes, we do.")
        await hers.reply("And Ana says: yes, we engrave.")
    # The provider refuses a history with an open call: none was sent.
    assert [seen.body["messages"][-1]["role"] for seen in house.provider.seen][:2] == ["user", "user"]


async def test_a_rate_limit_is_waited_out_and_the_customer_gets_one_answer(house: House):
    house.provider.script(rate_limited("1"), Failure(500), Reply("Hello!"))
    ada, thread, _ = await asks(house)
    async with ada.listening() as hers:
        await ada.say(thread, "Hi")
        await hers.reply("Hello!")
        assert hers.texts() == ["Hi", "Hello!"]
    assert len(house.provider.seen) == 3


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(401, "Incorrect API key provided: sk-fake-0123456789abcdef"), "401"),
        (Failure(400, "context_length_exceeded"), "400"),
        (rate_limited("600"), "429"),
        (Cut(), "connection"),
        (Reply("I was about to s", Cut()), "connection"),
    ],
)
async def test_a_failed_run_is_visible_and_can_be_tried_again(house: House, failure: Failure | Cut | Reply, words: str):
    # As often as the agent tries by itself; what has begun to stream is not tried again, so one may be left over.
    house.provider.script(*[failure] * (1 if isinstance(failure, Reply) else 3))
    ada, thread, ana = await asks(house)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hi")
        failed = await theirs.type("run.failed")
        assert words in failed.data["data"]["error"]
        assert house.provider.key not in str(failed.data)
        await hers.until(lambda event: event.type == "message.posted" and event.message["author"]["kind"] == "system")
        assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is not None
        house.provider.forget()
        house.provider.script(Reply("Hello after all!"))
        await ana.post(f"/api/threads/{thread}/respond")
        await hers.reply("Hello after all!")
    assert house.provider.key not in str(await ana.messages(thread))
    assert "I was about to s" not in str(house.provider.seen[-1].messages)


async def test_a_takeover_closes_the_connection_to_the_provider(house: House):
    hold = Hold()
    house.provider.script(Reply("Let me ", hold, "explain at length."))
    ada, thread, ana = await asks(house)
    async with ada.listening() as hers:
        await ada.say(thread, "Explain")
        await hers.type("message.delta")
        await ana.assign(thread, f"operator:{ana.id}")
        await soon(house.provider.seen[0].gone.wait())
        hold.release()
        assert (await hers.type("message.changed")).message["error"] == "taken_over"
        assert "explain" not in str([event.data for event in hers.heard if event.type == "message.delta"])
