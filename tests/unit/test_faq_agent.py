"""The FAQ agent: when it answers, when it asks people, and how their answers reach the customer."""

from collections.abc import Sequence

import pytest

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.agents import Ask, Delta, Output, Runner, Step, Turn
from deskmate.domain.messages import ContextMessage, Text, ToolCall, ToolResult
from deskmate.errors import Misconfigured
from deskmate.runners.faq import DEFAULT_FLOOR, FaqAgent, FaqLibrary

SHOP = """# Our shop

## Opening hours
We are open Monday to Saturday from 9:00 to 19:00. On Sundays we are closed.

## How do I return something?
Send it back within 30 days with the label from your order page.

## Delivery to Switzerland
We ship to Switzerland in 5 days.
"""
ANA = Author(kind=AuthorKind.OPERATOR, id="op1", name="Ana")


@pytest.fixture(scope="module")
def agent() -> FaqAgent:
    return FaqAgent(FaqLibrary([("shop.md", SHOP)]))


def user(text: str) -> ContextMessage:
    return ContextMessage(role="user", parts=(Text(text=text),))


def says(text: str) -> ContextMessage:
    return ContextMessage(role="assistant", parts=(Text(text=text),))


def called(call_id: str = "faq_run1_1") -> ContextMessage:
    return ContextMessage(role="assistant", parts=(ToolCall(call_id=call_id, tool="ask_human", input={"question": "?"}),))


def answered(output: object, call_id: str = "faq_run1_1", by: Author | None = ANA, **facts: object) -> ContextMessage:
    denied, reason = bool(facts.get("denied")), facts.get("reason")
    result = ToolResult(
        call_id=call_id, tool="ask_human", output=output, by=by, denied=denied, reason=reason if isinstance(reason, str) else None
    )
    return ContextMessage(role="tool", parts=(result,))


def turn(*history: ContextMessage, run: str = "run1", resumed: bool = False) -> Turn:
    prompts = [part.text for message in history if message.role == "user" for part in message.parts if isinstance(part, Text)]
    return Turn(thread="t", run=run, customer="c", prompt_text=prompts[-1] if prompts else "", history=history, resumed=resumed)


async def run(agent: FaqAgent, given: Turn) -> list[Output]:
    return [output async for output in agent.run(given)]


def spoken(outputs: Sequence[Output]) -> list[str]:
    """The texts of the steps; each was streamed before, piece by piece."""
    texts: list[str] = []
    streamed = ""
    for output in outputs:
        match output:
            case Delta(text=piece):
                streamed += piece
            case Step(parts=(Text(text=text),)):
                assert streamed == text
                texts.append(text)
                streamed = ""
            case _:
                pass
    return texts


def asked(outputs: Sequence[Output]) -> Ask:
    (only,) = outputs
    assert isinstance(only, Ask)
    return only


def test_it_is_a_runner(agent: FaqAgent) -> None:
    runner: Runner = agent
    assert runner.name == "Support AI"
    assert runner.provider_names == {"provider": "deskmate", "model": "faq"}


async def test_a_known_question_is_streamed_and_then_stored_as_one_step_with_its_source(agent: FaqAgent) -> None:
    outputs = await run(agent, turn(user("What are your opening hours?")))
    (text,) = spoken(outputs)
    assert "9:00 to 19:00" in text
    assert text.endswith("Source: Our shop › Opening hours (shop.md)")
    assert sum(isinstance(output, Delta) for output in outputs) > 1
    last = outputs[-1]
    assert isinstance(last, Step)
    assert (last.role, last.provider, last.model) == ("assistant", "deskmate", "faq")


async def test_an_unknown_question_asks_people_with_confidence_and_floor(agent: FaqAgent) -> None:
    ask = asked(await run(agent, turn(user("Do you repair leather jackets?"))))
    (request,) = ask.requests
    assert request.question == "Do you repair leather jackets?"
    assert request.confidence is not None
    assert request.confidence < DEFAULT_FLOOR == request.floor
    assert ask.notice is not None
    assert ask.notice.startswith("One moment")
    (call,) = ask.step.parts
    assert isinstance(call, ToolCall)
    assert (call.tool, call.call_id) == ("ask_human", request.call_id)
    assert call.input == {"question": request.question, "reason": request.reason}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("zzzz qqqq", "The FAQ has nothing on this."),
        ("Are you open on Whitmonday?", "The FAQ does not cover “whitmonday”."),
        ("Are you open on Whitmonday and Easter?", "The FAQ does not cover “whitmonday” and “easter”."),
        ("opening hours", "The best passage fits only partly."),
    ],
)
async def test_the_reason_is_a_plain_sentence_without_numbers(message: str, reason: str) -> None:
    agent = FaqAgent(FaqLibrary([("shop.md", SHOP)]), floor=1.0)
    (request,) = asked(await run(agent, turn(user(message)))).requests
    assert request.reason == reason


async def test_only_the_last_step_of_a_run_that_ends_is_final(agent: FaqAgent) -> None:
    def finals(outputs: Sequence[Output]) -> list[bool]:
        return [output.final for output in outputs if isinstance(output, Step)]

    answer = (user("Do you repair jackets?"), called(), answered("Yes."))
    assert finals(await run(agent, turn(user("What are your opening hours?")))) == [True]
    assert finals(await run(agent, turn(user("hello")))) == [True]
    assert finals(await run(agent, turn(*answer, resumed=True))) == [True]
    assert finals(await run(agent, turn(*answer, user("What are your opening hours?"), resumed=True))) == [False, True]
    asks = await run(agent, turn(*answer, user("Do you paint walls?"), resumed=True))
    assert finals(asks) == [False]
    assert isinstance(asks[-1], Ask)
    assert not asks[-1].step.final


async def test_below_a_higher_floor_the_best_passage_becomes_the_suggestion() -> None:
    agent = FaqAgent(FaqLibrary([("shop.md", SHOP)]), floor=1.0)
    (request,) = asked(await run(agent, turn(user("What are your opening hours?")))).requests
    assert request.suggestion is not None
    assert "9:00 to 19:00" in request.suggestion


async def test_nothing_found_suggests_nothing(agent: FaqAgent) -> None:
    (request,) = asked(await run(agent, turn(user("zzzz qqqq")))).requests
    assert (request.suggestion, request.confidence) == (None, 0.0)


@pytest.mark.parametrize("floor", [-0.1, 1.1])
def test_a_floor_outside_0_and_1_is_a_misconfiguration(floor: float) -> None:
    with pytest.raises(Misconfigured) as caught:
        FaqAgent(FaqLibrary([("shop.md", SHOP)]), floor=floor)
    assert caught.value.field == "floor"


@pytest.mark.parametrize(
    "message", ["hi", "Hello there!", "Good morning", "thank you so much!", "Thanks, that helped", "ok great", "bye"]
)
async def test_small_talk_gets_a_friendly_line_and_no_person(agent: FaqAgent, message: str) -> None:
    (text,) = spoken(await run(agent, turn(user(message))))
    assert "Source:" not in text


@pytest.mark.parametrize("message", ["hi, what are your opening hours?", "Thanks! And how do I return something?"])
async def test_a_greeting_before_a_question_does_not_hide_it(agent: FaqAgent, message: str) -> None:
    (text,) = spoken(await run(agent, turn(user(message))))
    assert "Source:" in text


@pytest.mark.parametrize(
    "message",
    [
        "I want to talk to a human",
        "can I speak to a real person please?",
        "agent!",
        "human",
        "please connect me with an operator",
        "I need a human",
        "Could you transfer me to customer service",
        "let me talk to someone from your team",
        "I'd like to speak with a support agent about opening hours",
    ],
)
async def test_who_wants_a_person_gets_one(agent: FaqAgent, message: str) -> None:
    (request,) = asked(await run(agent, turn(user(message)))).requests
    assert request.reason == "The customer asks for a person."


@pytest.mark.parametrize(
    "message", ["How do I add a person to my account?", "how do I return something for an agent", "which agents run on Linux"]
)
async def test_a_question_about_persons_and_agents_is_no_wish_for_one(agent: FaqAgent, message: str) -> None:
    outputs = await run(agent, turn(user(message)))
    assert not any(
        request.reason == "The customer asks for a person." for o in outputs if isinstance(o, Ask) for request in o.requests
    )


async def test_an_answer_that_did_not_help_brings_a_person_with_the_question_before_it(agent: FaqAgent) -> None:
    history = (user("How do I return something?"), says("Send it back ..."), user("that didn't work"))
    (request,) = asked(await run(agent, turn(*history))).requests
    assert request.reason == "The customer says that the last answer did not help."
    assert "How do I return something?" in request.question


async def test_a_follow_up_uses_the_message_before_it(agent: FaqAgent) -> None:
    history = (user("When are you open?"), says("We are open ..."), user("and on Sundays?"))
    (text,) = spoken(await run(agent, turn(*history)))
    assert "On Sundays we are closed" in text


async def test_a_follow_up_that_must_be_asked_carries_the_message_before_it(agent: FaqAgent) -> None:
    history = (user("Do you repair leather jackets?"), says("..."), user("and what about suede?"))
    (request,) = asked(await run(agent, turn(*history))).requests
    assert request.question.startswith("and what about suede?")
    assert "Do you repair leather jackets?" in request.question


async def test_two_questions_are_answered_in_one_message_when_both_are_known(agent: FaqAgent) -> None:
    (text,) = spoken(await run(agent, turn(user("What are your opening hours? And do you ship to Switzerland?"))))
    assert "9:00 to 19:00" in text
    assert "in 5 days" in text
    assert len(text) <= 2_000


async def test_two_questions_of_which_one_is_unknown_are_asked(agent: FaqAgent) -> None:
    outputs = await run(agent, turn(user("What are your opening hours? Do you repair leather jackets?")))
    assert isinstance(outputs[-1], Ask)


async def test_the_same_run_asks_under_the_same_id_and_a_second_time_under_the_next(agent: FaqAgent) -> None:
    first = asked(await run(agent, turn(user("Do you repair leather jackets?"))))
    again = asked(await run(agent, turn(user("Do you repair leather jackets?"))))
    assert first == again
    other = asked(await run(agent, turn(user("Do you repair leather jackets?"), run="run2")))
    assert other.requests[0].call_id != first.requests[0].call_id
    later = turn(
        user("Do you repair leather jackets?"),
        called(),
        answered("No."),
        says("Ana from the team: No."),
        user("Do you paint walls?"),
    )
    assert asked(await run(agent, later)).requests[0].call_id == "faq_run1_2"


async def test_a_persons_answer_is_brought_to_the_customer_with_their_name(agent: FaqAgent) -> None:
    outputs = await run(agent, turn(user("Is the Lyon shop open?"), called(), answered("Yes, until 19:00."), resumed=True))
    assert spoken(outputs) == ["Ana from the team: Yes, until 19:00."]


async def test_an_answer_that_was_brought_is_not_brought_again(agent: FaqAgent) -> None:
    told = (user("Is the Lyon shop open?"), called(), answered("Yes."), says("Ana from the team: Yes."))
    assert await run(agent, turn(*told, resumed=True)) == []


async def test_an_answer_on_an_earlier_turn_is_brought_though_a_newer_message_is_the_prompt(agent: FaqAgent) -> None:
    history = (
        user("Is the Lyon shop open?"),
        called(),
        answered("Yes."),
        user("What are your opening hours?"),
        says("9:00 to 19:00"),
    )
    assert spoken(await run(agent, turn(*history, resumed=True))) == ["Ana from the team: Yes."]


async def test_a_newer_message_that_nobody_answered_is_answered_after_the_persons_answer(agent: FaqAgent) -> None:
    history = (user("Do you repair jackets?"), called(), answered("Yes."), user("What are your opening hours?"))
    first, second = spoken(await run(agent, turn(*history, resumed=True)))
    assert first == "Ana from the team: Yes."
    assert "9:00 to 19:00" in second
    killed = (*history, says("Ana from the team: Yes."))
    (only,) = spoken(await run(agent, turn(*killed, resumed=True)))
    assert "9:00 to 19:00" in only


async def test_another_runs_answer_on_an_earlier_turn_is_left_to_that_run(agent: FaqAgent) -> None:
    history = (
        user("Do you repair jackets?"),
        called("faq_run0_1"),
        answered("Yes.", "faq_run0_1"),
        user("What are your opening hours?"),
    )
    (text,) = spoken(await run(agent, turn(*history)))
    assert "9:00 to 19:00" in text


async def test_a_new_run_brings_an_answer_that_its_failed_predecessor_left(agent: FaqAgent) -> None:
    history = (user("Do you repair jackets?"), called("faq_run0_1"), answered("Yes.", "faq_run0_1"))
    assert spoken(await run(agent, turn(*history))) == ["Ana from the team: Yes."]


async def test_two_equal_answers_are_brought_twice_not_once(agent: FaqAgent) -> None:
    history = (
        user("Do you repair jackets?"), called(), answered("Yes."), says("Ana from the team: Yes."),
        user("And shoes?"), called("faq_run1_2"), answered("Yes.", "faq_run1_2"),
    )  # fmt: skip
    assert spoken(await run(agent, turn(*history, resumed=True))) == ["Ana from the team: Yes."]


async def test_a_declined_question_ends_in_a_friendly_line_with_the_reason(agent: FaqAgent) -> None:
    history = (user("Do you repair jackets?"), called(), answered(None, denied=True, reason="We do not know."))
    assert spoken(await run(agent, turn(*history, resumed=True))) == [
        "Ana from the team could not answer this. Reason: We do not know."
    ]


async def test_an_expired_question_ends_in_a_friendly_line(agent: FaqAgent) -> None:
    history = (user("Do you repair jackets?"), called(), answered(None, by=None, denied=True))
    assert spoken(await run(agent, turn(*history, resumed=True))) == ["I am sorry, nobody from the team could answer this."]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"answer": "Until 19:00"}, "Until 19:00"),
        ({"open": True, "until": 19}, "open: Yes.\nuntil: 19"),
        (["Mon", "Tue"], "Mon, Tue"),
        (True, "Yes."),
        (0, "0"),
    ],
)
async def test_an_answer_that_is_a_form_is_read_to_the_customer(agent: FaqAgent, output: object, words: str) -> None:
    history = (user("Is it open?"), called(), answered(output))
    assert spoken(await run(agent, turn(*history, resumed=True))) == [f"Ana from the team: {words}"]


async def test_a_run_that_is_woken_without_an_answer_waits_on(agent: FaqAgent) -> None:
    assert await run(agent, turn(user("Do you repair jackets?"), called(), resumed=True)) == []


async def test_after_a_hand_back_an_open_question_is_answered_and_else_it_says_that_it_is_back(agent: FaqAgent) -> None:
    marker = ContextMessage(role="system", parts=(Text(text="Ana handed this back to the AI."),))

    def handed_back(*history: ContextMessage) -> Turn:
        return Turn(thread="t", run="r", customer="c", prompt_text="Ana handed this back to the AI.", history=(*history, marker))

    (text,) = spoken(await run(agent, handed_back(user("What are your opening hours?"))))
    assert "9:00 to 19:00" in text
    (text,) = spoken(await run(agent, handed_back(user("Do you repair jackets?"), says("Yes, we do."))))
    assert text.startswith("I am back.")


@pytest.mark.parametrize("message", ["", " ", "\x00", "?" * 9_000, "💥", "word " * 3_000, "? ? ? ?", "a?\n" * 50])
async def test_hostile_messages_end_in_one_answer_or_one_question(agent: FaqAgent, message: str) -> None:
    outputs = await run(agent, turn(user(message)))
    assert len([output for output in outputs if isinstance(output, Step | Ask)]) == 1
