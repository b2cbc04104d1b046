"""Where other gates break: the sequences of verbs that broke them, played here, with every execution of the tool counted.

Each test carries the name of the product and of its break; its first lines say what happened there. Versions: langgraph 1.2,
langchain 1.4, openai-agents 0.24, pydantic-ai 2.68, @convex-dev/agent 0.7.
"""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic_ai import Agent, DeferredToolRequests, Tool
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.acceptance.doors import ADMIN_KEY, Front, open_front, refused, serving

from deskmate import (
    Approval,
    Ask,
    AskHuman,
    Desk,
    Failed,
    Message,
    NeedsApproval,
    NewDecision,
    NewMessage,
    Paused,
    PydanticAgent,
    Replied,
    Request,
    Role,
    Rule,
    Settings,
    Step,
    TalkOver,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from deskmate.domain.actors import Actor, AuthorKind, customer
from deskmate.domain.agents import Approved, Output
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Closed, Conflict, DeskmateError, NotFound
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling, echo, pass_time, say

ADA, EVE = customer("ada", "Ada"), customer("eve", "Eve")
ANA = Actor(kind=AuthorKind.OPERATOR, id="ana", name="Ana", role=Role.OPERATOR)
BEN = Actor(kind=AuthorKind.OPERATOR, id="ben", name="Ben", role=Role.OPERATOR)
ARGS = {"order": 17, "amount": 4900}
APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="too much")
ROUNDS = 6


class Bank:
    """A tool whose every execution is counted; it takes a moment, so that two of them would overlap."""

    def __init__(self) -> None:
        self.paid: list[Mapping[str, object]] = []
        self.error: Exception | None = None

    async def refund(self, args: Mapping[str, object]) -> object:
        self.paid.append(args)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return f"refunded {args['amount']}"


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def bot(bank: Bank) -> ScriptedAgent:
    return ScriptedAgent(calling("refund", ARGS, bank.refund))


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        yield desk


@pytest.fixture
async def other(store_url: str, desk: Desk, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    """Another process, as far as the store can tell."""
    del desk
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as other:
        yield other


async def asked(desk: Desk, words: str = "My money back, please.", by: Actor = ADA) -> tuple[Request, ...]:
    """A customer writes, the agent wants something of people: what they are asked."""
    thread = await desk.threads.open(customer=by.id, by=by)
    await desk.messages.post(thread.id, words, author=by)
    match await desk.respond(thread.id):
        case Paused(requests=requests):
            return requests
        case outcome:
            raise AssertionError(outcome)


async def history(desk: Desk, thread: str) -> tuple[Message, ...]:
    return (await desk.messages.history(thread, by=ANA)).items


async def state(desk: Desk, request: Request) -> RequestState:
    return (await desk.requests.get(request.id, by=ANA)).state


async def tried(*calls: Awaitable[Any]) -> list[Any]:
    """What came of calls that are made at once; a refusal is a result as well."""
    ends = await asyncio.gather(*calls, return_exceptions=True)
    for end in ends:
        assert not isinstance(end, BaseException) or isinstance(end, DeskmateError), end
    return list(ends)


class Model:
    """A model that says what it is told to, one answer after the other, and keeps what it was shown."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.shown: list[list[ModelMessage]] = []

    def agent(self, *tools: Any, capabilities: Sequence[Any] = (), **settings: Any) -> PydanticAgent:
        """An agent with this model, as the desk runs it."""
        return PydanticAgent(self.plain("support", *tools, capabilities=capabilities, **settings), stream=False, notice=None)

    def plain(self, name: str, *tools: Any, capabilities: Sequence[Any] = (), **settings: Any) -> "Agent[Any, Any]":
        return Agent(FunctionModel(self._answer), name=name, tools=list(tools), capabilities=list(capabilities), **settings)

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.shown.append(messages)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return ModelResponse(parts=[TextPart(given)] if isinstance(given, str) else given)

    def results(self) -> dict[str, Any]:
        """The results that it was shown last, by call id; a history with an open call fails the test."""
        calls = [part for message in self.shown[-1] for part in message.parts if isinstance(part, ToolCallPart)]
        found = [part for message in self.shown[-1] for part in message.parts if isinstance(part, ToolReturnPart)]
        assert [part.tool_call_id for part in calls] == [part.tool_call_id for part in found], "every call has one result"
        return {part.tool_call_id: part.content for part in found}


def call(tool: str, id: str, **args: Any) -> ToolCallPart:
    return ToolCallPart(tool, args, tool_call_id=id)


class Shop:
    """Tools of a Pydantic AI agent, and how often each ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def refund(self, order: int) -> str:
        """Pay money back."""
        self.ran.append(f"refund {order}")
        await asyncio.sleep(0)
        return f"refunded {order}"

    def look_up(self, order: int) -> str:
        """See what was ordered."""
        self.ran.append(f"look_up {order}")
        return "a chair"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def refunds(*orders: int) -> Callable[[Bank], Any]:
    """A script that calls the tool for several orders at once, and applies whatever has been approved at once as well."""

    def of(bank: Bank) -> Any:
        async def script(turn: Turn) -> AsyncIterator[Output]:
            if not turn.resumed:
                calls = tuple(ToolCall(call_id=f"c{n}", tool="refund", input={"order": n, "amount": n}) for n in orders)
                yield Ask(step=Step(role="assistant", parts=calls), requests=tuple(Approval(call_id=c.call_id) for c in calls))
                return
            calls_made = [turn.apply(a, a.args, partial(_pay, bank, a)) for a in turn.approved]
            for end in await asyncio.gather(*calls_made, return_exceptions=True):
                if isinstance(end, BaseException):
                    raise end
            yield say("All done.")

        return script

    return of


async def _pay(bank: Bank, approved: Approved) -> ToolResult:
    return ToolResult(call_id=approved.call_id, tool="refund", output=await bank.refund(approved.args))


# LangGraph


async def test_langgraph_two_people_resume_at_once_one_approves_one_rejects(desk: Desk, other: Desk, bank: Bank) -> None:
    """There both resumed, the tool ran for both, and the last writer won."""
    for number in range(ROUNDS):
        bank.paid.clear()
        (request,) = await asked(desk)

        async def resume(desk: Desk, decision: NewDecision, by: Actor, request: Request = request) -> Request:
            decided = await desk.requests.decide(request.id, decision, by=by)
            await desk.respond(request.thread)
            return decided

        both = [resume(desk, APPROVE, ANA), resume(other, REJECT, BEN)]
        ends = await tried(*(both if number % 2 else reversed(both)))
        [won] = [end for end in ends if isinstance(end, Request)]
        [lost] = [end for end in ends if isinstance(end, AlreadyDecided)]
        assert won.decision is not None
        assert lost.facts["by"] == {"id": won.decision.by.id, "name": won.decision.by.name}
        assert len(bank.paid) == (1 if won.decision.kind is DecisionKind.APPROVE else 0)
        assert await state(desk, request) is RequestState.APPLIED


async def test_langgraph_code_before_the_wait_runs_again_at_every_resume(store_url: str, clock: FakeClock, shop: Shop) -> None:
    """There two waits made three executions of what stood before them."""
    model = Model(
        [call("look_up", "c1", order=1), call("ask_human", "c2", question="May we?")],
        [call("look_up", "c3", order=2), call("refund", "c4", order=2)],
        "Done.",
    )
    agent = model.agent(shop.look_up, Tool(shop.refund, requires_approval=True), capabilities=[AskHuman()])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (question,) = await asked(desk)
        await desk.requests.answer(question.id, "Yes.", by=ANA)
        second = await desk.respond(question.thread)
        assert isinstance(second, Paused)
        await desk.requests.decide(second.requests[0].id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(question.thread), Replied)
    assert shop.ran == ["look_up 1", "look_up 2", "refund 2"]
    assert len(model.shown) == 3, "nor is the model asked the same again"


async def test_langgraph_an_answer_to_the_old_id_after_new_input_is_not_ignored(desk: Desk, bot: ScriptedAgent) -> None:
    """There new input gave the wait another id, and an answer to the old one vanished."""
    bot.script = asking("May we?")
    (request,) = await asked(desk)
    first = bot.script
    bot.script = echo
    await desk.messages.post(request.thread, "Are you there?", author=ADA)
    await desk.respond(request.thread)
    bot.script = first
    assert [r.id for r in await desk.requests.waiting(request.thread, by=ANA)] == [request.id]
    answered = await desk.requests.answer(request.id, "Yes, gladly.", by=ANA)
    assert answered.state is RequestState.APPLIED
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Ana says: Yes, gladly."


async def test_langgraph_an_approval_of_the_old_call_after_new_input_is_refused_aloud(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    """The same for an approval, which new input overtakes: whoever comes late is told so."""
    (request,) = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Are you there?", author=ADA)
    await desk.respond(request.thread)
    with pytest.raises(Closed) as late:
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert late.value.facts["state"] == "superseded"
    assert await desk.run_due() == 0
    assert bank.paid == []


@pytest.mark.parametrize(("size", "bound"), [(400, 20.0), (80_000, 4.0)])
async def test_langgraph_a_whole_state_checkpoint_each_step(
    store_url: str, clock: FakeClock, bot: ScriptedAgent, size: int, bound: float
) -> None:
    """There 200 turns with 160 kB of words became 97 MB, 600 times their size: each step stored all that was before it.

    Here the second half of the turns costs what the first did. Beside its words a turn has rows of a fixed size, which is some
    times words as short as those; long words are kept as they were written, as text, and as the search reads them.
    """
    bot.script = echo
    sizes = [stored_bytes(store_url)]
    turns = 200 if size < 1000 else 40
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
    for half in range(2):
        async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
            for number in range(turns // 2):
                await desk.messages.post(thread.id, words(size, seed=half * turns + number), author=ADA)
                assert isinstance(await desk.respond(thread.id), Replied)
        sizes.append(stored_bytes(store_url))
    said = 2 * size * turns
    first, second = sizes[1] - sizes[0], sizes[2] - sizes[1]
    print(f"\n{turns} turns with {said} bytes of words: stored {first} + {second}, {(first + second) / said:.2f} times")
    assert first + second < bound * said
    assert second < 1.5 * first


def words(size: int, *, seed: int) -> str:
    """Words that differ from message to message, of a vocabulary like that of a shop."""
    chance = random.Random(seed)
    text = " ".join(VOCABULARY[min(int(chance.expovariate(0.004)), len(VOCABULARY) - 1)] for _ in range(size // 4))
    return text[:size].strip()


VOCABULARY = ["".join(random.Random(n).choices("etaoinsrhldcu", k=random.Random(-n).randint(2, 9))) for n in range(3000)]


def stored_bytes(url: str) -> int:
    """Bytes that the data occupies, of a desk that is closed."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return db.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").fetchone()[0]
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchone()
    assert row is not None
    return int(row[0])


# LangChain


async def test_langchain_a_decision_list_of_the_wrong_length_or_with_foreign_ids(store_url: str, bank: Bank) -> None:
    """There one list of the wrong length poisoned the thread for good."""
    bot = ScriptedAgent(refunds(1, 2, 3)(bank))
    desk = Desk(store_url, agents=[bot], settings=Settings(admin_key=ADMIN_KEY, rate_limits=False))
    async with serving(desk) as url, open_front(url) as front:
        ana = await front.operator("Ana")
        foreign = await opened(front, 3)
        thread = await opened(front, 3)
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


async def opened(front: Front, number: int) -> list[dict[str, Any]]:
    """A customer writes, and so many requests wait for people: the requests, oldest first."""
    visitor = await front.visitor()
    thread = await visitor.thread()
    async with front.admin.listening(thread=thread) as heard:
        await visitor.say(thread, "My money back, please.")
        await heard.type("run.paused")
    found = (await front.admin.get("/api/requests", thread=thread))["items"]
    assert len(found) == number
    return sorted(found, key=lambda request: request["call_id"])


# OpenAI Agents, Pydantic AI


async def test_openai_agents_and_pydantic_ai_resuming_twice_from_the_same_saved_state(
    desk: Desk, other: Desk, bank: Bank
) -> None:
    """There the saved state could be loaded twice, and the refund ran twice."""
    for _ in range(ROUNDS):
        bank.paid.clear()
        (request,) = await asked(desk)
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        await tried(desk.respond(request.thread), other.respond(request.thread), desk.run_due(), other.run_due())
        await tried(desk.respond(request.thread), other.respond(request.thread), other.run_due())
        assert len(bank.paid) == 1
        assert [m.text for m in await history(desk, request.thread) if m.text][1:] == ["Done: refunded 4900"]


async def test_openai_agents_the_old_approval_after_never_mind_does_not_refund(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There the run had ended with "never mind", and the old approval still refunded."""
    model = Model([call("refund", "c1", order=17)], "As you wish.", "Hello again.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        await desk.messages.post(request.thread, "Never mind.", author=ADA)
        reply = await desk.respond(request.thread)
        assert isinstance(reply, Replied)
        assert reply.message.text == "As you wish."
        assert "Declined" in model.results()["c1"], "the model is told that its call did not happen"
        for by in (ANA, BEN):
            with pytest.raises(Closed):
                await desk.requests.decide(request.id, APPROVE, by=by)
        with pytest.raises(Conflict):
            await desk.respond(request.thread)
        await desk.messages.post(request.thread, "Hello?", author=ADA)
        await desk.run_due()
        assert "Declined" in model.results()["c1"]
    assert shop.ran == []


async def test_openai_agents_arguments_are_edited_and_a_person_answers_as_the_tool(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There neither was possible."""
    model = Model([call("refund", "c1", order=17), call("refund", "c2", order=18)], "Done.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        first, second = await asked(desk)
        await desk.requests.decide(first.id, NewDecision(kind=DecisionKind.EDIT, args={"order": 71}), by=ANA)
        await desk.requests.decide(second.id, NewDecision(kind=DecisionKind.RESPOND, value="a voucher instead"), by=BEN)
        assert isinstance(await desk.respond(first.thread), Replied)
    assert shop.ran == ["refund 71"]
    assert model.results() == {
        "c1": {"result": "refunded 71", "ran_with": {"order": 71}, "arguments_changed_by": "Ana"},
        "c2": {"answer": "a voucher instead", "by": "Ben"},
    }


@pytest.mark.parametrize("earlier", [20, 400])
async def test_openai_agents_the_saved_state_is_a_multiple_of_the_conversation(
    store_url: str, clock: FakeClock, bot: ScriptedAgent, earlier: int
) -> None:
    """There what a waiting run stored was 5.5 times its conversation. Here it is the same for any: a call and a request."""
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        said = [NewMessage(role="user", author=ADA.author, parts=(Text(text=words(500, seed=n)),)) for n in range(earlier)]
        await desk.messages.save(thread.id, said)
    before = stored_bytes(store_url)
    waiting = 10
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        for _ in range(waiting):
            await desk.messages.post(thread.id, "My money back, please.", author=ADA)
            assert isinstance(await desk.respond(thread.id), Paused)
    each = (stored_bytes(store_url) - before) / waiting
    print(f"\nbehind {earlier} messages of 500 bytes: {each:.0f} bytes for each wait")
    assert each < 40_000


async def test_pydantic_ai_partial_answers_raise_and_who_answered_is_not_in_the_history(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There answers had to come all at once, and the model never learned who gave them and what they had changed."""
    model = Model(
        [call("refund", "c1", order=1), call("refund", "c2", order=2), call("ask_human", "c3", question="May we?")], "Done."
    )
    agent = model.agent(Tool(shop.refund, requires_approval=True), capabilities=[AskHuman()])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        requests = {request.call_id: request for request in await asked(desk)}
        thread = requests["c1"].thread
        await desk.requests.answer(requests["c3"].id, "Yes.", by=BEN)
        waits = await desk.respond(thread)
        assert isinstance(waits, Paused)
        assert {request.call_id for request in waits.requests} == {"c1", "c2"}
        await desk.requests.decide(requests["c2"].id, REJECT, by=BEN)
        assert await desk.run_due() == 0
        assert shop.ran == []
        await desk.requests.decide(requests["c1"].id, NewDecision(kind=DecisionKind.EDIT, args={"order": 3}), by=ANA)
        assert isinstance(await desk.respond(thread), Replied)
    assert shop.ran == ["refund 3"]
    assert model.results() == {
        "c1": {"result": "refunded 3", "ran_with": {"order": 3}, "arguments_changed_by": "Ana"},
        "c2": "Declined by Ben: too much",
        "c3": {"answer": "Yes.", "by": "Ben"},
    }


# Convex Agent


async def test_convex_agent_two_continuations_run_every_approved_tool_twice(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    bot.script = refunds(1, 2, 3)(bank)
    for _ in range(ROUNDS):
        bank.paid.clear()
        requests = await asked(desk)
        thread = requests[0].thread
        await asyncio.gather(
            *(
                at.requests.decide(r.id, APPROVE, by=by)
                for r, at, by in zip(requests, (desk, other, desk), (ANA, BEN, ANA), strict=True)
            )
        )
        await tried(desk.run_due(), other.run_due(), desk.respond(thread), other.respond(thread))
        assert sorted(str(paid["order"]) for paid in bank.paid) == ["1", "2", "3"]
        assert [await state(desk, request) for request in requests] == [RequestState.APPLIED] * 3


@pytest.mark.parametrize("overtaken", [True, False], ids=["overtaken", "expired"])
async def test_convex_agent_an_auto_denial_never_reaches_the_model(
    store_url: str, clock: FakeClock, shop: Shop, overtaken: bool
) -> None:
    """There the history that was sent had an open call for ever, which providers refuse."""
    model = Model([call("refund", "c1", order=17)], "Sorry.", "Hello again.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        if overtaken:
            await desk.messages.post(request.thread, "Are you there?", author=ADA)
            await desk.run_due()
        else:
            await pass_time(desk, clock, timedelta(hours=25))
        assert await state(desk, request) is (RequestState.SUPERSEDED if overtaken else RequestState.EXPIRED)
        why = "the conversation went on" if overtaken else "nobody decided in time"
        assert why in model.results()["c1"]
        await desk.messages.post(request.thread, "And now?", author=ADA)
        await desk.run_due()
        assert len(model.shown) == 3
        assert why in model.results()["c1"], "and it stays told"
    assert shop.ran == []


async def test_convex_agent_an_approval_older_than_a_hundred_messages_cannot_be_answered(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    model = Model([call("refund", "c1", order=17)], *["Still waiting."] * 75, "Done.")
    agent = model.agent(shop.refund, capabilities=[NeedsApproval({"refund": Rule(talk_over=TalkOver.KEEP)})])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        for number in range(75):
            await desk.messages.post(request.thread, f"And now? {number}", author=ADA)
            await desk.respond(request.thread)
        assert len(model.shown) == 76, "a hundred and fifty messages have gone by"
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        reply = await desk.respond(request.thread)
        assert isinstance(reply, Replied)
        assert reply.message.text == "Done."
        assert model.results() == {"c1": "refunded 17"}
        assert await state(desk, request) is RequestState.APPLIED
    assert shop.ran == ["refund 17"]


async def test_convex_agent_ids_of_another_thread_are_accepted(desk: Desk, bank: Bank) -> None:
    (mine,), (hers,) = await asked(desk), await asked(desk, by=EVE)
    for thread, request in ((mine.thread, hers), (hers.thread, mine)):
        with pytest.raises(NotFound):
            await desk.requests.of_approval(thread, request.approval or "", by=ANA)
        answer = NewMessage(
            role="tool",
            author=ANA.author,
            parts=(ToolResult(call_id=request.call_id or "", tool="refund", output="forged", request=request.id),),
        )
        with contextlib.suppress(DeskmateError):
            await desk.messages.save(thread, [answer])
        assert await state(desk, request) is RequestState.OPEN, "what is stored in another thread settles nothing"
    for nobody in (ADA, EVE):
        with pytest.raises(DeskmateError) as forbidden:
            await desk.requests.decide(mine.id, APPROVE, by=nobody)
        assert forbidden.value.code == "forbidden"
    await desk.requests.decide(hers.id, APPROVE, by=ANA)
    await desk.run_due()
    assert await state(desk, mine) is RequestState.OPEN
    assert len(bank.paid) == 1


async def test_convex_agent_the_approver_is_not_recorded(store_url: str, bank: Bank) -> None:
    bot = ScriptedAgent(refunds(1)(bank))
    desk = Desk(store_url, agents=[bot], settings=Settings(admin_key=ADMIN_KEY, rate_limits=False))
    async with serving(desk) as url, open_front(url) as front:
        ana, ben = await front.operator("Ana"), await front.operator("Ben")
        [request] = await opened(front, 1)
        path = f"/api/requests/{request['id']}/decision"
        claim = {"kind": "approve", "by": {"kind": "operator", "id": ben.id, "name": "Ben"}}
        refused(await ana.client.post(path, json=claim), 422, "invalid")
        async with front.admin.listening(after=0, thread=request["thread"]) as heard:
            await ana.post(path, kind="approve")
            await heard.reply("All done.")
            told = (await heard.type("request.decided")).data
        by = (await ben.get(f"/api/requests/{request['id']}"))["decision"]["by"]
        assert (by["id"], by["name"]) == (ana.id, "Ana")
        assert told["actor"]["id"] == ana.id
        [answer] = [
            part
            for message in await front.admin.messages(request["thread"])
            for part in message["parts"]
            if part["type"] == "approval_response"
        ]
        assert answer["by"]["name"] == "Ana"
    assert len(bank.paid) == 1


async def test_convex_agent_the_tab_closed_between_approve_and_continue(store_url: str, bank: Bank) -> None:
    """There the tab that approved had to continue, too. Here a worker does, also one that starts later."""
    bot = ScriptedAgent(refunds(1)(bank))
    settings = Settings(admin_key=ADMIN_KEY, rate_limits=False)
    async with serving(Desk(store_url, agents=[bot], settings=settings)) as url, open_front(url) as front:
        ana = await front.operator("Ana")
        [request] = await opened(front, 1)
        async with front.admin.listening(after=0, thread=request["thread"]) as heard:
            await ana.post(f"/api/requests/{request['id']}/decision", kind="approve")
            await ana.client.aclose()
            await heard.reply("All done.")
        [later] = await opened(front, 1)
    assert len(bank.paid) == 1
    async with Desk.open(store_url, settings=settings, work=False) as desk:
        await desk.requests.decide(later["id"], APPROVE, by=ANA)  # in a program that knows no agent and is gone at once
    assert len(bank.paid) == 1
    async with Desk.open(store_url, settings=settings, agents=[bot], work=False) as desk:
        await desk.run_due()
        assert [m.text for m in await history(desk, later["thread"])][-1] == "All done."
    assert len(bank.paid) == 2


# Failures after the approval was consumed, parallel siblings, nested agents


async def test_a_failure_after_the_approval_was_consumed_does_not_run_the_tool_again(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """The provider is down after the tool has run: the run fails, visibly, and the next one knows what has been done."""
    model = Model([call("refund", "c1", order=17)], RuntimeError("the provider is down"), "It is done.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(request.thread), Failed)
        assert await state(desk, request) is RequestState.APPLIED
        assert shop.ran == ["refund 17"]
        with pytest.raises(AlreadyDecided):
            await desk.requests.decide(request.id, APPROVE, by=BEN)
        await desk.messages.post(request.thread, "And?", author=ADA)
        await desk.run_due()
        assert [m.text for m in await history(desk, request.thread)][-1] == "It is done."
        assert model.results() == {"c1": "refunded 17"}
    assert shop.ran == ["refund 17"]


async def test_a_result_that_cannot_be_stored_leaves_the_call_in_doubt(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    """The tool has run, and what it returned is lost on the way to the store: a person has to say what became of it."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if not turn.resumed:
            async for output in calling("refund", ARGS, bank.refund)(turn):
                yield output
            return
        for approved in turn.approved:

            async def unstorable(approved: Approved = approved) -> ToolResult:
                await bank.refund(approved.args)
                return ToolResult(call_id=approved.call_id, tool="refund", output=object())

            await turn.apply(approved, approved.args, unstorable)
        yield say("Done.")

    bot.script = script
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert isinstance(await desk.respond(request.thread), Failed)
    assert await state(desk, request) is RequestState.IN_DOUBT
    await desk.run_due()
    settled = await desk.requests.settle(request.id, ran=True, value="refunded, says the bank", by=ANA)
    assert settled.state is RequestState.APPLIED
    await desk.run_due()
    assert len(bank.paid) == 1


@pytest.mark.parametrize("closed", ["rejected", "overtaken", "failed"])
async def test_parallel_siblings_are_neither_lost_nor_run_again(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank, closed: str
) -> None:
    """One of three is approved, one is rejected or overtaken or fails: each ends by itself, and is told as what it came to."""
    bot.script = refunds(1, 2, 3)(bank)
    one, two, three = await asked(desk)
    await desk.requests.decide(one.id, APPROVE, by=ANA)
    if closed == "overtaken":
        bot.script = echo
        await desk.messages.post(one.thread, "Never mind.", author=ADA)
        await desk.run_due()
        ends = [RequestState.FAILED, RequestState.SUPERSEDED, RequestState.SUPERSEDED]
        ran: list[str] = []
    else:
        await desk.requests.decide(two.id, REJECT, by=BEN)
        if closed == "failed":
            bank.error = RuntimeError("the bank is closed")
        await other.requests.decide(three.id, APPROVE, by=BEN)
        ends = [RequestState.APPLIED] * 3
        if closed == "failed":
            ends = [RequestState.FAILED, RequestState.APPLIED, RequestState.FAILED]
        ran = ["1", "3"]
    await tried(desk.run_due(), other.run_due())
    assert [await state(desk, request) for request in (one, two, three)] == ends
    assert sorted(str(paid["order"]) for paid in bank.paid) == ran
    bot.script = echo
    await desk.messages.post(one.thread, "And?", author=ADA)
    await tried(desk.run_due(), other.run_due())
    assert sorted(str(paid["order"]) for paid in bank.paid) == ran
    stored = await history(desk, one.thread)
    told = [p.call_id for m in stored for p in m.parts if isinstance(p, ToolResult)]
    assert len(told) == len(set(told))


@pytest.mark.parametrize("outer_approved", [False, True], ids=["free", "approved"])
async def test_nested_agents_a_call_below_a_tool_that_needs_approval_does_not_run_and_fails_visibly(
    store_url: str, clock: FakeClock, shop: Shop, outer_approved: bool
) -> None:
    """A run of an agent inside a tool cannot pause: nobody could resume it. What it may not do alone it does not do, though its
    calls carry the id of a call that was approved outside."""
    inner = Model([call("refund", "c1", order=17)], "never said").plain("inner", Tool(shop.refund, requires_approval=True))

    async def delegate(task: str) -> str:
        """Let another agent do it."""
        shop.ran.append("delegate")
        return str((await inner.run(task)).output)

    model = Model([call("delegate", "c1", task="refund order 17")], "Sorry.")
    agent = model.agent(Tool(delegate, requires_approval=outer_approved))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        await desk.messages.post(thread.id, "My money back, please.", author=ADA)
        outcome = await desk.respond(thread.id)
        if outer_approved:
            assert isinstance(outcome, Paused)
            await desk.requests.decide(outcome.requests[0].id, APPROVE, by=ANA)
            outcome = await desk.respond(thread.id)
            assert await state(desk, (await desk.requests.list(by=ANA, state=None)).items[0]) is RequestState.FAILED
        assert isinstance(outcome, Failed)
        assert "DeferredToolRequests" in outcome.error, "whoever set the agents up reads what is missing"
        assert (await desk.threads.get(thread.id)).waiting_since is not None, "a person looks at it"
        await desk.run_due()
    assert shop.ran == ["delegate"]


async def test_nested_agents_a_call_that_the_inner_agent_hands_back_is_the_tools_to_deal_with(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """An inner agent that declares `DeferredToolRequests` returns its calls, unrun; the tool makes them calls of its own."""
    inner = Model([call("refund", "c1", order=17)]).plain(
        "inner", Tool(shop.refund, requires_approval=True), output_type=[str, DeferredToolRequests]
    )

    async def delegate(task: str) -> str:
        """Let another agent think about it."""
        output = (await inner.run(task)).output
        return output if isinstance(output, str) else f"It would call {[c.tool_name for c in output.approvals]}."

    model = Model([call("delegate", "c1", task="refund order 17")], [call("refund", "c1", order=17)], "Done.")
    agent = model.agent(delegate, Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        assert shop.ran == []
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(request.thread), Replied)
        await desk.run_due()
    assert shop.ran == ["refund 17"]


async def test_nested_agents_a_question_below_a_tool_waits_inline_and_the_outer_run_goes_on_once(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    desk = Desk(store_url, clock=clock)
    inner = Model([call("ask_human", "c1", question="May we?")], "They say yes.").plain("inner", capabilities=[AskHuman(desk)])

    async def delegate(task: str) -> str:
        """Let another agent ask around."""
        shop.ran.append("delegate")
        return str((await inner.run(task)).output)

    model = Model([call("delegate", "c1", task="ask")], "We may.")
    desk.register(model.agent(delegate))
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "May you?", author=ADA)
    running = asyncio.create_task(desk.respond(thread.id))
    while not (waiting := await desk.requests.waiting(thread.id, by=ANA)):  # noqa: ASYNC110 - no event says it to a program
        await asyncio.sleep(0.01)
    await desk.requests.answer(waiting[0].id, "Yes.", by=ANA)
    reply = await running
    await desk.close()
    assert isinstance(reply, Replied)
    assert reply.message.text == "We may."
    assert shop.ran == ["delegate"]
