"""Letters: a word as a mail. What people wrote is data in it: no header can be added, and no markup, by a name or a message.

Only public messages are quoted. The words of a draft are not in a mail either: they are shown where it is approved.
"""

import json
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import assert_never
from unicodedata import category

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import Message
from deskmate.domain.notifications import AnswerLink, Word
from deskmate.domain.requests import DecisionKind, Request, RequestKind
from deskmate.services.telling import customer_of

LONGEST_LINE = 150  # characters of a subject or a name
LONGEST_TEXT = 2000  # characters of one message that are quoted
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
VERBS = {DecisionKind.ANSWER: "Answer", DecisionKind.APPROVE: "Approve", DecisionKind.REJECT: "Reject"}


def letter(word: Word, *, sender: str) -> EmailMessage:
    """The mail. It has the same Message-ID whenever it is made of the same notification."""
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = line(word.notification.text)
    mail["From"] = _mailbox(name, address)
    mail["To"] = _mailbox(word.operator.name, word.operator.email)
    mail["Date"] = format_datetime(word.notification.created_at)
    mail["Message-ID"] = f"<{word.notification.id}@{host}>"
    if word.thread is not None:
        mail["References"] = f"<{word.thread.id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(plain(word))
    mail.add_alternative(hypertext(word), subtype="html")
    return mail


def line(text: str) -> str:
    """A text as a header can have it: one line of printable characters."""
    tidy = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return tidy if len(tidy) <= LONGEST_LINE else tidy[: LONGEST_LINE - 1] + "…"


def plain(word: Word) -> str:
    """The mail without markup. Quoted lines begin with `>`, so that nobody's words pass for ours."""
    parts = [line(word.notification.text), *_facts(word)]
    if word.request is not None and (what := _asked(word.request)):
        parts += [f"{heading}:\n{_quoted(text)}" for heading, text in what]
    if word.answers:
        parts.append("\n".join(f"{VERBS[answer.kind]}: {answer.url}" for answer in word.answers))
        parts.append("Each link works once, for a day, and only you should have it: who has it answers in your name.")
    if word.messages:
        said = [f"{line(_author(message))}:\n{_quoted(_cut(message.text))}" for message in word.messages]
        parts.append("The last messages, oldest first:\n\n" + "\n\n".join(said))
    if word.link is not None:
        parts.append(f"The conversation: {word.link}")
    return "\n\n".join(parts) + "\n"


def hypertext(word: Word) -> str:
    """The same with a little markup, and nothing that a mail program would have to load."""
    parts = [f"<p><strong>{_safe(line(word.notification.text))}</strong></p>"]
    parts += [f"<p>{_safe(fact)}</p>" for fact in _facts(word)]
    if word.request is not None:
        parts += [f"<p>{_safe(heading)}:</p>{_block(text)}" for heading, text in _asked(word.request)]
    if word.answers:
        parts.append(f"<p>{' &nbsp; '.join(_anchor(answer) for answer in word.answers)}</p>")
        parts.append("<p><small>Each link works once, for a day, and only you should have it: who has it answers in your name."
                     "</small></p>")  # fmt: skip
    if word.messages:
        parts.append("<p>The last messages, oldest first:</p>")
        parts += [f"<p><strong>{_safe(line(_author(one)))}</strong></p>{_block(_cut(one.text))}" for one in word.messages]
    if word.link is not None:
        parts.append(f'<p><a href="{_safe(word.link)}">The conversation</a></p>')
    return f'<!doctype html><html lang="en"><body>{"".join(parts)}</body></html>\n'


def _facts(word: Word) -> list[str]:
    facts: list[str] = []
    if word.thread is not None:
        facts.append(f"Customer: {line(customer_of(word.thread))}")
        if word.thread.subject:
            facts.append(f"Subject: {line(word.thread.subject)}")
    if word.request is not None and word.request.agent:
        facts.append(f"Asked by: {line(word.request.agent)}")
    return facts


def _asked(request: Request) -> list[tuple[str, str]]:
    """What is asked, in full, under headings."""
    match request.kind:
        case RequestKind.QUESTION:
            asked = [("Question", request.question or "")]
        case RequestKind.ESCALATION:
            asked = [("Why it is passed on", request.question or "")] if request.question else []
        case RequestKind.APPROVAL if request.draft is not None:
            asked = [("A reply waits to be sent", "Its words are shown where you approve it.")]
        case RequestKind.APPROVAL:
            args = json.dumps(request.args, indent=2, ensure_ascii=False, sort_keys=True)
            asked = [("To run", f"{request.tool}\n{args}")]
        case _:
            assert_never(request.kind)
    more = [("Reason", request.reason)] if request.reason else []
    more += [("Suggestion", request.suggestion)] if request.suggestion and request.draft is None else []
    return asked + more


def _author(message: Message) -> str:
    name = message.author.name or "Customer"
    return f"{name} (AI)" if message.author.kind is AuthorKind.AGENT else name


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " […]"


def _quoted(text: str) -> str:
    return "\n".join(f"> {row}" for row in _clean(text).split("\n"))


def _clean(text: str) -> str:
    """The text without what controls how it is shown: every end of a line is the same, and nothing turns its direction round."""
    lines = "\n".join(text.splitlines())
    return "".join(" " if char in _TURNING or (category(char) in ("Cc", "Cs") and char not in "\n\t") else char for char in lines)


def _safe(text: str) -> str:
    return escape(_clean(text), quote=True)


def _block(text: str) -> str:
    return f'<blockquote dir="auto">{_safe(text).replace(chr(10), "<br>")}</blockquote>'


def _anchor(answer: AnswerLink) -> str:
    return f'<a href="{_safe(answer.url)}">{VERBS[answer.kind]}</a>'


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=line(name), addr_spec=address)
