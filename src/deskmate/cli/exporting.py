"""`deskmate export`: feedback as examples to train and to evaluate with."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from deskmate.config import Settings


class As(StrEnum):
    """What it is written as."""

    JSONL = "jsonl"
    OPENAI = "openai"
    OPENAI_PREFERENCE = "openai-preference"
    LM_EVAL = "lm-eval"


def export(
    format_: Annotated[As, typer.Option("--format", help="All feedback, examples, preferences, or a task.")] = As.JSONL,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder to write to; lm-eval needs one.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="The first day, like 2026-01-01, or a time.", show_default=False)
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="What is about this agent only.", show_default=False)] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="The store. [DESKMATE_STORE; sqlite:///deskmate.db]")] = None,
) -> None:
    """Write what people made of the AI's answers, as examples for others.

    jsonl is all feedback; openai is for supervised fine-tuning, openai-preference for preference fine-tuning; lm-eval is a
    folder with a task that lm_eval runs.

    \b
    deskmate export > feedback.jsonl
    deskmate export --format openai --since 2026-01-01 > examples.jsonl
    deskmate export --format lm-eval --out answers/
    lm_eval --tasks deskmate_answers --include_path answers/ --model dummy
    """
    import asyncio
    from dataclasses import replace

    from deskmate.config import Settings
    from deskmate.errors import Invalid, Misconfigured

    if store is not None and not store.strip():
        raise Misconfigured("is empty", field="store")
    if out is None and format_ is As.LM_EVAL:
        raise Invalid("lm-eval is a folder: say where", field="out")
    settings = Settings.from_env(os.environ)
    settings = settings if store is None else replace(settings, store=store)
    after = None if since is None else _time(since)
    if out is None:
        import sys

        asyncio.run(_write(settings, format_, sys.stdout, after, agent))
        return
    out.mkdir(parents=True, exist_ok=True)
    file = out / _files(format_, out)
    with file.open("w", encoding="utf-8", newline="\n") as lines:
        count = asyncio.run(_write(settings, format_, lines, after, agent))
    typer.echo(f"{count} lines in {file}.")


def _files(format: As, out: Path) -> str:
    """The name of the file with the lines; for a task, what it needs beside them is written here."""
    from deskmate.domain.exports import DATA_FILE, TASK_FILES

    if format is not As.LM_EVAL:
        return f"feedback-{format}.jsonl"
    for name, text in TASK_FILES.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    return DATA_FILE


async def _write(settings: "Settings", format: str, to: TextIO, since: "datetime | None", agent: str | None) -> int:
    from deskmate.app import Desk

    count = 0
    async with Desk.open(settings=settings, work=False) as desk:
        async for line in desk.feedback.export(format, since=since, agent=agent):
            to.write(line)
            count += 1
    return count


def _time(text: str) -> "datetime":
    """A day, which begins at midnight UTC, or a time. Raises Invalid."""
    from datetime import UTC, datetime

    from deskmate.errors import Invalid

    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"must be a day, like 2026-01-01, or a time, not {text!r}", field="since") from None
