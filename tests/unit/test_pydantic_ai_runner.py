"""The Pydantic AI runner alone: against a server that speaks OpenAI's protocol, and scripted models where that is enough."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from tests.fakes.openai_server import MODEL, Call, Cut, Failure, Hold, OpenAIServer, Raw, Reply, Scripted, rate_limited

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.agents import Ask, Delta, Output, Step, Turn
from deskmate.domain.messages import ContextMessage, File, Part, Text, ToolCall, ToolResult
from deskmate.domain.requests import Decision, DecisionKind, Request, RequestKind, RequestState
from deskmate.errors import DeskmateError, Misconfigured, NotFound
from deskmate.runners.pydantic_ai import AskHuman, ModelFailed, Patience, PydanticAgent, model_agent
from deskmate.runners.pydantic_ai.history import INTERRUPTED, repair

ANA = Author(kind=AuthorKind.OPERATOR, id="op_1", name="Ana")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running
        assert not running.problems


class Sleeps(list[float]):
    """A sleep that only writes down how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def says(role: Any, *parts: Part | str) -> ContextMessage:
    return ContextMessage(role=role, parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts))


def turn(*history: ContextMessage, resumed: bool = False) -> Turn:
    history = history or (says("user", "Is the Lyon shop open on Monday?"),)
    return Turn(thread="th_1", run="run_1", customer="ada", prompt_text="Is it?", history=history, resumed=resumed)


def openai_agent(*tools: Callable[..., Any], asks: bool = True, **more: Any) -> PydanticAgent:
    capabilities = [AskHuman()] if asks else []
    return PydanticAgent(Agent(f"openai-chat:{MODEL}", name="support", tools=tools, capabilities=capabilities), **more)


async def outputs_of(runner: PydanticAgent, turn: Turn) -> list[Output]:
    return [output async for output in runner.run(turn)]


async def collect(runner: PydanticAgent, outputs: list[Output], at_each: Callable[[], None] = lambda: None) -> None:
    """The outputs up to where the run fails."""
    async for output in runner.run(turn()):
        outputs.append(output)
        at_each()


def stored(outputs: Sequence[Output]) -> list[ContextMessage]:
    """What a thread keeps of a run."""
    steps = [output.step if isinstance(output, Ask) else output for output in outputs if not isinstance(output, Delta)]
    return [ContextMessage(role=step.role, parts=step.parts) for step in steps]


def steps_of(outputs: Sequence[Output]) -> list[Step]:
    return [output for output in outputs if isinstance(output, Step)]


def ask_of(outputs: Sequence[Output]) -> Ask:
    assert isinstance(outputs[-1], Ask), outputs
    return outputs[-1]


# Streaming


async def test_words_come_as_deltas_and_the_step_holds_them_all_with_model_and_tokens(server: OpenAIServer) -> None:
    server.script(Reply("Yes, ", "until ", "19:00.", input_tokens=21, output_tokens=5))
    *deltas, step = await outputs_of(openai_agent(), turn())
    assert deltas == [Delta(text="Yes, "), Delta(text="until "), Delta(text="19:00.")]
    assert isinstance(step, Step)
    assert (step.role, step.parts) == ("assistant", (Text(text="Yes, until 19:00."),))
    assert (step.model, step.provider, step.input_tokens, step.output_tokens) == (MODEL, "openai", 21, 5)


async def test_a_delta_is_handed_over_while_the_model_is_still_writing(server: OpenAIServer) -> None:
    hold = Hold()
    server.script(Reply("Yes", hold, "."))
    async with aclosing(openai_agent().run(turn())) as outputs:
        assert await anext(outputs) == Delta(text="Yes")
        await hold.reached.wait()
        assert not hold.released.is_set()
        hold.release()
        assert await anext(outputs) == Delta(text=".")


async def test_an_agent_on_a_model_that_does_not_stream_gives_the_same_steps(server: OpenAIServer) -> None:
    server.script(Reply("Let me look.", calls=[Call("look", {"at": "Lyon"})]), Reply("Open."))
    outputs = await outputs_of(openai_agent(look, stream=False), turn())
    assert [step.role for step in steps_of(outputs)] == ["assistant", "tool", "assistant"]
    assert not any(isinstance(output, Delta) for output in outputs)
    assert "stream" not in server.seen[0].body or not server.seen[0].body["stream"]


async def test_a_tool_does_not_run_before_the_step_that_calls_it_is_taken(server: OpenAIServer) -> None:
    ran: list[str] = []

    async def book(day: str) -> str:
        ran.append(day)
        return "booked"

    server.script(Reply(calls=[Call("book", {"day": "Monday"})]), Reply("Done."))
    async with aclosing(openai_agent(book).run(turn())) as outputs:
        step = await anext(outputs)
        assert isinstance(step, Step)
        for _ in range(100):
            await asyncio.sleep(0)
        assert ran == []
        assert (await anext(outputs)) == Step(role="tool", parts=(result(step, "booked"),))
        assert ran == ["Monday"]


def look(at: str) -> str:
    """Look something up."""
    return f"seen {at}"


def result(step: Step, output: object, at: int = 0) -> ToolResult:
    call = [part for part in step.parts if isinstance(part, ToolCall)][at]
    return ToolResult(call_id=call.call_id, tool=call.tool, output=output)


async def test_parallel_calls_keep_their_arguments_exactly_and_give_one_batch_of_results(server: OpenAIServer) -> None:
    first = {"order": {"id": 9007199254740993, "lines": [{"sku": "é-1", "price": 19.90}, None]}, "note": 'say "hi"\n'}
    second = {"order": {}, "note": ""}
    got: list[dict[str, Any]] = []

    def refund(order: dict[str, Any], note: str) -> dict[str, Any]:
        got.append({"order": order, "note": note})
        return {"noted": note}

    server.script(Reply("One moment.", calls=[Call("refund", first, id="a"), Call("refund", second, id="b")]), Reply("Both."))
    outputs = await outputs_of(openai_agent(refund), turn())
    called, returned, answered = steps_of(outputs)
    assert called.parts == (
        Text(text="One moment."),
        ToolCall(call_id="a", tool="refund", input=first),
        ToolCall(call_id="b", tool="refund", input=second),
    )
    assert sorted(got, key=lambda each: each["note"]) == [second, first]
    assert [part.output for part in returned.parts if isinstance(part, ToolResult)] == [{"noted": first["note"]}, {"noted": ""}]
    assert answered.parts == (Text(text="Both."),)
    sent = server.seen[1].messages[-3]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in sent] == [first, second]


async def test_the_tokens_of_each_request_are_counted_once(server: OpenAIServer) -> None:
    calls = [Call("look", {"at": "x"}), Call("ask_human", {"question": "Open?"})]
    server.script(Reply("Hm.", calls=calls, input_tokens=30, output_tokens=9))
    outputs = await outputs_of(openai_agent(look), turn())
    counted = [*steps_of(outputs), ask_of(outputs).step]
    assert sum(step.input_tokens for step in counted) == 30
    assert sum(step.output_tokens for step in counted) == 9


async def test_the_tokens_of_a_response_that_makes_no_step_are_counted_with_the_next(server: OpenAIServer) -> None:
    server.script(Reply(input_tokens=10, output_tokens=1), Reply("Yes.", input_tokens=20, output_tokens=2))
    (step,) = steps_of(await outputs_of(openai_agent(), turn()))
    assert (step.parts, step.input_tokens, step.output_tokens) == ((Text(text="Yes."),), 30, 3)


async def test_one_runner_serves_several_threads_at_once(server: OpenAIServer) -> None:
    server.responder = lambda seen: Reply(f"About {seen.messages[-1]['content']}")
    runner = openai_agent()
    answers = await asyncio.gather(*(outputs_of(runner, turn(says("user", f"shop {n}"))) for n in range(5)))
    assert [steps_of(each)[0].parts for each in answers] == [(Text(text=f"About shop {n}"),) for n in range(5)]


async def test_the_limits_an_agent_sets_itself_stay(server: OpenAIServer) -> None:
    agent = Agent(f"openai-chat:{MODEL}", model_settings={"request_timeout": 0.2, "temperature": 0.25})
    server.script(Reply("Well", Hold()))
    with pytest.raises(ModelFailed, match=r"within 0\.2 seconds"):
        await outputs_of(PydanticAgent(agent), turn())
    assert server.seen[0].body["temperature"] == 0.25


# Errors of tools


async def test_arguments_that_do_not_fit_become_an_error_result_and_the_model_tries_again(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("look", {"where": 3})]), Reply(calls=[Call("look", {"at": "x"}, id="again")]), Reply("Seen."))
    outputs = await outputs_of(openai_agent(look), turn())
    _, wrong, _, right, _ = steps_of(outputs)
    assert [part.is_error for part in wrong.parts if isinstance(part, ToolResult)] == [True]
    assert [part.is_error for part in right.parts if isinstance(part, ToolResult)] == [False]
    server.script(Reply("As before."))
    await outputs_of(openai_agent(look), turn(*turn().history, *stored(outputs), says("user", "And?")))
    shown = server.seen[-1].messages[2]
    assert (shown["role"], list(json.loads(shown["content"]))) == ("tool", ["error"])


async def test_arguments_that_are_no_json_are_kept_as_they_were_written(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("look", '{"at": ', id="cut")]), Reply("Sorry."))
    outputs = await outputs_of(openai_agent(look), turn())
    assert steps_of(outputs)[0].parts == (ToolCall(call_id="cut", tool="look", input='{"at": '),)


async def test_when_a_tool_breaks_what_is_done_is_stored_and_the_error_says_nothing_of_its_insides(server: OpenAIServer) -> None:
    def charge(card: str) -> str:
        raise KeyError(f"secret {card}")

    server.script(Reply(calls=[Call("charge", {"card": "4242"}, id="c"), Call("ask_human", {"question": "May I?"})]))
    outputs: list[Output] = []
    with pytest.raises(ModelFailed) as raised:
        await collect(openai_agent(charge), outputs)
    assert str(raised.value) == "The agent failed with KeyError."
    called, broken = steps_of(outputs)
    assert [part.tool for part in called.parts if isinstance(part, ToolCall)] == ["charge"]
    assert [part.is_error for part in broken.parts if isinstance(part, ToolResult)] == [True]


async def test_an_error_of_the_desk_in_a_tool_keeps_its_own_words() -> None:
    def find(order: str) -> str:
        raise NotFound(f"there is no order {order}")

    with pytest.raises(NotFound, match=r"^there is no order a$") as raised:
        await outputs_of(PydanticAgent(Agent(TestModel(), tools=[find])), turn())
    assert raised.value.__cause__ is None


async def test_an_agent_that_cannot_be_given_room_for_questions_is_said_to_be_set_up_wrongly() -> None:
    agent = Agent(TestModel(), capabilities=[AskHuman()])

    @agent.output_validator
    def check(output: str) -> str:
        return output

    with pytest.raises(Misconfigured, match="output validators") as raised:
        await outputs_of(PydanticAgent(agent), turn())
    assert raised.value.field == "agent"


async def test_tools_that_wait_for_something_else_than_people_are_refused_and_the_history_stays_whole(
    server: OpenAIServer,
) -> None:
    agent = Agent(f"openai-chat:{MODEL}", capabilities=[AskHuman()])
    agent.tool_plain(requires_approval=True)(look)
    server.script(Reply(calls=[Call("look", {"at": "x"})]), Reply("I may not."))
    _, refused, _ = steps_of(await outputs_of(PydanticAgent(agent), turn()))
    (part,) = refused.parts
    assert isinstance(part, ToolResult)
    assert (part.denied, part.reason) == (True, "nobody can approve tools here")


# People


async def test_a_question_pauses_the_run_with_the_call_and_its_request_together(server: OpenAIServer) -> None:
    asked = {"question": "Is Lyon open on Monday?", "context": "Ada asks.", "urgency": "high", "suggestion": "Yes"}
    server.script(Reply("I will find out.", calls=[Call("ask_human", asked, id="q")]))
    outputs = await outputs_of(openai_agent(), turn())
    ask = ask_of(outputs)
    assert ask.step.parts == (Text(text="I will find out."), ToolCall(call_id="q", tool="ask_human", input=asked))
    (question,) = ask.requests
    assert (question.call_id, question.question, question.reason) == ("q", "Is Lyon open on Monday?", "Ada asks.")
    assert (question.suggestion, question.urgency, question.kind) == ("Yes", "high", RequestKind.QUESTION)
    assert ask.notice == "One moment, I am asking a colleague."
    assert steps_of(outputs) == []


async def test_the_answer_resumes_a_run_in_a_new_runner_that_has_only_the_stored_history(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("ask_human", {"question": "Open?"}, id="q")]), Reply("Ana says until 19:00."))
    history = [*turn().history, *stored(await outputs_of(openai_agent(), turn()))]
    answer = ToolResult(call_id="q", tool="ask_human", output={"until": "19:00"}, request="req_1", by=ANA)
    outputs = await outputs_of(openai_agent(), turn(*history, says("tool", answer), resumed=True))
    assert steps_of(outputs)[-1].parts == (Text(text="Ana says until 19:00."),)
    assert [message["role"] for message in server.seen[1].messages] == ["user", "assistant", "tool"]
    assert json.loads(server.seen[1].messages[-1]["content"]) == {"answer": {"until": "19:00"}, "by": "Ana"}


async def test_p7_what_was_called_beside_a_question_has_run_once_and_is_stored_before_the_pause(server: OpenAIServer) -> None:
    ran: list[str] = []

    def reserve(day: str) -> str:
        ran.append(day)
        return "reserved"

    calls = [Call("ask_human", {"question": "Open?"}, id="q"), Call("reserve", {"day": "Monday"}, id="r")]
    server.script(Reply("Wait.", calls=calls), Reply("Reserved, and open."))
    outputs = await outputs_of(openai_agent(reserve), turn())
    called, returned = steps_of(outputs)
    assert called.parts == (Text(text="Wait."), ToolCall(call_id="r", tool="reserve", input={"day": "Monday"}))
    assert returned.parts == (ToolResult(call_id="r", tool="reserve", output="reserved"),)
    assert ask_of(outputs).step.parts == (ToolCall(call_id="q", tool="ask_human", input={"question": "Open?"}),)
    answer = ToolResult(call_id="q", tool="ask_human", output="Yes", by=ANA)
    await outputs_of(openai_agent(reserve), turn(*turn().history, *stored(outputs), says("tool", answer), resumed=True))
    assert ran == ["Monday"]


async def test_p7_two_questions_of_one_response_are_two_requests_answered_in_any_order(server: OpenAIServer) -> None:
    calls = [Call("ask_human", {"question": "Open?"}, id="a"), Call("ask_human", {"question": "Parking?"}, id="b")]
    server.script(Reply(calls=calls), Reply("Both yes."))
    outputs = await outputs_of(openai_agent(), turn())
    assert [question.call_id for question in ask_of(outputs).requests] == ["a", "b"]
    answers = [ToolResult(call_id=id, tool="ask_human", output="Yes", by=ANA) for id in ("b", "a")]
    await outputs_of(openai_agent(), turn(*turn().history, *stored(outputs), says("tool", *answers), resumed=True))
    assert [message["tool_call_id"] for message in server.seen[1].messages[-2:]] == ["a", "b"]


async def test_calls_that_were_given_the_same_id_are_told_apart(server: OpenAIServer) -> None:
    calls = [
        Call("look", {"at": "a"}, id="x"),
        Call("look", {"at": "b"}, id="x"),
        Call("ask_human", {"question": "Open?"}, id="x"),
    ]
    server.script(Reply(calls=calls), Reply("Yes."))
    outputs = await outputs_of(openai_agent(look), turn())
    called, returned = steps_of(outputs)
    assert [part.input for part in called.parts if isinstance(part, ToolCall)] == [{"at": "a"}, {"at": "b"}]
    assert [part.output for part in returned.parts if isinstance(part, ToolResult)] == ["seen a", "seen b"]
    (question,) = ask_of(outputs).requests
    answer = ToolResult(call_id=question.call_id, tool="ask_human", output="Yes", by=ANA)
    await outputs_of(openai_agent(look), turn(*turn().history, *stored(outputs), says("tool", answer), resumed=True))
    assert json.loads(server.seen[1].messages[-1]["content"]) == {"answer": "Yes", "by": "Ana"}


async def test_a_question_without_words_goes_back_to_the_model_and_leaves_a_whole_history(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("ask_human", {"question": " "}, id="q")]), Reply("Never mind."))
    called, refused, answered = steps_of(await outputs_of(openai_agent(), turn()))
    assert called.parts == (ToolCall(call_id="q", tool="ask_human", input={"question": " "}),)
    assert [part.is_error for part in refused.parts if isinstance(part, ToolResult)] == [True]
    assert answered.parts == (Text(text="Never mind."),)


async def test_a_newer_message_of_the_customer_comes_after_the_answered_call(server: OpenAIServer) -> None:
    call = ToolCall(call_id="q", tool="ask_human", input={"question": "Open?"})
    answer = ToolResult(call_id="q", tool="ask_human", output="Yes", by=ANA)
    server.script(Reply("Yes; and hello again."))
    history = [*turn().history, says("assistant", call), says("user", "Still there?"), says("tool", answer)]
    await outputs_of(openai_agent(), turn(*history, resumed=True))
    assert [message["role"] for message in server.seen[0].messages] == ["user", "assistant", "tool", "user"]
    assert server.seen[0].messages[-1]["content"] == "Still there?"


@pytest.mark.parametrize(
    ("by", "reason", "words"),
    [
        (ANA, "we do not say", "Declined by Ana: we do not say"),
        (None, "nobody answered in time", "Declined: nobody answered in time"),
    ],
)
async def test_a_refusal_reaches_the_model_as_words_with_its_reason(
    server: OpenAIServer, by: Author | None, reason: str, words: str
) -> None:
    call = ToolCall(call_id="q", tool="ask_human", input={"question": "Open?"})
    denied = ToolResult(call_id="q", tool="ask_human", denied=True, reason=reason, by=by)
    server.script(Reply("I could not find out."))
    await outputs_of(openai_agent(), turn(*turn().history, says("assistant", call), says("tool", denied), resumed=True))
    assert server.seen[0].messages[-1]["content"] == words


async def test_p6_a_question_that_is_still_open_is_left_out_of_the_context(server: OpenAIServer) -> None:
    call = ToolCall(call_id="q", tool="ask_human", input={"question": "Open?"})
    server.script(Reply("Hello."))
    await outputs_of(openai_agent(), turn(*turn().history, says("assistant", "Wait.", call), says("user", "Hello?")))
    assert server.seen[0].messages[1:] == [
        {"role": "assistant", "content": "Wait."},
        {"role": "user", "content": "Hello?"},
    ]


# Runs that were killed


async def test_p12_a_run_killed_after_a_stored_result_goes_on_without_running_the_tool_again(server: OpenAIServer) -> None:
    ran: list[str] = []
    call = ToolCall(call_id="c", tool="look", input={"at": "Lyon"})
    done = ToolResult(call_id="c", tool="look", output="open")
    server.script(Reply("It is open."))
    history = [*turn().history, says("assistant", call), says("tool", done)]
    outputs = await outputs_of(openai_agent(asked_for(ran)), turn(*history, resumed=True))
    assert [step.parts for step in steps_of(outputs)] == [(Text(text="It is open."),)]
    assert (ran, server.seen[0].messages[-1]["content"]) == ([], "open")


async def test_p12_a_call_without_a_result_is_not_run_again_and_the_model_is_told_that_it_may_have_run(
    server: OpenAIServer,
) -> None:
    ran: list[str] = []
    one, two = (ToolCall(call_id=id, tool="look", input={"at": id}) for id in ("done", "lost"))
    done = ToolResult(call_id="done", tool="look", output="open")
    server.script(Reply("Let me check."))
    history = [*turn().history, says("assistant", one, two), says("tool", done)]
    outputs = await outputs_of(openai_agent(asked_for(ran)), turn(*history, resumed=True))
    unknown = ToolResult(call_id="lost", tool="look", output=INTERRUPTED, is_error=True)
    assert outputs[0] == Step(role="tool", parts=(unknown,))
    assert ran == []
    assert json.loads(server.seen[0].messages[-1]["content"]) == {"error": INTERRUPTED}


async def test_a_run_killed_after_its_last_word_says_nothing_more(server: OpenAIServer) -> None:
    assert await outputs_of(openai_agent(), turn(*turn().history, says("assistant", "Open."), resumed=True)) == []
    assert server.seen == []


def asked_for(ran: list[str]) -> Callable[[str], str]:
    def look(at: str) -> str:
        ran.append(at)
        return "open"

    return look


# Failures of the provider

HTML = "<html><head><title>502</title></head><body>proxy for sk-live-abcdef0123456789</body></html>"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            Failure(401, "Incorrect API key: sk-fake-0123456789abcdef", "invalid_api_key"),
            "The model provider refused the API key (401).",
        ),
        (Failure(400, "bad schema for sk-fake-0123456789abcdef", "invalid"), "The model provider refused the request (400)."),
        (Failure(400, "too long", "context_length_exceeded"), "The conversation is too long for the model (400)."),
        (Failure(429, "no credit", "insufficient_quota"), "The account at the model provider is used up (429)."),
        (Failure(500, "boom"), "The model provider failed (500)."),
        (Failure(502, body=HTML), "The model provider failed (502)."),
        (Failure(404, "no such model", "model_not_found"), "The model fake-model was not found at its provider (404)."),
        (rate_limited("2"), "The model provider is limiting requests; it asks to wait 2 seconds (429)."),
        (Cut(), "The connection to the model provider was lost."),
    ],
)
async def test_a_failure_is_told_in_one_short_line_without_keys_or_pages(
    server: OpenAIServer, failure: Scripted, words: str
) -> None:
    server.script(*[failure] * 3)
    with pytest.raises(ModelFailed) as raised:
        await outputs_of(openai_agent(patience=Patience(sleep=Sleeps())), turn())
    assert raised.value.message == words
    shown = "".join(chain_of(raised.value))
    assert server.key not in shown
    assert "<" not in shown


def chain_of(error: BaseException) -> list[str]:
    """What a log shows of an error: itself and what it says it comes from."""
    following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [f"{error!r} {error}", *(chain_of(following) if following else ())]


async def test_the_wrong_key_and_an_unknown_model_are_said_to_be_that(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelFailed, match=r"The model other was not found at its provider \(404\)"):
        await outputs_of(PydanticAgent(Agent("openai-chat:other")), turn())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-0123456789")
    with pytest.raises(ModelFailed, match=r"^The model provider refused the API key \(401\)\.$"):
        await outputs_of(openai_agent(), turn())


async def test_a_provider_that_cannot_be_reached_is_tried_three_times_and_then_said_so(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with OpenAIServer() as gone:
        monkeypatch.setenv("OPENAI_BASE_URL", gone.base_url)
    sleeps = Sleeps()
    with pytest.raises(ModelFailed, match="cannot be reached"):
        await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert sleeps == [0.5, 1.0]


async def test_a_rate_limit_is_waited_for_as_long_as_the_provider_says(server: OpenAIServer) -> None:
    sleeps = Sleeps()
    server.script(rate_limited("3"), Failure(503), Reply("Yes."))
    outputs = await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert steps_of(outputs)[-1].parts == (Text(text="Yes."),)
    assert sleeps == [3.0, 1.0]
    assert [seen.messages for seen in server.seen] == [server.seen[0].messages] * 3


async def test_a_pause_longer_than_our_patience_fails_the_run_at_once(server: OpenAIServer) -> None:
    sleeps = Sleeps()
    server.script(rate_limited("60"))
    with pytest.raises(ModelFailed, match="it asks to wait 60 seconds"):
        await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert (sleeps, len(server.seen)) == ([], 1)


async def test_a_connection_cut_before_the_first_word_is_tried_again(server: OpenAIServer) -> None:
    server.script(Cut(), Reply(Cut(politely=True)), Reply("Yes."))
    outputs = await outputs_of(openai_agent(patience=Patience(sleep=Sleeps())), turn())
    assert outputs[0] == Delta(text="Yes.")
    assert len(server.seen) == 3


@pytest.mark.parametrize("politely", [False, True])
async def test_a_connection_cut_after_words_were_shown_is_not_tried_again(server: OpenAIServer, politely: bool) -> None:
    hold = Hold()
    server.script(Reply("Yes, un", hold, Cut(politely=politely)))
    outputs: list[Output] = []
    with pytest.raises(ModelFailed, match=r"^The connection to the model provider was lost\.$"):
        await collect(openai_agent(patience=Patience(sleep=Sleeps())), outputs, hold.release)
    assert outputs == [Delta(text="Yes, un")]
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "raw", [b"data: {not json\n\n", b'data: {"error": {"message": "sk-live-abcdef0123456789", "type": "x"}}\n\n']
)
async def test_a_malformed_piece_fails_the_run_and_shows_nothing_of_itself(server: OpenAIServer, raw: bytes) -> None:
    server.script(Reply("Yes", Raw(raw), " and no"))
    with pytest.raises(ModelFailed) as raised:
        await outputs_of(openai_agent(), turn())
    assert raised.value.message == "The model provider sent something that is not an answer."


async def test_a_request_that_does_not_end_in_time_fails_the_run(server: OpenAIServer) -> None:
    server.script(Reply("Well", Hold()))
    with pytest.raises(ModelFailed, match=r"^The model did not finish within 0\.2 seconds\.$"):
        await outputs_of(openai_agent(patience=Patience(time_limit=0.2)), turn())
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)


async def test_cancelling_the_one_who_reads_closes_the_connection_to_the_provider(server: OpenAIServer) -> None:
    hold = Hold()
    server.script(Reply("Well", hold))
    reading = asyncio.create_task(outputs_of(openai_agent(), turn()))
    await hold.reached.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)


async def test_closing_the_generator_closes_the_connection_to_the_provider(server: OpenAIServer) -> None:
    server.script(Reply("Well", Hold()))
    outputs = openai_agent().run(turn())
    assert await anext(outputs) == Delta(text="Well")
    await outputs.aclose()
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)


# Scripted models


async def test_every_tool_of_a_test_model_is_called_once_and_the_steps_are_a_history_again() -> None:
    agent = Agent(TestModel(custom_output_text="All seen."), tools=[look], system_prompt="Be kind.")
    outputs = await outputs_of(PydanticAgent(agent), turn())
    assert [step.role for step in steps_of(outputs)] == ["assistant", "tool", "assistant"]
    again = repair([*turn().history, *stored(outputs)], human_tools=())
    assert [type(message) for message in again.messages] == [ModelRequest, ModelResponse, ModelRequest, ModelResponse]
    assert (again.unknown, again.ends_with_words) == ((), True)


async def test_the_system_prompt_of_an_agent_leads_every_run_also_behind_a_marker_of_the_desk() -> None:
    agent = Agent(FunctionModel(stream_function=echo_prompts), system_prompt="Be kind.", instructions="Be brief.")
    history = [says("user", "Hi"), says("assistant", "Hello"), says("system", "An operator handled messages 2 to 3.")]
    outputs = await outputs_of(PydanticAgent(agent, instructions="Sign as Lyon."), turn(*history))
    assert json.loads("".join(output.text for output in outputs if isinstance(output, Delta))) == [
        ["Be kind.", "Hi", "<system>An operator handled messages 2 to 3.</system>"],
        "Be brief.\n\nSign as Lyon.",
    ]


async def echo_prompts(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    said = [part.content for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    yield json.dumps([said, info.instructions])


async def test_a_file_is_named_to_the_model() -> None:
    agent = Agent(FunctionModel(stream_function=echo_prompts))
    prompt = says("user", "See here", File(file="file_1", media_type="image/png", filename="bill.png"))
    outputs = await outputs_of(PydanticAgent(agent), turn(prompt))
    said, _ = json.loads(steps_of(outputs)[0].parts[0].text)  # pyright: ignore[reportAttributeAccessIssue]
    assert said == [["See here", "[attached file: bill.png, image/png]"]]


class City(BaseModel):
    name: str
    open: bool


async def test_a_structured_output_is_put_into_words_after_its_call() -> None:
    agent = Agent(TestModel(custom_output_args={"name": "Lyon", "open": True}), output_type=City)
    called, returned, said = steps_of(await outputs_of(PydanticAgent(agent), turn()))
    assert [part.tool for part in called.parts if isinstance(part, ToolCall)] == ["final_result"]
    assert returned.role == "tool"
    assert said.parts == (Text(text='{"name":"Lyon","open":true}'),)


async def test_a_question_beside_a_structured_output_is_not_asked_any_more(server: OpenAIServer) -> None:
    calls = [Call("final_result", {"name": "Lyon", "open": True}), Call("ask_human", {"question": "Open?"})]
    server.script(Reply(calls=calls))
    agent = Agent(f"openai-chat:{MODEL}", output_type=City, capabilities=[AskHuman()])
    outputs = await outputs_of(PydanticAgent(agent), turn())
    assert [step.role for step in steps_of(outputs)] == ["assistant", "tool", "assistant"]
    assert steps_of(outputs)[-1].parts == (Text(text='{"name":"Lyon","open":true}'),)
    assert not any(isinstance(output, Ask) for output in outputs)


async def test_a_tool_that_asks_to_be_called_again_is_an_error_result_with_its_words() -> None:
    tries: list[int] = []

    def pick(number: int) -> str:
        tries.append(number)
        if len(tries) == 1:
            raise ModelRetry("Pick another number.")
        return "picked"

    outputs = await outputs_of(PydanticAgent(Agent(TestModel(), tools=[pick])), turn())
    results = [part for step in steps_of(outputs) if step.role == "tool" for part in step.parts if isinstance(part, ToolResult)]
    assert [(part.output, part.is_error) for part in results] == [("Pick another number.", True), ("picked", False)]


# Any stored history

IDS = st.sampled_from(["a", "b", "c"])
CALLS = st.builds(ToolCall, call_id=IDS, tool=st.sampled_from(["look", "ask_human"]), input=st.just({}))
RESULTS = st.builds(ToolResult, call_id=IDS, tool=st.just("look"), output=st.just("x"), denied=st.booleans())
SOME_CALLS = st.lists(CALLS, max_size=3, unique_by=lambda call: call.call_id)
MESSAGES = st.one_of(
    st.builds(says, st.just("user"), st.sampled_from(["hello", ""])),
    st.builds(lambda words, calls: says("assistant", *words, *calls), st.lists(st.just("well"), max_size=1), SOME_CALLS),
    st.builds(lambda results: says("tool", *results), st.lists(RESULTS, max_size=3)),
)


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=8))
def test_p6_whatever_is_stored_every_call_shown_has_one_result_right_behind_it(history: list[ContextMessage]) -> None:
    messages = repair(history, human_tools={"ask_human"}).messages
    open_calls: list[str] = []
    for message in messages:
        assert message.parts
        returned = [part.tool_call_id for part in message.parts if isinstance(part, ToolReturnPart)]
        assert sorted(returned) == sorted(open_calls)
        open_calls = [part.tool_call_id for part in message.parts if isinstance(part, ToolCallPart)]
    assert open_calls == []
    called = [part for message in history if message.role == "assistant" for part in message.parts if isinstance(part, ToolCall)]
    shown = [
        part
        for message in messages
        if isinstance(message, ModelResponse)
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]
    assert [call.tool_call_id for call in shown if call.tool_name == "look"] == [
        call.call_id for call in called if call.tool == "look"
    ]


# Asking inline


@dataclass
class FakeRequests:
    """`desk.requests`, as far as AskHuman uses it."""

    decisions: dict[str, Decision | RequestState]
    opened: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    all_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: str, **facts: Any) -> Request:
        self.opened[question] = facts
        if len(self.opened) == len(self.decisions):
            self.all_open.set()
        return self._request(question)

    async def wait(self, id: str, *, timeout: float | None = None) -> Request:
        await self.all_open.wait()
        return self._request(id)

    def _request(self, question: str) -> Request:
        match self.decisions[question]:
            case Decision() as decision:
                state = RequestState.APPLIED
            case RequestState() as state:
                decision = None
        facts = {"kind": RequestKind.QUESTION, "state": state, "decision": decision}
        return Request(id=question, thread="th_9", run=None, created_at=NOW, updated_at=NOW, **facts)


@dataclass
class FakeDesk:
    requests: FakeRequests
    opened: int = 0

    async def ensure_open(self) -> None:
        self.opened += 1


def decided(kind: DecisionKind, value: object = None, reason: str | None = None) -> Decision:
    return Decision(kind=kind, value=value, reason=reason, by=ANA, at=NOW, channel="inbox")


def asking(*questions: str) -> FunctionModel:
    """A model that asks these at once, and then says what came back."""

    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        returned = [part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        if returned:
            return ModelResponse(parts=[TextPart(json.dumps(returned))])
        return ModelResponse(parts=[ToolCallPart("ask_human", {"question": question}) for question in questions])

    return FunctionModel(respond)


async def test_in_a_plain_run_questions_are_opened_together_and_the_answers_come_back() -> None:
    answers = {"Open?": decided(DecisionKind.ANSWER, "Yes, until 19:00."), "Seats?": decided(DecisionKind.ANSWER, 12)}
    desk = FakeDesk(FakeRequests(dict(answers)))
    agent = Agent(
        asking("Open?", "Seats?"), name="hotel", capabilities=[AskHuman(desk, queue="lyon", expires_in=timedelta(hours=1))]
    )
    outcome = await agent.run("Lyon on Monday?")
    assert json.loads(outcome.output) == ["Yes, until 19:00.", 12]
    assert desk.opened == 1
    assert desk.requests.opened["Open?"] == {
        "thread": None, "agent_name": "hotel", "reason": None, "suggestion": None, "queue": "lyon", "urgency": "normal",
        "expires_in": timedelta(hours=1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (decided(DecisionKind.DECLINE, reason="not our business"), "Declined by Ana: not our business"),
        (RequestState.EXPIRED, "Declined: nobody answered in time"),
        (RequestState.CANCELLED, "Declined: the question was withdrawn"),
    ],
)
async def test_in_a_plain_run_no_answer_comes_back_as_words(decision: Decision | RequestState, words: str) -> None:
    agent = Agent(asking("Open?"), capabilities=[AskHuman(FakeDesk(FakeRequests({"Open?": decision})))])
    assert json.loads((await agent.run("Lyon?")).output) == [words]


async def test_outside_of_a_desk_an_asker_without_a_desk_is_refused_before_the_model_is_asked() -> None:
    with pytest.raises(Misconfigured, match=r"AskHuman\(desk\)") as raised:
        await Agent(asking("Open?"), capabilities=[AskHuman()]).run("Lyon?")
    assert raised.value.field == "desk"


async def test_an_agent_with_a_desk_pauses_when_it_runs_on_a_desk() -> None:
    desk = FakeDesk(FakeRequests({}))
    runner = PydanticAgent(Agent(asking("Open?"), capabilities=[AskHuman(desk, queue="lyon")]), stream=False)
    (question,) = ask_of(await outputs_of(runner, turn())).requests
    assert (question.question, question.queue, desk.opened) == ("Open?", "lyon", 0)


async def test_an_agent_called_by_a_tool_of_a_desk_run_waits_inline_on_the_thread_of_that_run() -> None:
    desk = FakeDesk(FakeRequests({"Open?": decided(DecisionKind.ANSWER, "Yes")}))
    expert = Agent(asking("Open?"), capabilities=[AskHuman(desk)])

    async def consult() -> str:
        return (await expert.run("Is it?")).output

    outputs = await outputs_of(
        PydanticAgent(Agent(TestModel(), tools=[consult], capabilities=[AskHuman(name="other")]), stream=False), turn()
    )
    assert desk.requests.opened["Open?"]["thread"] == "th_1"
    results = [part for step in steps_of(outputs) for part in step.parts if isinstance(part, ToolResult)]
    assert '["Yes"]' in [part.output for part in results]


# The assistant of `deskmate serve --model`


@dataclass
class Page:
    title: str
    section: str
    file: str
    text: str


class Shelf:
    def search(self, query: str, limit: int) -> list[Page]:
        assert limit > 0
        return [Page("Opening hours", "Shops > Lyon", "shops.md", "Open until 19:00.")] if "Lyon" in query else []


async def test_the_assistant_searches_the_faq_and_can_ask_people(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    calls = [Call("search_faq", {"query": "Lyon hours"}), Call("search_faq", {"query": "Mars"})]
    server.script(Reply(calls=calls), Reply("Until 19:00 (Opening hours)."))
    runner = model_agent(f"openai-chat:{MODEL}", library=Shelf(), base_url=server.base_url)
    await outputs_of(runner, turn())
    assert sorted(server.seen[0].tools) == ["ask_human", "search_faq"]
    found, nothing = (message["content"] for message in server.seen[1].messages[-2:])
    assert json.loads(found) == [
        {"title": "Opening hours", "section": "Shops > Lyon", "file": "shops.md", "text": "Open until 19:00."}
    ]
    assert nothing == "The pages say nothing about this."
    assert (runner.name, runner.provider_names) == ("assistant", {"provider": "openai", "model": MODEL})
    assert "search_faq" in server.seen[0].messages[0]["content"]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt", "the model 'gpt' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("nobody:gpt", "the model 'nobody:gpt' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("", "the model '' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("openai:gpt-5.2", "the model 'openai:gpt-5.2' needs OPENAI_API_KEY in the environment"),
        ("sk-proj-abcdefghijkl", "the model '[hidden]' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_when_the_assistant_is_made(
    monkeypatch: pytest.MonkeyPatch, model: str, words: str
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(Misconfigured) as raised:
        model_agent(model)
    assert (raised.value.message, raised.value.field) == (words, "model")
    assert raised.value.__suppress_context__


def test_a_provider_whose_package_is_missing_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mistralai", None)
    monkeypatch.delitem(sys.modules, "pydantic_ai.providers.mistral", raising=False)
    with pytest.raises(
        Misconfigured, match=r'needs a package that is not installed: pip install "pydantic-ai-slim\[mistral\]"'
    ) as raised:
        model_agent("mistral:large")
    assert raised.value.field == "model"


@pytest.mark.parametrize(("model", "base_url"), [("anthropic:claude", "http://localhost"), ("openai-chat:x", "localhost:8000")])
def test_an_address_that_cannot_be_used_is_refused(model: str, base_url: str) -> None:
    with pytest.raises(DeskmateError) as raised:
        model_agent(model, base_url=base_url)
    assert raised.value.field == "base_url"


def test_importing_the_runners_loads_no_agent_framework_and_importing_this_one_no_provider() -> None:
    code = """
import sys, deskmate.runners
before = "pydantic_ai" in sys.modules
import deskmate.runners.pydantic_ai
print(before, "openai" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
