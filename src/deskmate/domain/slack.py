"""Slack: what a request looks like there, in Block Kit, and what a click there says. See https://docs.slack.dev/block-kit/.

What people and models wrote is always `plain_text`: Slack reads no mention, no link and no mark-up in it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from deskmate.domain.messages import Message
from deskmate.domain.requests import WAITING, Request, RequestKind
from deskmate.domain.threads import Thread
from deskmate.errors import Invalid

Block = dict[str, Any]
LONGEST = 2900
"""Characters of one text; Slack takes 3000."""
LONGEST_HEADER = 150
LONGEST_WORDS = 500
"""Characters of one message of the thread."""
ANSWER_VIEW = "deskmate.answer"


class Click(StrEnum):
    """The buttons, by their `action_id`."""

    APPROVE = "approve"
    REJECT = "reject"
    ANSWER = "answer"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did in Slack. `trigger` opens a form; `value` is what they wrote into one."""

    click: Click
    user: str
    request: str
    digest: str | None = None
    channel: str | None = None
    trigger: str | None = None
    value: str | None = None
    form: bool = False


def headline(request: Request, thread: Thread | None) -> str:
    """What it is about, in a line."""
    who = request.agent or "A program"
    customer = (thread.customer_name or thread.customer if thread is not None else None) or "nobody in particular"
    match request.kind:
        case RequestKind.QUESTION:
            return f"{who} asks people, for {customer}"
        case RequestKind.ESCALATION:
            return f"{who} passes {customer} on to people"
        case RequestKind.APPROVAL if request.draft is not None:
            return f"{who} has drafted a reply to {customer}"
        case RequestKind.APPROVAL:
            return f"{who} wants to run {request.tool} for {customer}"


def blocks(request: Request, thread: Thread | None, messages: Iterable[Message], link: str | None) -> list[Block]:
    """The whole message: what is asked, the last public words, and the buttons, or what came of it."""
    args = None if request.args is None else json.dumps(request.args, indent=1, ensure_ascii=False, default=str)
    title = _cut(headline(request, thread), LONGEST_HEADER)
    found: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    asked = request.question or (request.reason if request.kind is RequestKind.ESCALATION else None)
    found += [_said(text) for text in (asked, args) if text]
    found += [_said(f"{one.author.name or one.author.kind}: {_cut(one.text, LONGEST_WORDS)}") for one in messages]
    if request.state in WAITING:
        if request.first_approval is not None:
            found.append(_aside(f"{request.first_approval.by.name} has approved; a second person has to"))
        if buttons := _buttons(request, args, link):
            found.append({"type": "actions", "block_id": "decide", "elements": buttons})
    else:
        found.append(_aside(outcome(request)))
        if link is not None:
            found.append({"type": "actions", "block_id": "decide", "elements": [_open(link)]})
    return found


def summary(request: Request, thread: Thread | None) -> str:
    """What a notification of a phone shows; Slack reads mark-up in it."""
    return _escaped(headline(request, thread))


def outcome(request: Request) -> str:
    """Who decided what, and when."""
    decision = request.decision
    if decision is None:
        return f"It is {request.state}; nobody has to decide any more"
    return f"{decision.by.name}: {decision.kind}, {decision.at:%Y-%m-%d %H:%M} UTC, by {decision.channel}"


def form(request: Request, channel: str | None) -> Block:
    """The form for an answer."""
    asked = request.question or request.reason or ""
    return {
        "type": "modal",
        "callback_id": ANSWER_VIEW,
        "private_metadata": json.dumps({"request": request.id, "channel": channel}),
        "title": {"type": "plain_text", "text": "Answer"},
        "submit": {"type": "plain_text", "text": "Send"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            *([_said(asked)] if asked else []),
            {
                "type": "input",
                "block_id": "answer",
                "label": {"type": "plain_text", "text": "Your answer"},
                "element": {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 3000},
            },
        ],
    }


def act_of(payload: Mapping[str, Any]) -> Act | None:
    """What a payload says; None where there is nothing to do. Raises Invalid for one that is not of this app's making."""
    try:
        match payload.get("type"):
            case "block_actions":
                return _clicked(payload)
            case "view_submission" if payload["view"]["callback_id"] == ANSWER_VIEW:
                view = payload["view"]
                meant = json.loads(view["private_metadata"])
                value = view["state"]["values"]["answer"]["value"]["value"]
                return Act(
                    click=Click.ANSWER, user=_text(payload["user"]["id"]), request=_text(meant["request"]),
                    channel=meant.get("channel"), value=_text(value), form=True,
                )  # fmt: skip
            case _:
                return None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise Invalid("this is no payload of Slack that this desk knows", field="payload") from None


def _clicked(payload: Mapping[str, Any]) -> Act | None:
    action = payload["actions"][0]
    click = Click(action["action_id"])
    if click is Click.OPEN:
        return None
    meant = json.loads(action["value"])
    place = cast("Mapping[str, Any]", payload.get("container") or {})
    return Act(
        click=click, user=_text(payload["user"]["id"]), request=_text(meant["request"]), digest=meant.get("digest"),
        channel=place.get("channel_id"), trigger=payload.get("trigger_id"),
    )  # fmt: skip


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _buttons(request: Request, args: str | None, link: str | None) -> list[Block]:
    """The ways to decide it here. What cannot be shown whole, and what needs more than plain text, is decided in the inbox."""
    value = json.dumps({"request": request.id, "digest": request.args_digest})
    here: list[Block] = []
    if request.kind is RequestKind.APPROVAL and request.draft is None and len(args or "") <= LONGEST:
        here = [_button("Approve", Click.APPROVE, value, "primary"), _button("Reject", Click.REJECT, value, "danger")]
    elif request.kind is not RequestKind.APPROVAL and takes_text(request):
        here = [_button("Answer", Click.ANSWER, value, "primary")]
    return here if link is None else [*here, _open(link)]


def takes_text(request: Request) -> bool:
    """Whether any text is an answer."""
    return request.response_schema is None or request.response_schema.get("type") == "string"


def _button(label: str, click: Click, value: str, style: str) -> Block:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": click, "text": text, "value": value, "style": style}


def _open(link: str) -> Block:
    return {"type": "button", "action_id": Click.OPEN, "text": {"type": "plain_text", "text": "Open"}, "url": link}


def _said(text: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": _cut(text, LONGEST), "emoji": False}}


def _aside(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "plain_text", "text": _cut(text, LONGEST), "emoji": False}]}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
