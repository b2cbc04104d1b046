"""Downloads: a conversation as a text that people keep: who said what, when, and who of them is an AI. Pure.

The words of others are set apart from ours, line by line: nobody can write a line that looks as if somebody else had said it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import assert_never

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import (
    ApprovalRequest,
    ApprovalResponse,
    File,
    Message,
    MessageStatus,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Visibility,
)
from deskmate.domain.threads import Thread

_ALIVE = re.compile(r"<(?=[A-Za-z/!?])|(?<=!)\[")  # what would become HTML, or fetch a picture from elsewhere
_MARKS = re.compile(r"([\\`*_\[\]<>#|~])")


def written(thread: Thread, messages: Sequence[Message], *, markdown: bool = False) -> str:
    """The conversation as text or Markdown, as far as its reader may see it: thread and messages are redacted before."""
    title = _line(thread.subject or "Conversation")
    about = [f"Thread {thread.id}", f"opened {_at(thread.created_at)}"]
    customer = _line(thread.customer_name or thread.customer or "")
    if customer:
        about.insert(1, f"customer {customer}")
    blocks = [f"# {_plain(title)}", _plain(", ".join(about))] if markdown else [title, ", ".join(about)]
    blocks += [_entry(message, markdown) for message in messages if message.parts or message.status is not MessageStatus.PENDING]
    return "\n\n".join(blocks) + "\n"


def _entry(message: Message, markdown: bool) -> str:
    who, when = _speaker(message), _at(message.created_at)
    remarks = "".join(f", {remark}" for remark in _remarks(message))
    head = f"**{_plain(who)}** · {when}{remarks}" if markdown else f"{when}  {who}{remarks}"
    lines = [line for part in message.parts for line in _said(part).splitlines()]
    if not markdown:
        return "\n".join([head, *(f"    {line}".rstrip() for line in lines)])
    return "\n".join([head, "", *("> " + _ALIVE.sub(r"\\\g<0>", line) for line in lines)])


def _speaker(message: Message) -> str:
    """The name, and what kind of speaker that is; an AI is always called one."""
    author = message.author
    name = _line(author.name or message.agent_name or "")
    match author.kind:
        case AuthorKind.CUSTOMER:
            kind = "customer"
        case AuthorKind.AGENT:
            kind = "AI"
        case AuthorKind.OPERATOR:
            kind = "operator"
        case AuthorKind.SYSTEM:
            kind = "automatic"
        case AuthorKind.SERVICE:
            kind = "program"
        case _:
            assert_never(author.kind)
    return f"{name} ({kind})" if name else f"({kind})"


def _remarks(message: Message) -> Iterator[str]:
    match message.visibility:
        case Visibility.NOTE:
            yield "note"
        case Visibility.DRAFT:
            yield "draft, not sent"
        case Visibility.PUBLIC:
            pass
    if message.status is MessageStatus.FAILED:
        yield "broken off"
    if message.status is MessageStatus.PENDING:
        yield "still being written"


def _said(part: Part) -> str:
    match part:
        case Text():
            return part.text
        case File():
            return f"[file: {_line(part.filename or part.file)}, {_line(part.media_type)}]"
        case ToolCall():
            return f"[calls {_line(part.tool)}: {_json(part.input)}]"
        case ToolResult() if part.denied:
            return f"[{_line(part.tool)} was refused{_by(part)}]"
        case ToolResult():
            return f"[{_line(part.tool)} gave{_by(part)}: {_json(part.output)}]"
        case ApprovalRequest():
            return "[waits for approval]"
        case ApprovalResponse():
            return f"[{'approved' if part.approved else 'refused'}{_by(part)}]"
        case _:
            assert_never(part)


def _by(part: ToolResult | ApprovalResponse) -> str:
    by = f" by {_line(part.by.name)}" if part.by is not None and part.by.name else ""
    return f"{by}, {_line(part.reason)}" if part.reason else by


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _line(text: str) -> str:
    """What others have named, on one line."""
    return " ".join(text.split())


def _plain(text: str) -> str:
    """The same without any meaning in Markdown."""
    return _MARKS.sub(r"\\\1", text)


def _at(moment: datetime) -> str:
    """A time in UTC, which says so."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
