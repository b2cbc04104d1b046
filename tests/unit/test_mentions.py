"""Who a note calls on: the longest name that fits, in any case and script; addresses of e-mail call on nobody."""

import pytest

from deskmate.domain.mentions import MOST, mentioned_in

PEOPLE = [
    ("op_1", "Ana"), ("op_2", "Ana Maria"), ("op_3", "JOSÉ"), ("op_4", "Straße"), ("op_5", "田中"), ("op_6", "Ben"),
    ("op_7", "ben"), ("op_8", "राम"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Ana, can you look?", ["op_1"]),
        ("@ana maria knows, @ANA does not", ["op_2", "op_1"]),
        ("@Ana Marianne", ["op_1"]),
        ("@Anabel and @Ana_2", []),
        ("ask (@jose\u0301)", ["op_3"]),
        ("@STRASSE!", ["op_4"]),
        ("@Ana\u00a0Maria", ["op_2"]),
        ("\uff20Ana", ["op_1"]),
        ("@田中さん、お願いします", ["op_5"]),
        ("問い@田中", ["op_5"]),
        ("@Ben", ["op_6", "op_7"]),
        ("@राम जी, @रामा", ["op_8"]),
        ("@op_3 and @{op_1}x", ["op_3", "op_1"]),
        ("@op_11", []),
        ("ana@ana.example, write to me@Ana", []),
        ("@@Ana @ Ana @", []),
        ("@Ana @Ana @ana", ["op_1"]),
        ("", []),
    ],
)
def test_a_note_calls_on_whom_it_names(text: str, who: list[str]) -> None:
    assert list(mentioned_in(text, PEOPLE)) == who


def test_what_calls_on_everybody_all_the_time_is_not_read_to_its_end() -> None:
    assert mentioned_in("@nobody " * MOST + "@Ana", PEOPLE) == ()
