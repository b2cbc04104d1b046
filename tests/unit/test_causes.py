"""Causes: what is the same in many reasons, and which tool failed."""

import time

import pytest

from deskmate import Text, ToolCall
from deskmate.domain.causes import failed_tool, normal
from deskmate.domain.messages import ToolResult


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("Order 20817 was not found.", "Order … was not found"),
        ("order #A-99/x, line 3: no stock!", "order …, line …: no stock"),
        ('No customer "Ada Lund" here', "No customer … here"),
        ("Tool 'refund_order' exceeded max retries count of 1", "Tool … exceeded max retries count of …"),
        ("It's Ada's parcel, don't wait", "It's Ada's parcel, don't wait"),
        ("write to ada@shop.example or https://shop.example/a b", "write to … or … b"),
        ("  many\n lines\tof   it ", "many lines of it"),
        ("run_01ke70ehg0z 12 34 56", "…"),
        ("Ada Lund wants a person to answer", "a person was asked for"),
        ("bot failed: RuntimeError: no", "RuntimeError: no"),
        ("Eva Roth is angry", "the customer is angry"),
        ("", "…"),
    ],
)
def test_what_differs_from_case_to_case_is_left_out(words: str, same: str) -> None:
    assert normal(words, agent="bot", customer="Eva Roth") == same


@pytest.mark.parametrize("hostile", ["'" * 2000, '"' * 2000, "a-" * 1000, "_" * 2000, "a_" * 1000, "tool " * 400, "1" * 2000])
def test_hostile_reasons_take_no_time(hostile: str) -> None:
    began = time.perf_counter()
    for _ in range(20):
        normal(hostile)
        failed_tool((), hostile)
    assert time.perf_counter() - began < 1.0


def called(tool: str, *, error: bool) -> tuple[ToolCall, ToolResult]:
    return ToolCall(call_id="c", tool=tool, input={}), ToolResult(call_id="c", tool=tool, output="", is_error=error)


def test_the_tool_that_failed_is_the_one_whose_last_result_was_an_error() -> None:
    broken, worked = called("refund", error=True), called("look_up", error=False)
    assert failed_tool((*broken, *worked)) == "refund"
    assert failed_tool((*broken, *called("refund", error=False))) is None
    assert failed_tool((*worked, Text(text="refund failed"))) is None


def test_where_no_result_says_so_the_words_name_the_tool() -> None:
    assert failed_tool((ToolCall(call_id="c", tool="refund", input={}),), "KeyError in refund") == "refund"
    assert failed_tool((ToolCall(call_id="c", tool="refund", input={}),), "KeyError in refunding") is None
    assert failed_tool((), "Tool 'send_label' exceeded max retries count of 1") == "send_label"
    assert failed_tool((), None, "refund_order failed with 502") == "refund_order"
    assert failed_tool((), "the customer is angry") is None
