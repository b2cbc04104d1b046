"""Where new messages go in a thread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskmate.domain import placement
from deskmate.domain.messages import ModelRole, Position
from deskmate.errors import Invalid

ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
PLACES = st.builds(Position, st.integers(0, 30), st.integers(0, 30))


def at_end(*roles: ModelRole, latest: Position | None) -> list[tuple[int, int]]:
    return [tuple(p) for p in placement.positions(roles, placement.at_end(latest), latest)]


def test_the_first_message_of_a_thread_stands_at_zero_whatever_its_role() -> None:
    assert at_end("user", latest=None) == [(0, 0)]
    assert at_end("assistant", latest=None) == [(0, 0)]


def test_a_user_message_opens_the_next_order_and_others_follow_it() -> None:
    assert at_end("user", "assistant", "tool", "user", latest=Position(3, 2)) == [(4, 0), (4, 1), (4, 2), (5, 0)]


def test_other_roles_take_the_next_step_of_the_latest_order() -> None:
    assert at_end("assistant", "system", latest=Position(3, 2)) == [(3, 3), (3, 4)]


def test_an_answer_goes_behind_what_stands_on_the_order_of_its_prompt() -> None:
    anchor = placement.behind(Position(1, 0), last_step=4)
    assert placement.positions(["assistant", "tool"], anchor, Position(7, 0)) == [(1, 5), (1, 6)]


def test_a_user_message_after_an_old_prompt_opens_an_order_behind_the_latest() -> None:
    anchor = placement.behind(Position(1, 0), last_step=0)
    assert placement.positions(["assistant", "user", "assistant"], anchor, Position(7, 3)) == [(1, 1), (8, 0), (8, 1)]


def test_a_chosen_order_takes_even_a_user_message_that_comes_first() -> None:
    assert placement.positions(["user", "user"], placement.at_order(5, None), Position(2, 0)) == [(5, 0), (6, 0)]
    assert placement.positions(["user", "user"], placement.at_order(1, 3), Position(2, 0)) == [(1, 4), (3, 0)]


def test_the_next_order_begins_with_whatever_role_comes_first() -> None:
    assert placement.positions(["assistant", "tool"], placement.at_next_order(Position(2, 9)), Position(2, 9)) == [(3, 0), (3, 1)]
    assert placement.positions(["user"], placement.at_next_order(None), None) == [(0, 0)]


@pytest.mark.parametrize(
    "given_placement",
    [
        {"after": "msg_1", "order": 1, "replaces": None},
        {"after": "msg_1", "order": "next", "replaces": None},
        {"after": None, "order": "next", "replaces": "msg_1"},
        {"after": None, "order": 0, "replaces": "msg_1"},
        {"after": None, "order": -1, "replaces": None},
        {"after": None, "order": 1.5, "replaces": None},
        {"after": None, "order": True, "replaces": None},
        {"after": None, "order": "last", "replaces": None},
        {"after": None, "order": 2**63, "replaces": None},
    ],
)
def test_a_placement_that_contradicts_itself_is_refused(given_placement: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        placement.check(**given_placement)  # pyright: ignore[reportArgumentType]
    assert refused.value.field == "order"


@given(batches=st.lists(st.tuples(st.lists(ROLES, max_size=4), st.sampled_from(["end", "next", "order", "after"]), PLACES)))
def test_positions_are_unique_and_rise_within_a_batch(batches: list[tuple[list[ModelRole], str, Position]]) -> None:
    taken: set[Position] = set()
    for roles, kind, place in batches:
        latest = max(taken, default=None)
        last_step = max((p.step for p in taken if p.order == place.order), default=None)
        match kind:
            case "end":
                anchor = placement.at_end(latest)
            case "next":
                anchor = placement.at_next_order(latest)
            case "after" if last_step is not None:
                anchor = placement.behind(Position(place.order, min(place.step, last_step)), last_step)
            case _:
                anchor = placement.at_order(place.order, last_step)
        placed = placement.positions(roles, anchor, latest)
        assert placed == sorted(set(placed))
        assert not taken & set(placed)
        taken |= set(placed)
