"""The Pydantic AI runner alone: against a server that speaks OpenAI's protocol, and scripted models where that is enough."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset
from tests.fakes.openai_server import MODEL, Call, Hold, OpenAIServer, Reply
from tests.fakes.turns import ask_of, collect, look, openai_agent, outputs_of, says, served, steps_of, stored, turn

from deskmate.domain.agents import Ask, Delta, Output, Question, Step
from deskmate.domain.messages import File, Text, ToolCall, ToolResult
from deskmate.errors import Invalid, Misconfigured, ModelFailed, NotFound
from deskmate.runners.pydantic_ai import AskHuman, PydanticAgent
from deskmate.runners.pydantic_ai.history import repair, with_results


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    async with served(monkeypatch) as running:
        yield running


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


async def test_a_tool_that_runs_elsewhere_waits_for_its_result(server: OpenAIServer) -> None:
    elsewhere = ExternalToolset([ToolDefinition(name="look", parameters_json_schema={"type": "object"})])
    agent = Agent(f"openai-chat:{MODEL}", toolsets=[elsewhere])
    server.script(Reply(calls=[Call("look", {"at": "x"})]))
    [asked] = await outputs_of(PydanticAgent(agent), turn())
    assert isinstance(asked, Ask)
    [question] = asked.requests
    assert isinstance(question, Question)
    assert (question.question, question.reason) == ("What is the result of look?", '{"at":"x"}')
    assert isinstance(asked.step.parts[0], ToolCall)


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


# Limits


async def test_at_its_limit_an_agent_ends_with_the_results_of_its_last_tools(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("look", {"at": "Lyon"})]), Reply("Wait.", calls=[Call("look", {"at": "Nice"})]))
    steps = steps_of(await outputs_of(openai_agent(look, max_steps=2), turn()))
    assert [(step.role, step.final) for step in steps] == [
        ("assistant", False), ("tool", False), ("assistant", False), ("tool", True),
    ]  # fmt: skip
    assert len(server.seen) == 2


async def test_an_agent_that_ends_or_asks_in_time_does_not_notice_its_limit(server: OpenAIServer) -> None:
    server.script(Reply(calls=[Call("look", {"at": "Lyon"})]), Reply("Open."))
    *_, answer = steps_of(await outputs_of(openai_agent(look, max_steps=2), turn()))
    assert (answer.parts, answer.final) == ((Text(text="Open."),), True)
    server.script(Reply(calls=[Call("ask_human", {"question": "Open?"})]))
    assert ask_of(await outputs_of(openai_agent(look, max_steps=1), turn())).requests


async def test_words_that_were_not_accepted_are_the_last_at_the_limit() -> None:
    agent = Agent(FunctionModel(lambda messages, info: says_so("Hm.")), name="support")

    @agent.output_validator
    def never(output: str) -> str:
        raise ModelRetry("say more")

    [step] = steps_of(await outputs_of(PydanticAgent(agent, stream=False, max_steps=1), turn()))
    assert (step.parts, step.final) == ((Text(text="Hm."),), True)


def says_so(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)])


def test_a_limit_is_a_number_from_one() -> None:
    with pytest.raises(Invalid) as refused:
        PydanticAgent(Agent(TestModel()), max_steps=0)
    assert refused.value.field == "max_steps"


def test_what_has_just_come_of_a_call_stands_before_the_refusals_of_its_step() -> None:
    one, two, three = (ToolCall(call_id=id, tool="look", input={}) for id in ("c1", "c2", "c3"))
    refused = ToolResult(call_id="c1", tool="look", denied=True)
    known, new = (ToolResult(call_id=id, tool="look", output="seen") for id in ("c2", "c3"))
    history = [says("user", "Look"), says("assistant", one, two, three), says("tool", refused, known), says("user", "And?")]
    joined = with_results(history, [new])
    assert joined == (history[0], history[1], says("tool", known, new, refused), history[3])
    assert with_results(history[:2], [new]) == (*history[:2], says("tool", new))
    returned = [
        part.tool_call_id for part in repair(joined, human_tools=()).messages[2].parts if isinstance(part, ToolReturnPart)
    ]
    assert returned == ["c2", "c3", "c1"]
