"""Transcripts: every shape of recorded conversation that is known, and what is refused, with the field that is wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import Text, ToolCall, ToolResult
from deskmate.domain.parts import dump
from deskmate.domain.transcripts import LONGEST_LINE, Conversation, conversation, read_line
from deskmate.errors import Invalid

HELLO: dict[str, Any] = {"role": "user", "content": "Hello"}


def read(record: object, **options: Any) -> Conversation:
    """The record as it comes out of a file."""
    return conversation(read_line(json.dumps(record)), **{"source": "test"} | options)


def call(name: str = "look", arguments: object = "{}", id: object = "c1") -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]}  # fmt: skip # noqa: E501


def refusal(record: object, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as error:
        read(record, **options)
    assert error.value.field is None or error.value.field in error.value.message
    return error.value


@pytest.mark.parametrize("record", [
    [HELLO], {"messages": [HELLO]}, {"traj": [HELLO]}, {"trajectory": [HELLO]}, {"conversation": [HELLO]},
    {"messages": [HELLO], "tools": [{"type": "function"}], "parallel_tool_calls": False},
])  # fmt: skip
def test_a_list_of_messages_is_found_in_every_known_envelope(record: object) -> None:
    found = read(record)
    assert [(entry.message.role, entry.message.parts) for entry in found.entries] == [("user", (Text(text="Hello"),))]
    assert found.customer_texts == ("Hello",)


def test_each_role_has_its_author_and_instructions_are_not_the_systems_own_words() -> None:
    found = read([
        {"role": "system", "content": "Be kind."}, {"role": "developer", "content": "Be brief."}, HELLO,
        {"role": "assistant", "content": "Hi.", "name": "Robin"}, call(), {"role": "tool", "tool_call_id": "c1", "content": "x"},
    ])  # fmt: skip
    authors = [(entry.message.role, entry.message.author.kind, entry.message.author.name) for entry in found.entries]
    assert authors == [
        ("system", AuthorKind.SERVICE, "Instructions"), ("system", AuthorKind.SERVICE, "Instructions"),
        ("user", AuthorKind.CUSTOMER, "Customer"), ("assistant", AuthorKind.AGENT, "Robin"),
        ("assistant", AuthorKind.AGENT, "AI"), ("tool", AuthorKind.AGENT, "AI"),
    ]  # fmt: skip
    assert [entry.message.provider_metadata for entry in found.entries[:2]] == [None, {"import": {"role": "developer"}}]


def test_a_customers_own_name_is_kept() -> None:
    assert read([HELLO | {"name": "Ada"}]).entries[0].message.author.name == "Ada"


def test_arguments_are_an_object_where_they_are_one() -> None:
    [part] = read([call(arguments='{"id": 7, "to": ["a"]}')]).entries[0].message.parts
    assert part == ToolCall(call_id="c1", tool="look", input={"id": 7, "to": ["a"]})


@pytest.mark.parametrize("text", [
    "", "not json", "[1]", '"text"', "7", "null", '{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', "{" * 5000,
    '{"a":' * 150 + "1" + "}" * 150,
])  # fmt: skip
def test_arguments_that_are_no_object_are_kept_exactly(text: str) -> None:
    [part] = read([call(arguments=text)]).entries[0].message.parts
    assert isinstance(part, ToolCall)
    assert part.input == text


def test_arguments_may_be_an_object_already_or_missing() -> None:
    assert [read([call(arguments=given)]).entries[0].message.parts[0] for given in ({"a": 1}, None)] == [
        ToolCall(call_id="c1", tool="look", input={"a": 1}), ToolCall(call_id="c1", tool="look", input={}),
    ]  # fmt: skip


def test_text_and_calls_of_one_message_stay_together() -> None:
    [entry] = read([call() | {"content": "One moment."}]).entries
    assert [type(part) for part in entry.message.parts] == [Text, ToolCall]


def test_a_custom_tool_keeps_its_free_text() -> None:
    one = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}]}
    assert read([one]).entries[0].message.parts == (ToolCall(call_id="c1", tool="sql", input="SELECT 1"),)


@pytest.mark.parametrize(("content", "output"), [
    ("{\"a\": 1}", '{"a": 1}'), ("", ""), (None, None), ({"a": 1}, {"a": 1}),
    ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
    ([{"type": "json", "json": {}}], [{"type": "json", "json": {}}]),
])  # fmt: skip
def test_a_result_is_kept_as_the_model_was_given_it(content: object, output: object) -> None:
    found = read([call(), {"role": "tool", "tool_call_id": "c1", "content": content}])
    assert found.entries[1].message.parts == (ToolResult(call_id="c1", tool="look", output=output),)


def test_function_calls_of_the_old_format_find_their_results_by_name() -> None:
    found = read([
        HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": '{"n": 1}'}},
        {"role": "function", "name": "look", "content": "one"},
        {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": '{"n": 2}'}},
        {"role": "function", "name": "look", "content": "two"},
    ])  # fmt: skip
    calls = [part for entry in found.entries for part in entry.message.parts if isinstance(part, ToolCall)]
    results = [part for entry in found.entries for part in entry.message.parts if isinstance(part, ToolResult)]
    assert [(part.call_id, part.input) for part in calls] == [("call_1", {"n": 1}), ("call_3", {"n": 2})]
    assert [(part.call_id, part.output) for part in results] == [("call_1", "one"), ("call_3", "two")]


def test_pictures_and_sounds_leave_a_word_behind() -> None:
    [entry] = read([{"role": "user", "content": [
        {"type": "text", "text": "See:"}, {"type": "image_url", "image_url": {"url": "https://shop.example/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "input_audio", "input_audio": {}},
    ]}]).entries  # fmt: skip
    assert entry.text == "See: [image: https://shop.example/a.png] [image, not imported] [audio, not imported]"


def test_a_refusal_of_the_model_is_what_it_said() -> None:
    assert read([{"role": "assistant", "content": None, "refusal": "I cannot."}]).entries[0].text == "I cannot."


def test_an_empty_message_keeps_its_place() -> None:
    found = read([HELLO, {"role": "assistant", "content": ""}, {"role": "assistant", "content": None}, HELLO])
    assert [entry.message.parts for entry in found.entries[1:3]] == [(), ()]


def test_the_id_is_the_given_one_or_that_of_the_content() -> None:
    assert read({"id": "a-1", "messages": [HELLO]}).id == "a-1"
    assert read({"conversation_id": 17, "messages": [HELLO]}).id == "17"
    same, other = read([HELLO]), read([HELLO, HELLO])
    assert same.id == read({"messages": [HELLO], "reward": 1}).id == f"sha256:{same.digest}"
    assert same.id != other.id
    assert read({"id": "a-1", "messages": [HELLO]}).digest == same.digest


def test_without_a_field_that_names_them_each_conversation_has_a_customer_of_its_own() -> None:
    first, second = read({"id": "a", "messages": [HELLO]}), read({"id": "b", "messages": [HELLO]})
    assert (first.customer.id, first.customer.name) == ("test:a", "a")
    assert second.customer.id == "test:b"
    assert len(read({"id": "a" * 200, "messages": [HELLO]}).customer.id) <= 200


def test_the_customer_is_found_by_a_path() -> None:
    record = {"messages": [HELLO], "user": {"id": 7, "name": "Ada", "email": "ada@shop.example"}}
    assert read(record, customer_field="user.id").customer.id == "7"
    found = read(record, customer_field="user").customer
    assert (found.id, found.name, found.email) == ("7", "Ada", "ada@shop.example")
    assert refusal(record, customer_field="user.login").field == "user.login"


def test_the_subject_is_the_customers_first_words() -> None:
    assert read([{"role": "assistant", "content": "Welcome!"}, {"role": "user", "content": " My \n tent "}]).subject == "My tent"
    assert read([{"role": "assistant", "content": "Welcome!"}]).subject is None
    long = read([{"role": "user", "content": "word " * 50}]).subject
    assert long is not None
    assert len(long) <= 80
    assert long.endswith("…")


@pytest.mark.parametrize("given", ["2026-01-05T10:00:00+01:00", "2026-01-05T09:00:00", "2026-01-05T09:00:00Z", 1767603600, 1767603600000, 1767603600.0])  # fmt: skip # noqa: E501
def test_times_are_read_in_every_usual_form(given: object) -> None:
    nine = datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert read([HELLO | {"created_at": given}]).times == (nine,)
    assert read({"messages": [HELLO], "created": given}).times == (nine,)


def test_a_message_without_a_time_is_as_old_as_the_one_before_it() -> None:
    found = read([HELLO, HELLO | {"timestamp": 100}, HELLO, HELLO | {"timestamp": 200}])
    assert [at.timestamp() if at else None for at in found.times] == [100, 100, 100, 200]
    assert read([HELLO, HELLO]).times == (None, None)


def test_a_call_for_a_person_is_found_with_its_reason_and_what_came_of_it() -> None:
    transfer = call("transfer_to_human_agents", '{"summary": "Wants a refund."}', "c7")
    found = read([HELLO, transfer, {"role": "tool", "tool_call_id": "c7", "content": "Transfer successful"}])
    [one] = found.escalated
    assert (one.call, one.result, one.call_id, one.reason, one.output) == (1, 2, "c7", "Wants a refund.", "Transfer successful")
    assert read([HELLO, transfer]).escalated[0].result is None
    assert read([HELLO, transfer], escalate_tools=("call_a_human",)).escalated == ()


def test_a_result_that_was_there_before_the_call_is_not_that_of_the_call() -> None:
    early = {"role": "tool", "tool_call_id": "c1", "content": "too early"}
    assert read([early, call("transfer_to_human_agents")]).escalated[0].result is None


WRONG: list[tuple[object, str]] = [
    (7, "messages"), ("text", "messages"), (None, "messages"), ({}, "messages"), ([], "messages"), ({"messages": {}}, "messages"),
    ({"traj": []}, "traj"), ({"messages": ["hi"]}, "messages[0]"), ([HELLO, {"content": "x"}], "messages[1].role"),
    ([{"role": "human", "content": "x"}], "messages[0].role"), ([{"role": ["user"], "content": "x"}], "messages[0].role"),
    ([{"role": "user", "content": 7}], "messages[0].content"), ([{"role": "user", "content": [7]}], "messages[0].content[0]"),
    ([{"role": "user", "content": [{"type": "hologram"}]}], "messages[0].content[0].type"),
    ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
    ([{"role": "assistant", "tool_calls": {}}], "messages[0].tool_calls"),
    ([{"role": "assistant", "tool_calls": [7]}], "messages[0].tool_calls[0]"),
    ([{"role": "assistant", "tool_calls": [{"id": "a"}]}], "messages[0].tool_calls[0].function"),
    ([call(name="")], "messages[0].tool_calls[0].function.name"),
    ([call(arguments=7)], "messages[0].tool_calls[0].function.arguments"),
    ([call(id=7)], "messages[0].tool_calls[0].id"),
    ([{"role": "assistant", "tool_calls": call()["tool_calls"] * 1001}], "messages[0].tool_calls"),
    ([{"role": "assistant", "function_call": "look"}], "messages[0].function_call"),
    ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
    ([{"role": "tool", "tool_call_id": 7}], "messages[0].tool_call_id"),
    ([HELLO | {"name": 7}], "messages[0].name"), ([HELLO | {"created_at": "yesterday"}], "messages[0].created_at"),
    ([HELLO | {"created_at": True}], "messages[0].created_at"), ([HELLO | {"created_at": 1e300}], "messages[0].created_at"),
    ([HELLO | {"created_at": -9e9}], "messages[0].created_at"), ({"messages": [HELLO], "id": ""}, "id"),
    ({"messages": [HELLO], "id": "a" * 201}, "id"), ({"messages": [HELLO], "id": ["a"]}, "id"),
    ({"messages": [HELLO], "id": "a\x00"}, "id"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "field"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_cannot_be_read_is_refused_and_the_field_is_named(record: object, field: str) -> None:
    assert refusal(record).field == field


@pytest.mark.parametrize(("line", "says"), [
    (b"{", "no JSON"), (b"\xff\xfe", "no UTF-8"), ("[" * 100_000, "nested"), ("[" * 150 + "]" * 150, "nested"),
    ('{"a": NaN}', "NaN"), ("1e999", "too large"), ("9" * 5000, "no JSON"), (b" " * (LONGEST_LINE + 1), "64 MiB"),
], ids=range(8))  # fmt: skip
def test_a_line_that_is_no_json_is_refused_in_words(line: str | bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_line(line)


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), {1: "a", "b": 2}, object()])
def test_values_that_are_no_json_are_refused(value: object) -> None:
    with pytest.raises(Invalid, match="cannot be written as JSON"):
        conversation([HELLO | {"extra": value}], source="test")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_text_that_no_store_can_hold_is_cleaned(text: str) -> None:
    found = read(
        [{"role": "user", "content": text, "name": text}, call(name=text, id=text), {"role": "tool", "tool_call_id": text}]
    )
    for entry in found.entries:
        assert "\x00" not in entry.text + entry.message.author.name
        (entry.text + entry.message.author.name).encode()
    assert found.entries[1].message.parts[0].call_id == found.entries[2].message.parts[0].call_id  # pyright: ignore


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "function_call", "refusal", "created_at"])
HOSTILE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", "function"]) | JSON},
    optional={"content": JSON, "name": JSON},
).flatmap(lambda base: st.dictionaries(NAMES, JSON, max_size=3).map(lambda more: base | more))


@given(st.lists(HOSTILE, max_size=5) | JSON)
def test_whatever_comes_it_is_read_or_refused_by_name(record: object) -> None:
    try:
        found = read(record)
    except Invalid:
        return
    assert len(found.entries) == len(found.times)
    assert AuthorKind.SYSTEM not in {entry.message.author.kind for entry in found.entries}
    dump(part for entry in found.entries for part in entry.message.parts).encode()


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
OBJECTS = st.dictionaries(WORDS, JSON.filter(lambda value: "\\u0000" not in json.dumps(value)), max_size=3)


@given(st.lists(st.tuples(WORDS, OBJECTS, WORDS), min_size=1, max_size=5))
def test_words_calls_and_results_come_out_as_they_went_in(turns: list[tuple[str, dict[str, Any], str]]) -> None:
    record: list[dict[str, Any]] = []
    for number, (words, arguments, result) in enumerate(turns):
        record += [
            {"role": "user", "content": words}, call(arguments=json.dumps(arguments), id=f"c{number}"),
            {"role": "tool", "tool_call_id": f"c{number}", "content": result},
        ]  # fmt: skip
    parts = [entry.message.parts for entry in read(record).entries]
    for number, (words, arguments, result) in enumerate(turns):
        assert parts[3 * number : 3 * number + 3] == [
            (Text(text=words),), (ToolCall(call_id=f"c{number}", tool="look", input=arguments),),
            (ToolResult(call_id=f"c{number}", tool="look", output=result),),
        ]  # fmt: skip
