"""The time of operators, told from signs: against an oracle that walks through the day tick by tick."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from deskmate.domain.work import MOMENT, Sign, Stretch, Work, fold

IDLE = 60_000
TICK = 500
NOBODY = Work()


def sign(thread: str, at: float, *, ends: bool = False) -> Sign:
    return Sign(thread=thread, at=round(at * 1000), ends=ends)


def worked(*signs: Sign, idle: int = IDLE) -> list[tuple[str, float]]:
    """The stretches of work, in seconds, once nothing more comes."""
    work, over = fold(NOBODY, signs, idle)
    _, rest = work.idle_since(10**15, idle)
    return [(one.thread, one.millis / 1000) for one in (*over, *rest)]


def test_reading_typing_and_deciding_are_one_span_from_the_claim_to_the_decision():
    assert worked(sign("a", 0), sign("a", 40), sign("a", 43), sign("a", 55, ends=True)) == [("a", 55)]


def test_what_comes_after_the_last_sign_is_cut_off():
    assert worked(sign("a", 0), sign("a", 20), sign("a", 20 + 60), sign("a", 90)) == [("a", 20), ("a", 10)]


def test_a_sign_that_stands_alone_counts_a_moment():
    assert worked(sign("a", 0)) == [("a", 1)]


def test_a_sign_elsewhere_ends_the_work_at_its_last_sign_and_nothing_is_counted_twice():
    assert worked(sign("a", 0), sign("a", 10), sign("b", 30), sign("b", 35), sign("a", 40)) == [("a", 10), ("b", 5), ("a", 1)]
    assert worked(sign("a", 0), sign("b", 0.5), sign("b", 5)) == [("a", 1), ("b", 4)]


def test_the_reply_and_the_decision_of_one_moment_are_one_act():
    both = sign("a", 30, ends=True)
    assert worked(sign("a", 0), both, both, sign("a", 30)) == [("a", 30)]


def test_many_threads_at_one_click_are_one_moment():
    assert worked(*(sign(f"t{number}", 5, ends=True) for number in range(200))) == [("t0", 1)]


def test_an_act_that_ends_the_work_is_followed_by_new_work():
    assert worked(sign("a", 0), sign("a", 10, ends=True), sign("a", 15), sign("a", 25)) == [("a", 10), ("a", 10)]


SIGNS = st.lists(
    st.builds(
        lambda thread, gap, ends: (thread, gap * TICK, ends),
        st.sampled_from("abc"),
        st.one_of(st.integers(0, 30), st.integers(110, 130), st.integers(0, 400)),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=40,
)


def day(steps: list[tuple[str, int, bool]]) -> list[Sign]:
    at, signs = 0, list[Sign]()
    for thread, gap, ends in steps:
        at += gap
        signs.append(Sign(thread=thread, at=at, ends=ends))
    return signs


def told(signs: list[Sign]) -> list[Stretch]:
    work, over = fold(NOBODY, signs, IDLE)
    return [*over, *work.idle_since(10**15, IDLE)[1]]


def by_the_clock(signs: list[Sign]) -> dict[str, int]:
    """The oracle: for each tick of the day, whose it is; asked of the signs alone, without any state."""
    acts = [one for number, one in enumerate(signs) if not _same_act(signs[:number], one)]
    owner: dict[int, str] = {}
    for number, one in enumerate(acts):
        ticks = list(range(one.at, one.at + MOMENT, TICK)) if _alone(acts, number) else []
        following = acts[number + 1] if number + 1 < len(acts) else None
        if following is not None and not one.ends and following.thread == one.thread and following.at - one.at < IDLE:
            ticks += range(one.at, following.at, TICK)
        for tick in ticks:
            owner.setdefault(tick, one.thread)
    return {thread: TICK * sum(1 for whose in owner.values() if whose == thread) for thread in set(owner.values())}


def _same_act(before: list[Sign], one: Sign) -> bool:
    """Whether it is another trace of the last act that ended work."""
    acts = list[Sign]()
    for earlier in before:
        if not _same_act_as(acts, earlier):
            acts.append(earlier)
    return _same_act_as(acts, one)


def _same_act_as(acts: list[Sign], one: Sign) -> bool:
    ending = next((act for act in reversed(acts) if act.ends), None)
    return ending is not None and ending.thread == one.thread and one.at <= ending.at


def _alone(acts: list[Sign], number: int) -> bool:
    """Whether a sign begins a span: then it counts a moment, however short the span is."""
    if number == 0:
        return True
    was, one = acts[number - 1], acts[number]
    return was.ends or was.thread != one.thread or one.at - was.at >= IDLE


@settings(max_examples=400, deadline=None)
@given(SIGNS)
def test_each_thread_has_the_time_that_a_walk_through_the_day_finds(steps: list[tuple[str, int, bool]]):
    signs = day(steps)
    sums: dict[str, int] = {}
    for one in told(signs):
        sums[one.thread] = sums.get(one.thread, 0) + one.millis
    assert sums == by_the_clock(signs)


@settings(max_examples=400, deadline=None)
@given(SIGNS)
def test_stretches_never_overlap_and_never_reach_beyond_the_signs(steps: list[tuple[str, int, bool]]):
    signs = day(steps)
    over = told(signs)
    for one, following in pairwise(over):
        assert one.begun < one.end <= following.begun
    if over:
        assert over[0].begun >= signs[0].at
        assert sum(one.millis for one in over) <= signs[-1].at - signs[0].at + MOMENT


@settings(max_examples=200, deadline=None)
@given(SIGNS, st.integers(0, 40))
def test_it_does_not_matter_where_the_counting_was_interrupted(steps: list[tuple[str, int, bool]], cut: int):
    signs = day(steps)
    first, over = fold(NOBODY, signs[:cut], IDLE)
    last, more = fold(first, signs[cut:], IDLE)
    assert (last, over + more) == fold(NOBODY, signs, IDLE)
