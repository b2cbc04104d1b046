"""What a model is given. P6: it never sees a broken history."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from deskmate.domain.actors import SYSTEM, Author, AuthorKind
from deskmate.domain.context import close, context, loose_ends
from deskmate.domain.messages import (
    ApprovalRequest,
    ApprovalResponse,
    ContextMessage,
    Message,
    MessageStatus,
    ModelRole,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Visibility,
)

AT = datetime(2026, 1, 5, tzinfo=UTC)


def message(
    order: int,
    step: int,
    role: ModelRole,
    *parts: Part | str,
    status: MessageStatus = MessageStatus.SUCCESS,
    visibility: Visibility = Visibility.PUBLIC,
    author: Author | None = None,
) -> Message:
    return Message(
        id=f"m{order}.{step}", thread="th_1", order=order, step=step, role=role,
        parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts),
        author=author or Author(kind=AuthorKind.CUSTOMER), status=status, visibility=visibility, created_at=AT, updated_at=AT,
    )  # fmt: skip


def call(id: str, tool: str = "lookup") -> ToolCall:
    return ToolCall(call_id=id, tool=tool, input={})


def result(id: str, output: object = "ok", tool: str = "lookup") -> ToolResult:
    return ToolResult(call_id=id, tool=tool, output=output)


def shown(*messages: ContextMessage) -> list[tuple[object, ...]]:
    def brief(part: Part) -> str:
        match part:
            case Text():
                return part.text
            case ToolCall():
                return f"call {part.call_id}"
            case ToolResult():
                return f"denied {part.call_id}: {part.reason}" if part.denied else f"{part.call_id} = {part.output}"
            case _:
                return type(part).__name__

    return [(m.role, *map(brief, m.parts)) for m in messages]


def test_a_context_ends_with_the_new_prompt() -> None:
    history = [message(0, 0, "user", "hi"), message(0, 1, "assistant", "hello")]
    assert shown(*context(history, prompt="and?")) == [("user", "hi"), ("assistant", "hello"), ("user", "and?")]


def test_only_finished_public_messages_are_given_unless_asked_for() -> None:
    note = message(1, 2, "assistant", "she is angry", visibility=Visibility.NOTE)
    history = [
        message(0, 0, "user", "hi"),
        message(0, 1, "assistant", "oh no", status=MessageStatus.FAILED),
        message(1, 0, "user", "there?"),
        message(1, 1, "assistant", "draft", visibility=Visibility.DRAFT),
        note,
        message(1, 3, "assistant", status=MessageStatus.PENDING),
    ]
    assert shown(*context(history)) == [("user", "hi"), ("user", "there?")]
    assert ("assistant", "she is angry") in shown(*context(history, prompt_message=note.id))


def test_a_marker_of_the_desk_is_given_and_its_lines_for_the_customer_are_not() -> None:
    history = [
        message(0, 0, "user", "hi"),
        message(0, 1, "system", "One moment.", author=SYSTEM.author),
        message(1, 0, "system", "Ana handed back.", author=SYSTEM.author, visibility=Visibility.NOTE),
        message(1, 1, "system", "Be brief.", author=Author(kind=AuthorKind.SERVICE)),
    ]
    assert shown(*context(history)) == [("user", "hi"), ("system", "Ana handed back."), ("system", "Be brief.")]


def test_what_stands_behind_the_prompt_on_its_order_follows_a_text_in_its_place() -> None:
    history = [message(0, 0, "user", "old"), message(1, 0, "user", "prompt"), message(1, 1, "assistant", "begun")]
    extra = [ContextMessage(role="user", parts=(Text(text="extra"),))]
    given_context = context(history, prompt_message="m1.0", prompt="other words", messages=extra)
    assert shown(*given_context) == [("user", "old"), ("user", "extra"), ("user", "other words"), ("assistant", "begun")]


def test_a_failed_prompt_is_part_of_its_own_context() -> None:
    prompt = message(0, 0, "user", "hi", status=MessageStatus.FAILED)
    assert shown(*context([prompt], prompt_message=prompt.id)) == [("user", "hi")]


def test_p6_a_result_without_its_call_and_a_call_without_its_result_are_left_out() -> None:
    history = [
        message(0, 0, "user", "hi"),
        message(0, 1, "assistant", "looking", call("c1"), call("c2")),
        message(0, 2, "tool", result("c2"), result("c9")),
        message(0, 3, "assistant", call("c3")),
    ]
    assert shown(*context(history)) == [("user", "hi"), ("assistant", "looking", "call c2"), ("tool", "c2 = ok")]


def test_p6_an_answer_that_came_late_stands_right_behind_its_call() -> None:
    history = [
        message(0, 0, "user", "hi"),
        message(0, 1, "assistant", call("c1")),
        message(0, 2, "assistant", "still there?"),
        message(0, 3, "tool", result("c1", "yes")),
    ]
    assert shown(*context(history)) == [
        ("user", "hi"), ("assistant", "call c1"), ("tool", "c1 = yes"), ("assistant", "still there?"),
    ]  # fmt: skip


def test_p6_models_that_count_their_calls_anew_in_each_turn_are_understood() -> None:
    history = [
        message(0, 0, "assistant", call("call_1")),
        message(0, 1, "tool", result("call_1", "first")),
        message(1, 0, "assistant", call("call_1")),
        message(2, 0, "assistant", call("call_1")),
        message(2, 1, "tool", result("call_1", "third")),
    ]
    assert shown(*context(history)) == [
        ("assistant", "call call_1"), ("tool", "call_1 = first"), ("assistant", "call call_1"), ("tool", "call_1 = third"),
    ]  # fmt: skip


def test_refused_and_unanswered_approvals_are_denied_results() -> None:
    asked = [ApprovalRequest(approval_id=f"a{n}", call_id=f"c{n}") for n in (1, 2, 3)]
    history = [
        message(0, 0, "user", "refund"),
        message(0, 1, "assistant", call("c1"), call("c2"), call("c3"), *asked),
        message(0, 2, "tool", ApprovalResponse(approval_id="a1", approved=False, reason="too much")),
        message(0, 3, "tool", ApprovalResponse(approval_id="a2", approved=True)),
    ]
    denied = ("tool", "denied c3: nobody answered; the conversation went on", "denied c1: too much")
    assert shown(*context(history)) == [("user", "refund"), ("assistant", "call c1", "call c3"), denied]
    kept = context(history, keep_approved=True)
    assert shown(*kept) == [("user", "refund"), ("assistant", "call c1", "call c2", "call c3"), denied]


def test_without_tools_only_words_are_given() -> None:
    history = [
        message(0, 0, "user", "hi"),
        message(0, 1, "assistant", "looking", call("c1")),
        message(0, 2, "tool", result("c1")),
    ]
    assert shown(*context(history, exclude_tool=True)) == [("user", "hi")]


def test_a_cut_between_a_call_and_its_result_is_a_loose_end() -> None:
    asked, answered = message(0, 0, "assistant", call("c1")), message(0, 1, "tool", result("c1"))
    assert loose_ends([answered]) == {"call c1"}
    assert not loose_ends([asked, answered])


IDS = st.sampled_from(["c1", "c2", "c3"])
PARTS = st.one_of(
    st.builds(Text, text=st.sampled_from(["a", "b"])),
    st.builds(call, IDS),
    st.builds(result, IDS),
    st.builds(ApprovalRequest, approval_id=st.sampled_from(["a1", "a2"]), call_id=IDS),
    st.builds(ApprovalResponse, approval_id=st.sampled_from(["a1", "a2"]), approved=st.booleans()),
)
MESSAGES = st.builds(
    ContextMessage, role=st.sampled_from(["user", "assistant", "tool"]), parts=st.lists(PARTS, max_size=4).map(tuple)
)


@given(sequence=st.lists(MESSAGES, max_size=8))
def test_p6_every_call_is_answered_at_once_and_every_result_answers_a_call(sequence: list[ContextMessage]) -> None:
    closed = close(sequence)
    for at, said in enumerate(closed):
        calls = [part.call_id for part in said.parts if isinstance(part, ToolCall)]
        results = [part.call_id for part in said.parts if isinstance(part, ToolResult)]
        assert said.parts
        assert not any(isinstance(part, ApprovalRequest | ApprovalResponse) for part in said.parts)
        assert len(set(calls)) == len(calls)
        if calls:
            answers = closed[at + 1]
            assert answers.role == "tool"
            assert sorted(part.call_id for part in answers.parts if isinstance(part, ToolResult)) == sorted(calls)
        if results:
            asked = [part.call_id for part in closed[at - 1].parts if isinstance(part, ToolCall)]
            assert at > 0
            assert sorted(results) == sorted(asked)


@given(sequence=st.lists(MESSAGES, max_size=8))
def test_words_keep_their_order_and_none_is_lost(sequence: list[ContextMessage]) -> None:
    def words(messages: list[ContextMessage]) -> list[str]:
        return [part.text for m in messages for part in m.parts if isinstance(part, Text)]

    assert words(list(close(sequence))) == words(sequence)


@given(sequence=st.lists(MESSAGES, max_size=8))
def test_a_closed_context_stays_as_it_is(sequence: list[ContextMessage]) -> None:
    closed = close(sequence)
    assert close(closed) == closed
