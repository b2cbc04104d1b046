"""The permission matrix, cell by cell, and what of a record each actor sees."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from deskmate.domain.actors import SYSTEM, Actor, Author, AuthorKind, Role, agent, customer, service
from deskmate.domain.assignments import Assignment, Holder
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import File, Message, MessageStatus, ModelRole, Text, ToolCall, ToolResult, Visibility
from deskmate.domain.permissions import (
    BY_SCOPE,
    Action,
    Whose,
    allowed,
    event_visible,
    redact,
    redact_event,
    redact_thread,
    require,
    visible,
    weaker,
)
from deskmate.domain.threads import Preview, Thread
from deskmate.errors import Forbidden, NotFound, Unauthenticated

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def operator(role: Role | None) -> Actor:
    return Actor(kind=AuthorKind.OPERATOR, id="op_1", name="Ana", role=role)


ADA = customer("ada")
OBSERVER, OPERATOR, LEAD, ADMIN = (operator(role) for role in (Role.OBSERVER, Role.OPERATOR, Role.LEAD, Role.ADMIN))

# `mine`: the customer Ada where no existing thread is concerned; `own`: on her thread; `other`: on a thread of somebody else or
# of nobody. A cell is x for allowed, . for Forbidden, 0 for NotFound, ! for Unauthenticated.
MATRIX = """
                          nobody mine own other observer operator lead admin agent desk
thread.open               !      x    .   0     .        x        x    x     x     x
thread.list               !      x    .   0     x        x        x    x     .     x
thread.read               !      .    x   0     x        x        x    x     x     x
thread.change             !      .    .   0     .        x        x    x     .     x
thread.assign             !      .    .   0     .        x        x    x     .     x
thread.escalate           !      .    x   0     .        x        x    x     x     x
thread.respond            !      .    x   0     .        x        x    x     .     x
thread.delete             !      .    .   0     .        .        .    x     .     x
thread.mark_read          !      .    x   0     x        x        x    x     .     .
thread.view               !      .    .   0     x        x        x    x     .     .
thread.type               !      .    x   0     .        x        x    x     .     .
message.read              !      .    x   0     x        x        x    x     x     x
message.read_hidden       !      .    .   0     x        x        x    x     .     x
message.post              !      .    x   0     .        x        x    x     x     x
message.post_note         !      .    .   0     .        x        x    x     x     x
message.post_as_customer  !      .    .   0     .        .        .    .     .     .
request.list              !      .    .   0     x        x        x    x     .     x
request.read              !      .    .   0     x        x        x    x     x     x
request.open              !      .    .   0     .        x        x    x     x     x
request.claim             !      .    .   0     .        x        x    x     .     .
request.decide            !      .    .   0     .        x        x    x     .     .
request.override_claim    !      .    .   0     .        .        x    x     .     x
request.cancel            !      .    .   0     .        x        x    x     x     x
event.read                !      x    x   0     x        x        x    x     x     x
event.read_hidden         !      .    .   0     x        x        x    x     .     x
operator.read             !      .    .   0     x        x        x    x     .     x
operator.manage           !      .    .   0     .        .        .    x     .     x
key.manage                !      .    .   0     .        .        .    x     .     x
queue.read                !      .    .   0     x        x        x    x     .     x
queue.manage              !      .    .   0     .        .        x    x     .     x
policy.read               !      .    .   0     x        x        x    x     .     x
policy.manage             !      .    .   0     .        .        x    x     .     x
webhook.manage            !      .    .   0     .        .        .    x     .     x
notification.read         !      .    .   0     x        x        x    x     .     x
agent.manage              !      .    .   0     .        .        x    x     .     x
usage.read                !      .    .   0     x        x        x    x     .     x
feedback.read             !      .    .   0     .        .        x    x     .     x
customer.identify         !      .    .   0     .        .        .    x     .     x
canned.read               !      .    .   0     x        x        x    x     .     x
canned.manage             !      .    .   0     .        .        x    x     .     x
macro.read                !      .    .   0     x        x        x    x     .     x
macro.manage              !      .    .   0     .        .        x    x     .     x
view.read                 !      .    .   0     x        x        x    x     .     x
view.share                !      .    .   0     .        .        x    x     .     x
me.read                   !      x    .   0     x        x        x    x     x     x
me.change                 !      .    .   0     x        x        x    x     .     .
"""
WHO: dict[str, tuple[Actor | None, str | Whose | None]] = {
    "nobody": (None, "ada"),
    "mine": (ADA, Whose.MINE),
    "own": (ADA, "ada"),
    "other": (ADA, "bob"),
    "observer": (OBSERVER, "ada"),
    "operator": (OPERATOR, "ada"),
    "lead": (LEAD, "ada"),
    "admin": (ADMIN, "ada"),
    "agent": (agent("faq"), "ada"),
    "desk": (SYSTEM, "ada"),
}
SCOPES = {
    "messages:customer": "thread.open thread.read message.read message.post_as_customer event.read",
    "requests:ask": "request.open request.read request.cancel",
    "requests:decide": "request.list request.read request.claim request.decide",
    "threads:read": "thread.list thread.read message.read event.read",
    "threads:read_hidden": "thread.list thread.read message.read message.read_hidden event.read event.read_hidden",
    "usage:read": "usage.read",
    "feedback:read": "feedback.read",
    "customers:identify": "customer.identify",
}


def cells() -> list[tuple[str, str, str]]:
    heading, *rows = (line.split() for line in MATRIX.strip().splitlines())
    return [(action, who, cell) for action, *row in rows for who, cell in zip(heading, row, strict=True)]


def answer(actor: Actor | None, action: Action, owner: str | Whose | None) -> str:
    try:
        require(actor, action, owner=owner)
    except Unauthenticated:
        return "!"
    except NotFound:
        return "0"
    except Forbidden:
        return "."
    return "x"


@pytest.mark.parametrize(("action", "who", "cell"), cells())
def test_each_cell_of_the_matrix(action: str, who: str, cell: str) -> None:
    actor, owner = WHO[who]
    assert answer(actor, Action(action), owner) == cell
    assert allowed(actor, Action(action), owner=owner) is (cell == "x")


def test_the_matrix_names_every_action_and_everybody() -> None:
    assert {action for action, _, _ in cells()} == set(Action)
    assert {who for _, who, _ in cells()} == set(WHO)


@pytest.mark.parametrize("action", Action)
def test_a_thread_without_a_customer_is_no_customers_thread(action: Action) -> None:
    assert answer(ADA, action, None) == "0"
    assert answer(Actor(kind=AuthorKind.CUSTOMER, id=None), action, None) == "."


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_key_with_a_role_does_what_the_role_does_but_is_no_person(role: Role, action: Action) -> None:
    of_persons = (Action.ME_CHANGE, Action.THREAD_MARK_READ, Action.THREAD_VIEW, Action.THREAD_TYPE)
    expected = allowed(operator(role), action) and action not in of_persons
    assert allowed(service("robot", role=role), action) is expected


@pytest.mark.parametrize("scope", BY_SCOPE)
@pytest.mark.parametrize("action", Action)
def test_a_key_without_a_role_does_what_its_scope_names_only(scope: str, action: Action) -> None:
    key = service("robot", role=None, scopes=frozenset({scope}))
    assert allowed(key, action) is (action in SCOPES[scope].split() or action is Action.ME_READ)


def test_every_scope_is_spelled_out_here() -> None:
    assert SCOPES.keys() == BY_SCOPE.keys()


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.ME_READ])
def test_a_key_with_neither_role_nor_known_scope_does_nothing(action: Action) -> None:
    assert not allowed(service("robot", role=None, scopes=frozenset({"everything"})), action)
    assert not allowed(operator(None), action)


def test_scopes_add_to_a_role() -> None:
    key = service("robot", role=Role.OBSERVER, scopes=frozenset({"messages:customer"}))
    assert allowed(key, Action.MESSAGE_POST_AS_CUSTOMER, owner="ada")
    assert allowed(key, Action.MESSAGE_READ_HIDDEN, owner="ada")
    assert not allowed(key, Action.MESSAGE_POST, owner="ada")


def test_p9_only_a_key_that_is_allowed_to_speaks_for_a_customer() -> None:
    for actor, _ in WHO.values():
        assert not allowed(actor, Action.MESSAGE_POST_AS_CUSTOMER, owner="ada")


def test_roles_grow_and_the_weaker_of_two_is_the_one_that_may_less() -> None:
    order = [Role.OBSERVER, Role.OPERATOR, Role.LEAD, Role.ADMIN]
    for place, role in enumerate(order):
        for other in order[place:]:
            assert weaker(role, other) is weaker(other, role) is role


# --- what of a record an actor sees

PEOPLE_WHO_SEE_ALL = [OBSERVER, OPERATOR, LEAD, ADMIN, SYSTEM, service("robot")]
OUTSIDE = [ADA, service("bridge", role=None, scopes=frozenset({"messages:customer"}))]


def message(text: str = "Hello", *, role: ModelRole = "assistant", author: AuthorKind = AuthorKind.AGENT) -> Message:
    return Message(
        id="msg_1", thread="th_1", order=0, step=1, role=role, parts=(Text(text=text),) if text else (),
        author=Author(kind=author, id="x", name="X"), created_at=NOW, updated_at=NOW,
    )  # fmt: skip


CALL = ToolCall(call_id="c1", tool="refund", input={"amount": 5})
RESULT = ToolResult(call_id="c1", tool="refund", output="secret")
PICTURE = File(file="f1", media_type="image/png")

SHOWN = {
    "an answer": message(),
    "what the customer wrote": message(role="user", author=AuthorKind.CUSTOMER),
    "what an operator wrote": message(author=AuthorKind.OPERATOR),
    "a line of the desk": message(role="system", author=AuthorKind.SYSTEM),
    "a picture without words": replace(message(""), parts=(PICTURE,)),
    "an answer that begins": replace(message(""), status=MessageStatus.PENDING),
    "an answer that was cut off": replace(message("Half"), status=MessageStatus.FAILED, error="taken_over"),
    "words beside a tool call": replace(message(), parts=(Text(text="One moment"), CALL)),
}
KEPT = {
    "a tool call": replace(message(""), parts=(CALL,)),
    "a tool result": replace(message("", role="tool"), parts=(RESULT,)),
    "a tool result with words": replace(message("x", role="tool"), parts=(RESULT, Text(text="x"))),
    "instructions of an agent": message("You are", role="system", author=AuthorKind.AGENT),
    "imported instructions": message("You are", role="system", author=AuthorKind.SERVICE),
    "an empty answer": message(" "),
    "an answer that broke off before its first word": replace(message(""), status=MessageStatus.FAILED, error="boom"),
}


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("actor", OUTSIDE, ids=["customer", "bridge"])
def test_customers_see_public_words_and_files(what: str, actor: Actor) -> None:
    assert visible(SHOWN[what], actor)


@pytest.mark.parametrize("what", KEPT)
@pytest.mark.parametrize("actor", OUTSIDE, ids=["customer", "bridge"])
def test_customers_do_not_see_tools_instructions_or_nothing(what: str, actor: Actor) -> None:
    assert not visible(KEPT[what], actor)


@pytest.mark.parametrize("visibility", [Visibility.NOTE, Visibility.DRAFT])
@pytest.mark.parametrize("what", SHOWN)
def test_p8_notes_and_drafts_are_for_the_team(what: str, visibility: Visibility) -> None:
    hidden = replace(SHOWN[what], visibility=visibility)
    assert not any(visible(hidden, actor) for actor in [*OUTSIDE, agent("faq"), None])
    assert all(visible(hidden, actor) for actor in PEOPLE_WHO_SEE_ALL)


@pytest.mark.parametrize("what", [*SHOWN, *KEPT])
def test_the_team_sees_all_of_it_as_it_is(what: str) -> None:
    kept = replace((SHOWN | KEPT)[what], model="m", usage={"input_tokens": 1}, error="ValueError: /etc")
    for actor in PEOPLE_WHO_SEE_ALL:
        assert visible(kept, actor)
        assert redact(kept, actor) == kept


def test_agents_see_public_messages_with_their_tools() -> None:
    assert visible(KEPT["a tool result"], agent("faq"))
    assert redact(KEPT["a tool result"], agent("faq")) == KEPT["a tool result"]


def test_nobody_sees_nothing() -> None:
    assert not visible(message(), None)
    assert not event_visible(EventType.MESSAGE_POSTED, None)


def test_customers_get_words_and_files_without_the_workings() -> None:
    whole = replace(
        message(), parts=(Text(text="Done"), CALL, RESULT, PICTURE), model="m", provider="p", usage={"input_tokens": 1},
        provider_metadata={"human": {"id": "op"}}, run="run_1", error="ValueError: no such file /srv/key",
    )  # fmt: skip
    seen = redact(whole, ADA)
    assert seen.parts == (Text(text="Done"), PICTURE)
    assert (seen.model, seen.provider, seen.provider_metadata, seen.usage, seen.run) == (None, None, None, None, None)
    assert seen.error == "failed"
    assert redact(replace(whole, error="taken_over"), ADA).error == "taken_over"
    assert redact(replace(whole, error=None), ADA).error is None


def test_every_model_role_was_thought_of() -> None:
    assert {found.role for found in (SHOWN | KEPT).values()} == set(get_args(ModelRole))


TOLD = {
    EventType.THREAD_OPENED,
    EventType.THREAD_CHANGED,
    EventType.THREAD_ASSIGNED,
    EventType.THREAD_DELETED,
    EventType.MESSAGE_POSTED,
    EventType.MESSAGE_CHANGED,
    EventType.MESSAGE_DELETED,
}


@pytest.mark.parametrize("type", EventType)
def test_which_events_each_actor_is_told_of(type: EventType) -> None:
    assert all(event_visible(type, actor) for actor in PEOPLE_WHO_SEE_ALL)
    assert all(event_visible(type, actor) is (type in TOLD) for actor in OUTSIDE)


@pytest.mark.parametrize("type", [EventType.MESSAGE_POSTED, EventType.MESSAGE_CHANGED, EventType.MESSAGE_DELETED])
def test_p8_customers_do_not_even_learn_that_there_was_a_note(type: EventType) -> None:
    def event(visibility: str) -> Event:
        data = {"message": "msg_1", "visibility": visibility}
        return Event(seq=1, thread="th_1", thread_seq=1, type=type, actor=SYSTEM.author, at=NOW, data=data)

    assert event_visible(event("public"), ADA)
    assert not event_visible(event("note"), ADA)
    assert not event_visible(event("draft"), ADA)
    assert event_visible(event("note"), OPERATOR)


def test_p8_the_note_of_a_transfer_stays_with_the_team() -> None:
    data = {"cause": "transfer", "from": {"to": "ai"}, "to": {"to": "queue"}, "note": "rude", "reason": "unsure: 0.41"}
    event = Event(
        seq=1, thread="th_1", thread_seq=1, type=EventType.THREAD_ASSIGNED, actor=SYSTEM.author, at=NOW, data=data
    )  # fmt: skip
    assert redact_event(event, OPERATOR) == event
    assert redact_event(event, ADA).data == {"cause": "transfer", "from": {"to": "ai"}, "to": {"to": "queue"}}
    assert redact_event(replace(event, type=EventType.RUN_FAILED), ADA).data == {}


def test_p8_a_thread_is_shown_to_its_customer_without_what_the_team_says_about_it() -> None:
    note = Preview(text="rude", author=Author(kind=AuthorKind.OPERATOR), visibility="note", at=NOW)
    thread = Thread(
        id="th_1", customer="ada", summary="A rude customer", queue="fraud", tags=("rude",), metadata={"score": 1}, preview=note,
        assignment=Assignment(to=Holder.QUEUE, id="fraud", since=NOW, reason="looks like fraud"), created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    assert redact_thread(thread, OPERATOR) == thread
    seen = redact_thread(thread, ADA)
    assert (seen.summary, seen.queue, seen.tags, dict(seen.metadata), seen.preview) == (None, None, (), {}, None)
    assert seen.assignment.reason == ""
    public = replace(thread, preview=replace(note, visibility="public"))
    assert redact_thread(public, ADA).preview == public.preview
