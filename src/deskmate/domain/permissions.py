"""Permissions: who may do what, as one table and one function; and what of a record an actor may see.

Every route, stream and Python read goes through `allowed` or `require`. A customer is told of other people's threads what they
are told of threads that do not exist: NotFound.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum, StrEnum
from typing import assert_never

from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import File, Message, MessageStatus, Text, Visibility
from deskmate.domain.threads import Thread
from deskmate.domain.viewers import Viewer
from deskmate.errors import Forbidden, NotFound, Unauthenticated


class Action(StrEnum):
    THREAD_OPEN = "thread.open"
    THREAD_LIST = "thread.list"
    THREAD_READ = "thread.read"
    THREAD_CHANGE = "thread.change"
    THREAD_ASSIGN = "thread.assign"
    THREAD_ESCALATE = "thread.escalate"
    THREAD_RESPOND = "thread.respond"
    THREAD_DELETE = "thread.delete"
    THREAD_MARK_READ = "thread.mark_read"
    THREAD_VIEW = "thread.view"
    THREAD_TYPE = "thread.type"
    MESSAGE_READ = "message.read"
    MESSAGE_READ_HIDDEN = "message.read_hidden"
    MESSAGE_POST = "message.post"
    MESSAGE_POST_NOTE = "message.post_note"
    MESSAGE_POST_AS_CUSTOMER = "message.post_as_customer"
    REQUEST_LIST = "request.list"
    REQUEST_READ = "request.read"
    REQUEST_OPEN = "request.open"
    REQUEST_CLAIM = "request.claim"
    REQUEST_DECIDE = "request.decide"
    REQUEST_OVERRIDE_CLAIM = "request.override_claim"
    REQUEST_CANCEL = "request.cancel"
    EVENT_READ = "event.read"
    EVENT_READ_HIDDEN = "event.read_hidden"
    OPERATOR_READ = "operator.read"
    OPERATOR_MANAGE = "operator.manage"
    KEY_MANAGE = "key.manage"
    QUEUE_READ = "queue.read"
    QUEUE_MANAGE = "queue.manage"
    POLICY_READ = "policy.read"
    POLICY_MANAGE = "policy.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    NOTIFICATION_READ = "notification.read"
    AGENT_MANAGE = "agent.manage"
    USAGE_READ = "usage.read"
    FEEDBACK_READ = "feedback.read"
    CUSTOMER_IDENTIFY = "customer.identify"
    CANNED_READ = "canned.read"
    CANNED_MANAGE = "canned.manage"
    MACRO_READ = "macro.read"
    MACRO_MANAGE = "macro.manage"
    VIEW_READ = "view.read"
    VIEW_SHARE = "view.share"
    ME_READ = "me.read"
    ME_CHANGE = "me.change"


class Whose(Enum):
    """Stands for the owner where no existing thread is concerned: my list, my feed, a thread not yet opened."""

    MINE = "mine"


A = Action
_READING = frozenset({
    A.THREAD_LIST, A.THREAD_READ, A.MESSAGE_READ, A.MESSAGE_READ_HIDDEN, A.REQUEST_LIST, A.REQUEST_READ, A.EVENT_READ,
    A.EVENT_READ_HIDDEN, A.OPERATOR_READ, A.QUEUE_READ, A.USAGE_READ, A.ME_READ,
    A.CANNED_READ, A.MACRO_READ, A.VIEW_READ, A.POLICY_READ, A.NOTIFICATION_READ,
})  # fmt: skip
_WORKING = _READING | {
    A.THREAD_OPEN, A.THREAD_CHANGE, A.THREAD_ASSIGN, A.THREAD_ESCALATE, A.THREAD_RESPOND, A.MESSAGE_POST, A.MESSAGE_POST_NOTE,
    A.REQUEST_OPEN, A.REQUEST_CLAIM, A.REQUEST_DECIDE, A.REQUEST_CANCEL,
}  # fmt: skip
_LEADING = _WORKING | {
    A.REQUEST_OVERRIDE_CLAIM, A.QUEUE_MANAGE, A.POLICY_MANAGE, A.AGENT_MANAGE, A.FEEDBACK_READ, A.CANNED_MANAGE, A.MACRO_MANAGE,
    A.VIEW_SHARE,
}  # fmt: skip
_ADMINISTERING = _LEADING | {A.THREAD_DELETE, A.OPERATOR_MANAGE, A.KEY_MANAGE, A.WEBHOOK_MANAGE, A.CUSTOMER_IDENTIFY}

BY_ROLE: Mapping[Role, frozenset[Action]] = {
    Role.OBSERVER: _READING,
    Role.OPERATOR: _WORKING,
    Role.LEAD: _LEADING,
    Role.ADMIN: _ADMINISTERING,
}

BY_SCOPE: Mapping[str, frozenset[Action]] = {
    # The customer's voice and ears on a thread, for a site that brings its own chat. Nobody else speaks for a customer.
    "messages:customer": frozenset({A.THREAD_OPEN, A.THREAD_READ, A.MESSAGE_READ, A.MESSAGE_POST_AS_CUSTOMER, A.EVENT_READ}),
    "requests:ask": frozenset({A.REQUEST_OPEN, A.REQUEST_READ, A.REQUEST_CANCEL}),
    "requests:decide": frozenset({A.REQUEST_LIST, A.REQUEST_READ, A.REQUEST_CLAIM, A.REQUEST_DECIDE}),
    "threads:read": frozenset({A.THREAD_LIST, A.THREAD_READ, A.MESSAGE_READ, A.EVENT_READ}),
    "threads:read_hidden": frozenset({
        A.THREAD_LIST, A.THREAD_READ, A.MESSAGE_READ, A.MESSAGE_READ_HIDDEN, A.EVENT_READ, A.EVENT_READ_HIDDEN,
    }),
    "usage:read": frozenset({A.USAGE_READ}),
    "feedback:read": frozenset({A.FEEDBACK_READ}),
    "customers:identify": frozenset({A.CUSTOMER_IDENTIFY}),
}  # fmt: skip

# What only a person has: a presence, eyes, and hands at a keyboard. Beside each what their role has to allow.
_OF_PERSONS: Mapping[Action, Action] = {
    A.ME_CHANGE: A.ME_READ,
    A.THREAD_MARK_READ: A.MESSAGE_READ,
    A.THREAD_VIEW: A.THREAD_READ,
    A.THREAD_TYPE: A.MESSAGE_POST,
}
# An agent works through its run: it never decides, and reads notes and drafts only when it is handed them.
_OF_AGENTS = frozenset({
    A.THREAD_OPEN, A.THREAD_READ, A.THREAD_ESCALATE, A.MESSAGE_READ, A.MESSAGE_POST, A.MESSAGE_POST_NOTE, A.REQUEST_OPEN,
    A.REQUEST_READ, A.REQUEST_CANCEL, A.EVENT_READ, A.ME_READ,
})  # fmt: skip
# The desk itself does everything but speak for a customer, decide for a person, or be one.
_OF_THE_DESK = frozenset(Action) - {A.MESSAGE_POST_AS_CUSTOMER, A.REQUEST_CLAIM, A.REQUEST_DECIDE, *_OF_PERSONS}
_OF_CUSTOMERS = frozenset({A.THREAD_OPEN, A.THREAD_LIST, A.EVENT_READ, A.ME_READ})
_OF_CUSTOMERS_ON_THEIR_THREADS = frozenset({
    A.THREAD_READ, A.THREAD_ESCALATE, A.THREAD_RESPOND, A.THREAD_MARK_READ, A.THREAD_TYPE, A.MESSAGE_READ, A.MESSAGE_POST,
    A.EVENT_READ,
})  # fmt: skip


def allowed(actor: Actor | None, action: Action, *, owner: str | Whose | None = Whose.MINE) -> bool:
    """Whether the actor may do this.

    `owner` is the customer of the thread concerned (None: the thread has no customer); leave it out where no existing thread
    is concerned. Only customers are held to it.
    """
    if actor is None:
        return False
    match actor.kind:
        case AuthorKind.CUSTOMER:
            return _customer_may(actor, action, owner)
        case AuthorKind.OPERATOR:
            return action in of_role(actor.role) | of_scopes(actor.scopes) or _OF_PERSONS.get(action) in of_role(actor.role)
        case AuthorKind.SERVICE:
            return action is A.ME_READ or action in of_role(actor.role) | of_scopes(actor.scopes)
        case AuthorKind.AGENT:
            return action in _OF_AGENTS
        case AuthorKind.SYSTEM:
            return action in _OF_THE_DESK
        case _:
            assert_never(actor.kind)


def require(actor: Actor | None, action: Action, *, owner: str | Whose | None = Whose.MINE) -> None:
    """Raise unless the actor may: Unauthenticated for nobody, NotFound for another customer's thread, else Forbidden."""
    if actor is None:
        raise Unauthenticated
    if allowed(actor, action, owner=owner):
        return
    if actor.kind is AuthorKind.CUSTOMER and not isinstance(owner, Whose) and owner != actor.id:
        raise NotFound("there is no such thread", field="thread")
    raise Forbidden(f"{action} is not allowed for you", action=str(action))


def person(actor: Actor) -> str:
    """The id of an operator who acts themselves: some things belong to one person, and to no program. Raises Forbidden."""
    if actor.kind is not AuthorKind.OPERATOR or actor.id is None:
        raise Forbidden("this is for operators themselves")
    return actor.id


def of_role(role: Role | None) -> frozenset[Action]:
    """What a role may do."""
    return frozenset() if role is None else BY_ROLE[role]


def of_scopes(scopes: frozenset[str]) -> frozenset[Action]:
    """What these scopes add. A scope nobody knows any more adds nothing."""
    return frozenset[Action]().union(*(BY_SCOPE.get(scope, frozenset()) for scope in scopes))


def weaker(one: Role, other: Role) -> Role:
    """Of two roles the one that may do less."""
    return one if BY_ROLE[one] <= BY_ROLE[other] else other


def _customer_may(actor: Actor, action: Action, owner: str | Whose | None) -> bool:
    if isinstance(owner, Whose):
        return action in _OF_CUSTOMERS
    return actor.id is not None and owner == actor.id and action in _OF_CUSTOMERS_ON_THEIR_THREADS


# What of a record an actor may see. The thread is checked before, by `require`; these know only what is inside it.

PUBLIC_ERRORS = frozenset({"taken_over", "cancelled", "failed"})
_WORD = frozenset({EventType.NOTIFICATION_SENT, EventType.NOTIFICATION_FAILED})
_PUBLIC_FACTS: Mapping[EventType, frozenset[str]] = {
    EventType.THREAD_OPENED: frozenset(),
    EventType.THREAD_CHANGED: frozenset({"changed", "status"}),
    EventType.THREAD_ASSIGNED: frozenset({"cause", "from", "to"}),
    EventType.THREAD_DELETED: frozenset(),
    EventType.MESSAGE_POSTED: frozenset({"message"}),
    EventType.MESSAGE_CHANGED: frozenset({"message"}),
    EventType.MESSAGE_DELETED: frozenset({"message"}),
}


def visible(message: Message, actor: Actor | None) -> bool:
    """Whether a message of a thread the actor may read is for their eyes.

    People who read hidden things see all. Agents see what is public, tools included. Everybody else sees public words and files,
    and an answer as it begins to stream; of system messages only those the desk itself wrote, never an agent's instructions.
    """
    if allowed(actor, A.MESSAGE_READ_HIDDEN):
        return True
    if actor is None or message.visibility is not Visibility.PUBLIC:
        return False
    if actor.kind is AuthorKind.AGENT:
        return True
    match message.role:
        case "tool":
            return False
        case "system":
            return message.author.kind is AuthorKind.SYSTEM and _says_something(message)
        case "assistant":
            return message.status is MessageStatus.PENDING or _says_something(message)
        case "user":
            return _says_something(message)


def _says_something(message: Message) -> bool:
    return bool(message.text.strip()) or any(isinstance(part, File) for part in message.parts)


def redact(message: Message, actor: Actor | None) -> Message:
    """A visible message without what is not for the actor: tools, the model's details, and errors beyond a known code."""
    if allowed(actor, A.MESSAGE_READ_HIDDEN) or (actor is not None and actor.kind is AuthorKind.AGENT):
        return message
    parts = tuple(part for part in message.parts if isinstance(part, Text | File))
    error = message.error if message.error is None or message.error in PUBLIC_ERRORS else "failed"
    return replace(message, parts=parts, error=error, model=None, provider=None, provider_metadata=None, usage=None, run=None)


def redact_thread(thread: Thread, actor: Actor | None) -> Thread:
    """A thread without the team's own words about it. What a screen leaves out altogether is the door's business."""
    if allowed(actor, A.MESSAGE_READ_HIDDEN):
        return thread
    preview = thread.preview if thread.preview and thread.preview.visibility == Visibility.PUBLIC else None
    assignment = replace(thread.assignment, reason="")
    return replace(
        thread, summary=None, queue=None, tags=(), metadata={}, preview=preview, assignment=assignment,
        due_at=None, due_target=None, due_breached=False,
    )  # fmt: skip


def redact_viewers(viewers: Iterable[Viewer], actor: Actor | None) -> tuple[Viewer, ...]:
    """Who of the people on a thread the actor may know of: outside the team, only who types words that they will read."""
    if allowed(actor, A.EVENT_READ_HIDDEN):
        return tuple(viewers)
    typing = (one for one in viewers if one.kind is AuthorKind.OPERATOR and one.typing is Visibility.PUBLIC)
    return tuple(replace(one, id=None) for one in typing)


def event_visible(event: Event | EventType, actor: Actor | None) -> bool:
    """Whether an actor may learn that this happened.

    An event about a message says more when it carries the message's `visibility`: a removed note cannot be asked any more.
    """
    if allowed(actor, A.EVENT_READ_HIDDEN):
        return isinstance(event, EventType) or _meant_for(event, actor)
    type = event if isinstance(event, EventType) else event.type
    visibility = Visibility.PUBLIC if isinstance(event, EventType) else event.data.get("visibility", Visibility.PUBLIC)
    return actor is not None and type in _PUBLIC_FACTS and visibility == Visibility.PUBLIC


def _meant_for(event: Event, actor: Actor | None) -> bool:
    """Word to one operator is for them; leads, who look after what could not be sent, are told of everybody's."""
    if event.type not in _WORD or actor is None or actor.kind is not AuthorKind.OPERATOR:
        return True
    return event.data.get("operator") == actor.id or allowed(actor, A.POLICY_MANAGE)


def redact_event(event: Event, actor: Actor | None) -> Event:
    """A visible event with only the facts that are for the actor: no notes, no reasons."""
    if allowed(actor, A.EVENT_READ_HIDDEN):
        return event
    facts = _PUBLIC_FACTS.get(event.type, frozenset())
    return replace(event, data={name: fact for name, fact in event.data.items() if name in facts})
