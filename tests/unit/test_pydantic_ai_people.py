"""The Pydantic AI runner when people are asked, and when it is taken up again from what the thread has stored."""

import json
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import ModelResponse, ToolCallPart, ToolReturnPart
from tests.fakes.openai_server import Call, OpenAIServer, Reply
from tests.fakes.turns import ANA, ask_of, look, openai_agent, outputs_of, says, served, steps_of, stored, turn

from deskmate.domain.actors import Author
from deskmate.domain.agents import Step
from deskmate.domain.messages import ContextMessage, Text, ToolCall, ToolResult
from deskmate.domain.requests import RequestKind
from deskmate.runners.pydantic_ai.history import INTERRUPTED, repair


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    async with served(monkeypatch) as running:
        yield running


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
