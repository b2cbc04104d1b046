"""`deskmate import`: recorded conversations into threads."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from deskmate.domain.transcripts import ESCALATE_TOOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from deskmate.config import Settings

File = Annotated[str, typer.Argument(metavar="FILE", help="One conversation in each line (JSON); - is the standard input.")]
Store = Annotated[
    str | None, typer.Option(metavar="URL", help="The store they come into. [DESKMATE_STORE; sqlite:///deskmate.db]")
]
Source = Annotated[
    str, typer.Option(metavar="NAME", help="Where they come from: a conversation is known by this name and its id.")
]
CustomerField = Annotated[
    str | None, typer.Option(metavar="PATH", help="Where a record names its customer, like user.id.", show_default=False)
]
EscalateTool = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help=f"A tool that calls a person; can be given again. [{ESCALATE_TOOL}]")
]


def import_(
    file: File,
    store: Store = None,
    source: Source = "import",
    customer_field: CustomerField = None,
    escalate_tool: EscalateTool = None,
    open_: Annotated[bool, typer.Option("--open", help="Leave the threads open instead of resolved.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first record that is refused.")] = False,
) -> None:
    """Bring recorded conversations in as threads.

    Chat-completions messages with tool calls and results, as fine-tuning files and logs have them. Each conversation comes in
    once, however often this runs, so a run that was stopped is simply started again. No agent answers, nobody is notified.

    \b
    deskmate import conversations.jsonl
    deskmate import conversations.jsonl --source old-desk --customer-field user.id
    zcat conversations.jsonl.gz | deskmate import - --escalate-tool call_a_human
    """
    import asyncio
    from dataclasses import replace

    from deskmate.cli.recordings import recording
    from deskmate.cli.words import shown
    from deskmate.config import Settings
    from deskmate.errors import Misconfigured

    if store is not None and not store.strip():
        raise Misconfigured("is empty", field="store")
    settings = Settings.from_env(os.environ)
    settings = settings if store is None else replace(settings, store=store)
    tools = tuple(escalate_tool) if escalate_tool else (ESCALATE_TOOL,)
    with recording(file, title="Importing") as lines:
        counts, messages = asyncio.run(_bring(settings, lines, source, customer_field, tools, open_, strict))
    told = ", ".join(f"{count} {coming}" for coming, count in counts.items())
    typer.echo(f"{told}; {messages} new messages in {shown(settings.store)}.")
    raise typer.Exit(1 if counts["refused"] else 0)


async def _bring(
    settings: "Settings",
    lines: "AsyncIterator[bytes]",
    source: str,
    customer_field: str | None,
    tools: tuple[str, ...],
    open_: bool,
    strict: bool,
) -> "tuple[dict[str, int], int]":
    """Import, and say what was refused. Answers how many conversations came, were there, were refused; and the messages."""
    from deskmate.app import Desk
    from deskmate.domain.threads import Status
    from deskmate.services.importing import Coming

    counts = {coming.value: 0 for coming in Coming}
    messages = 0
    async with Desk.open(settings=settings, work=False) as desk:
        status = Status.OPEN if open_ else Status.RESOLVED
        async for one in desk.imports.conversations(
            lines, source=source, customer_field=customer_field, escalate_tools=tools, status=status
        ):
            counts[one.coming] += 1
            messages += one.messages
            if one.error is not None:
                typer.echo(f"line {one.number}: {' '.join(one.error.message.split())}", err=True)
                if strict:
                    break
    return counts, messages
