"""The commands and their help. What is slow to import is imported by the command that needs it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskmate.cli.billing import invoice, usage
from deskmate.cli.exporting import export
from deskmate.cli.importing import import_
from deskmate.cli.replaying import replay
from deskmate.cli.routing import route
from deskmate.config import Settings
from deskmate.errors import Misconfigured

if TYPE_CHECKING:
    from deskmate.cli.sources import Source

app = typer.Typer(
    name="deskmate",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DeskName = Annotated[
    str | None, typer.Argument(metavar="[MODULE:DESK]", show_default=False, help="A Desk of yours, like support:desk.")
]
Faq = Annotated[Path | None, typer.Option(metavar="DIR", help="Answer from the Markdown files of this folder.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="Answer with a model, like openai:gpt-5.2.")]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="An OpenAI-compatible server (vLLM, Ollama), for --model openai-chat:NAME.")
]
AgentName = Annotated[str | None, typer.Option(metavar="MODULE:NAME", help="Answer with an agent of yours.")]
StoreUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://HOST/NAME. [DESKMATE_STORE; sqlite:///deskmate.db]"),
]
Host = Annotated[str | None, typer.Option(metavar="HOST", help="The address to listen on. [DESKMATE_HOST; 127.0.0.1]")]
Port = Annotated[
    str | None, typer.Option(metavar="PORT", help="The port to listen on; 0 takes a free one. [DESKMATE_PORT; 8000]")
]


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The command line was not understood. `line` says why."""

    line: str
    code: int


def program(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code. Raises Refused, and what the command raises."""
    command = typer.main.get_command(app)
    try:
        result: object = command.main(list(arguments), prog_name="deskmate", standalone_mode=False)
    except typer.TyperException as error:
        line = " ".join(error.format_message().split())
        raise Refused(f"{line} (deskmate --help says more)", error.exit_code) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"deskmate {version('deskmate')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def deskmate(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """People and AI agents in the same conversation.

    \b
    deskmate demo                        a shop with customers, operators and an AI, to look around in
    deskmate serve --faq docs/           your own desk: answers from your Markdown files, asks you about the rest
    deskmate COMMAND --help              all options of a command

    Settings come from the environment (DESKMATE_*); options win over them.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def serve(
    desk: DeskName = None,
    faq: Faq = None,
    model: Model = None,
    base_url: BaseUrl = None,
    agent: AgentName = None,
    store: StoreUrl = None,
    host: Host = None,
    port: Port = None,
    insecure_cookies: Annotated[
        bool, typer.Option("--insecure-cookies", help="Let operators sign in over plain HTTP from other machines.")
    ] = False,
    no_work: Annotated[bool, typer.Option("--no-work", help="Serve only; other processes run the agents.")] = False,
) -> None:
    """Serve a desk: chat, inbox and API.

    Customers are at /chat, operators at /inbox, programs at /api. Without any option the agent asks people about everything.
    The first start prints a link by which the first admin signs in.

    \b
    deskmate serve --faq docs/
    deskmate serve --faq docs/ --model openai:gpt-5.2
    deskmate serve --model openai-chat:llama3.3 --base-url http://127.0.0.1:11434/v1
    deskmate serve --agent support:agent --store postgresql://db.internal/deskmate
    deskmate serve support:desk --host 0.0.0.0 --port 80
    """
    from deskmate.cli.serving import listen
    from deskmate.cli.serving import serve as serve_desk
    from deskmate.cli.sources import desk_of
    from deskmate.cli.words import address_lines, desk_line, setup_lines

    source = _source(desk, faq, model, base_url, agent, store, host, port)
    if insecure_cookies:
        source = replace(source, settings={**source.settings, "insecure_cookies": True})
    served = desk_of(source, os.environ)
    listener = listen(served.settings.host, served.settings.port)

    def announce(token: str | None) -> list[str]:
        return [desk_line(served), *address_lines(listener), *setup_lines(listener, token), "Ctrl-C stops."]

    serve_desk(served, listener, announce=announce, work=not no_work)


@app.command()
def worker(
    desk: DeskName = None,
    faq: Faq = None,
    model: Model = None,
    base_url: BaseUrl = None,
    agent: AgentName = None,
    store: StoreUrl = None,
) -> None:
    """Run a desk's agents and timers, without serving it.

    For desks with more work than one server has time for: any number of workers and servers share a store. `serve` works too,
    unless it is told not to (--no-work). Takes what `serve` takes to choose a desk and its agent.

    \b
    deskmate worker --faq docs/ --store postgresql://db.internal/deskmate
    deskmate worker support:desk
    """
    import asyncio

    from deskmate.cli.serving import log_at
    from deskmate.cli.sources import desk_of
    from deskmate.cli.words import desk_line
    from deskmate.worker import work

    working = desk_of(_source(desk, faq, model, base_url, agent, store, None, None), os.environ)
    log_at(working.settings.log_level)
    asyncio.run(work(working, ready=lambda: typer.echo(f"{desk_line(working)}\nWorking. Ctrl-C stops.")))


@app.command()
def demo(host: Host = None, port: Port = None, store: StoreUrl = None) -> None:
    """Serve an invented shop, to look around in.

    It has customers, operators, threads in all states, and an AI that answers from its FAQ. Everything is in a temporary store
    and gone afterwards, unless --store names one.

    \b
    deskmate demo
    deskmate demo --port 0
    deskmate demo --store sqlite:///demo.db
    """
    from deskmate.cli.serving import listen
    from deskmate.cli.serving import serve as serve_desk
    from deskmate.cli.words import address_lines, demo_lines
    from deskmate.demo import Demo

    settings = replace(Settings.from_env(os.environ), **_given(host=host, port=_port(port)))
    shop = Demo(replace(settings, store=store or "sqlite://"))
    listener = listen(settings.host, settings.port)

    def announce(_: str | None) -> list[str]:
        return [*address_lines(listener), *demo_lines(shop), "Ctrl-C stops."]

    serve_desk(shop.desk, listener, announce=announce, prepare=shop.open)


@app.command()
def migrate(
    store: StoreUrl = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 when something is missing.")] = False,
) -> None:
    """Bring the schema of a store up to date. `serve` does this by itself when it starts.

    \b
    deskmate migrate --store postgresql://db.internal/deskmate
    deskmate migrate --check
    """
    from deskmate.store import migrate as bring_up_to_date
    from deskmate.store import pending_migrations

    url = store if store is not None else Settings.from_env(os.environ).store
    if check:
        pending = pending_migrations(url)
        typer.echo("".join(f"missing  {name}\n" for name in pending) or "The schema is up to date.\n", nl=False)
        raise typer.Exit(1 if pending else 0)
    applied = bring_up_to_date(url)
    typer.echo("".join(f"applied  {name}\n" for name in applied) or "The schema is up to date.\n", nl=False)


@app.command()
def check(
    desk: DeskName = None,
    faq: Faq = None,
    model: Model = None,
    base_url: BaseUrl = None,
    agent: AgentName = None,
    store: StoreUrl = None,
) -> None:
    """Look whether a desk would run.

    Settings, agents, store, schema, waiting runs, operators: a line for each. Changes nothing; exits with 1 on a problem.

    \b
    deskmate check --faq docs/
    deskmate check support:desk
    """
    import asyncio

    from deskmate.cli.checking import findings

    problems = 0
    for finding in asyncio.run(findings(_source(desk, faq, model, base_url, agent, store, None, None), os.environ)):
        problems += not finding.ok
        typer.echo(f"{'ok' if finding.ok else 'problem':<8} {finding.about:<9} {finding.text}")
    raise typer.Exit(1 if problems else 0)


app.command("import")(import_)
app.command()(export)
app.command()(replay)
app.command()(usage)
app.command()(invoice)
app.add_typer(route)


def _source(
    desk: str | None,
    faq: Path | None,
    model: str | None,
    base_url: str | None,
    agent: str | None,
    store: str | None,
    host: str | None,
    port: str | None,
) -> "Source":
    from deskmate.cli.sources import Source

    if store is not None and not store.strip():
        raise Misconfigured("is empty", field="store")
    settings = _given(store=store, host=host, port=_port(port))
    return Source(desk=desk, faq=faq, model=model, base_url=base_url, agent=agent, settings=settings)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise Misconfigured(f"must be a whole number from 0 to 65535, not {text!r}", field="port")
    return int(text)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
