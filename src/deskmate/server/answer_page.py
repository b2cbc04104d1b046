"""The page behind a link in a mail, as text. Whatever people wrote is escaped here, once, and stands nowhere but between tags."""

import json
from collections.abc import Mapping
from datetime import datetime
from html import escape
from string import Template
from typing import cast

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import Message
from deskmate.domain.requests import DecisionKind, Request, RequestKind
from deskmate.errors import Invalid
from deskmate.server.pages import HERE
from deskmate.services.answer_links import Asked
from deskmate.services.ledger import on_the_table
from deskmate.services.telling import customer_of

VERBS = {DecisionKind.ANSWER: "Answer", DecisionKind.APPROVE: "Approve", DecisionKind.REJECT: "Reject"}
AGREED = {DecisionKind.ANSWER: "answered", DecisionKind.APPROVE: "approved", DecisionKind.REJECT: "rejected"}


def page(title: str, *parts: str) -> str:
    """A whole page; `parts` are markup, the title is text."""
    template = Template((HERE / "templates" / "answer.html").read_text("utf-8"))
    return template.substitute(title=escape(title), main="\n".join([f"<h1>{escape(title)}</h1>", *parts]))


def form_page(asked: Asked, *, problem: str | None = None) -> str:
    """What is asked, what was said, and the form that decides."""
    return page(_title(asked.request), _facts(asked), _what(asked), _form(asked, problem), _said(asked))


def said_page(title: str, *lines: str) -> str:
    """A few words."""
    return page(title, *(f"<p>{_text(line)}</p>" for line in lines))


def over(request: Request) -> str | None:
    """Who decided and when, or what became of a request that waits no more; None where it still waits."""
    decision = request.decision
    if decision is not None:
        verb = AGREED.get(decision.kind, "decided")
        return f"{decision.by.name} {verb} this {_moment(decision.at)}."
    return None if request.state in ("open", "claimed") else f"It is {request.state}: nobody has to decide it any more."


def value_of(schema: Mapping[str, object] | None, text: str) -> object:
    """What was typed or chosen, as the answer that the schema asks for. Raises Invalid."""
    if not text.strip():
        raise Invalid("an answer is needed", field="value")
    if schema is None or (_type(schema) == "string" and "enum" not in schema):
        return text
    try:
        return cast("object", json.loads(text, parse_constant=_no_number))
    except ValueError:
        raise Invalid("this is not what was asked for", field="value") from None


def _no_number(text: str) -> object:
    raise ValueError(text)


def _title(request: Request) -> str:
    who = request.agent or "A program"
    match request.kind:
        case RequestKind.APPROVAL if request.draft is not None:
            return f"{who} has drafted a reply"
        case RequestKind.APPROVAL:
            return f"{who} asks whether it may run {request.tool}"
        case _:
            return f"{who} asks"


def _facts(asked: Asked) -> str:
    facts = {"Customer": customer_of(asked.thread), "Subject": asked.thread.subject, "You answer as": asked.operator.name}
    rows = (f"<dt>{name}</dt><dd>{_text(fact)}</dd>" for name, fact in facts.items() if fact)
    return f"<dl>{''.join(rows)}</dl>"


def _what(asked: Asked) -> str:
    request = asked.request
    parts: list[str] = []
    if request.question:
        parts.append(f'<blockquote class="asked" dir="auto">{escape(request.question)}</blockquote>')
    if asked.draft is not None:
        parts.append(f'<blockquote class="asked" dir="auto">{escape(asked.draft)}</blockquote>')
    elif request.tool is not None and request.args is not None:
        first = request.first_approval
        args = first.args if first is not None and first.args is not None else request.args
        shown = json.dumps(args, indent=2, ensure_ascii=False, sort_keys=True)
        parts.append(f"<h2>{escape(request.tool)}</h2><pre>{escape(shown)}</pre>")
    more = {"Why": request.reason, "Suggestion": request.suggestion if request.draft is None else None}
    parts += [f"<h2>{name}</h2><p>{_text(text)}</p>" for name, text in more.items() if text]
    return f"<section>{''.join(parts)}</section>" if parts else ""


def _form(asked: Asked, problem: str | None) -> str:
    fields: list[str] = []
    match asked.kind:
        case DecisionKind.ANSWER:
            fields.append(_input(asked.request.response_schema))
        case DecisionKind.REJECT:
            fields.append('<label>Reason, for the AI<textarea name="reason" maxlength="20000"></textarea></label>')
        case _:
            digest = on_the_table(asked.request)
            if digest is not None:
                fields.append(f'<input type="hidden" name="args_digest" value="{escape(digest)}">')
    alert = "" if problem is None else f'<p role="alert">{_text(problem)}</p>'
    button = f'<button type="submit">{VERBS[asked.kind]}</button>'
    return f'<form method="post">{alert}{"".join(fields)}{button}</form>'


def _input(schema: Mapping[str, object] | None) -> str:
    """The field for an answer. What is chosen from a list comes back as JSON, like what is no text."""
    if schema is not None and (choices := _choices(schema)):
        options = "".join(f'<option value="{escape(json.dumps(one))}">{_text(_shown(one))}</option>' for one in choices)
        return f'<label>Your answer<select name="value" required>{options}</select></label>'
    if schema is not None and _type(schema) in ("integer", "number"):
        return '<label>Your answer<input name="value" inputmode="decimal" autocomplete="off" required></label>'
    kind = "Your answer" if schema is None or _type(schema) == "string" else "Your answer, as JSON"
    hint = "" if kind == "Your answer" else f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
    return f'{hint}<label>{kind}<textarea name="value" maxlength="20000" required></textarea></label>'


def _choices(schema: Mapping[str, object]) -> list[object]:
    listed = schema.get("enum")
    if isinstance(listed, list):
        return cast("list[object]", listed)
    return [True, False] if _type(schema) == "boolean" else []


def _shown(choice: object) -> str:
    if isinstance(choice, bool):
        return "yes" if choice else "no"
    return choice if isinstance(choice, str) else json.dumps(choice)


def _type(schema: Mapping[str, object]) -> object:
    return schema.get("type")


def _said(asked: Asked) -> str:
    rows = "".join(_row(message) for message in asked.messages)
    return f"<section><h2>The last messages</h2><ul>{rows}</ul></section>" if rows else ""


def _row(message: Message) -> str:
    mark = " (AI)" if message.author.kind is AuthorKind.AGENT else ""
    name = _text(message.author.name or "Customer")
    return f'<li><span>{name}{mark}</span><blockquote dir="auto">{escape(message.text)}</blockquote></li>'


def _text(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"


def _moment(at: datetime) -> str:
    return at.strftime("on %d %B %Y at %H:%M UTC")
