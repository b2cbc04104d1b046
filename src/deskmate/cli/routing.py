"""`deskmate route`: who responds next, tried on labelled messages before it is trusted."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskmate.cli.billing import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deskmate.domain.evaluations import Evaluation
    from deskmate.domain.scoring import Example
    from deskmate.services.judgement import Standing

route = typer.Typer(name="route", rich_markup_mode=None)

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="One message in each line: {text, intent or null, responder}; - is the standard input."),
]
Train = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Learn from this file; else from four fifths of each intent, judged on the rest.", show_default=False
    ),
]
Share = Annotated[
    float | None,
    typer.Option(metavar="SHARE", min=0, max=0.99, help="Weigh messages as if this share were out of scope.", show_default=False),
]


@route.callback(invoke_without_command=True)
def deskmate_route(context: typer.Context) -> None:
    """Who responds next, tried on labelled messages.

    \b
    deskmate route eval messages.jsonl
    deskmate route calibrate
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@route.command("eval")
def evaluation(
    file: File,
    train: Train = None,
    out_of_scope: Share = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell how good the learned classifier is on your messages.

    Prints how often it knew what a message is about, how well it tells what people should get, and how much of the traffic the AI
    could answer alone with at most 5, 2 and 1 % wrong. Nothing is stored.

    \b
    deskmate route eval messages.jsonl
    deskmate route eval test.jsonl --train train.jsonl --json
    """
    from time import perf_counter

    from deskmate.classifiers.learned import fit
    from deskmate.domain.evaluations import evaluate

    judged = _examples(file, "file")
    known = _examples(train, "train") if train is not None else None
    if known is None:
        known, judged = _split(judged, file)
    began = perf_counter()
    scorer = fit(known)
    fitted = perf_counter()
    given = [(example, scorer.score([example.text])) for example in judged]
    took = (perf_counter() - fitted) * 1000 / len(judged)
    found = evaluate(given, share=out_of_scope)
    facts = {"learned_from": len(known), "fit_seconds": round(fitted - began, 3), "ms_per_decision": round(took, 3)}
    if as_json:
        typer.echo(json.dumps(_record(found) | facts | {"version": scorer.version}, indent=2))
    else:
        typer.echo("".join(f"{line}\n" for line in _told(found, facts)), nl=False)


def _examples(file: str, field: str) -> "list[Example]":
    """The rows of a file. Raises Misconfigured with the line and the field that is wrong."""
    import asyncio

    from deskmate.cli.recordings import recording
    from deskmate.domain.labelled import labelled
    from deskmate.domain.transcripts import read_line
    from deskmate.errors import Invalid, Misconfigured

    async def read() -> "list[Example]":
        found: list[Example] = []
        number = 0
        with recording(file, title="Reading") as lines:
            async for line in lines:
                number += 1
                try:
                    if line.strip():
                        found.append(labelled(read_line(line)))
                except Invalid as error:
                    raise Misconfigured(f"{file}, line {number}: {error.message}", field=field) from None
        return found

    try:
        found = asyncio.run(read())
    except Misconfigured as error:
        raise Misconfigured(error.message, field=field) from None
    if not found:
        raise Misconfigured(f"{file} has no messages", field=field)
    return found


def _split(rows: "Sequence[Example]", file: str) -> "tuple[list[Example], list[Example]]":
    """Four fifths of each kind to learn from, and its last fifth to judge: neighbours are often written by the same hand."""
    from collections import Counter

    from deskmate.errors import Misconfigured

    counts = Counter((row.intent, row.responder) for row in rows)
    seen: Counter[tuple[str | None, str]] = Counter()
    known: list[Example] = []
    judged: list[Example] = []
    for row in rows:
        kind = row.intent, row.responder
        seen[kind] += 1
        (judged if seen[kind] > counts[kind] - counts[kind] // 5 else known).append(row)
    if not judged:
        raise Misconfigured(f"{file} has fewer than five messages of every intent; name one to learn from", field="train")
    return known, judged


def _record(found: "Evaluation") -> "dict[str, Any]":
    from dataclasses import asdict

    record = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(found).items()}
    return record | {"coverage": {str(error): round(share, 4) for error, share in found.coverage.items()}}


def _told(found: "Evaluation", facts: "dict[str, Any]") -> "Iterable[str]":
    def percent(share: float | None) -> str:
        return "-" if share is None else f"{share * 100:.1f} %"

    yield f"learned from      {facts['learned_from']} messages in {facts['fit_seconds']:.1f} s"
    each = f"{facts['ms_per_decision']:.2f} ms each"
    yield f"judged            {found.in_scope} in scope, {found.out_of_scope} out of scope, {each}"
    yield f"accuracy          {percent(found.accuracy)} of those in scope are answered by the AI with the right intent"
    yield f"given to people   {percent(found.kept)} of those in scope, {percent(found.caught)} of those out of scope"
    yield f"AUROC             {'-' if found.auroc is None else f'{found.auroc:.3f}'} in scope against out of scope"
    for error, share in found.coverage.items():
        yield f"alone             {percent(share)} of all messages, with at most {error * 100:.0f} % wrong"


@route.command("calibrate")
def calibrate(
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="Only this agent.", show_default=False)] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="The store. [DESKMATE_STORE; sqlite:///deskmate.db]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each agent.")] = False,
) -> None:
    """Look whether what people have checked moves the floors of the agents, and tell how these stand.

    A running desk does this by itself after each check.

    \b
    deskmate route calibrate
    deskmate route calibrate --agent "Shop AI" --json
    """
    import asyncio

    standing = asyncio.run(_calibrated(store, agent))
    for one in standing:
        typer.echo(json.dumps(_standing(one)) if as_json else _sentence(one))
    if not standing:
        typer.echo("No policy gives an agent a floor: see docs/routing.md.")


async def _calibrated(store: str | None, agent: str | None) -> "list[Standing]":
    from deskmate.app import Desk
    from deskmate.errors import Invalid

    async with Desk.open(store or None, settings=settings_for(store), work=False) as desk:
        known = [one for one in await desk.routing.status() if one.rules is not None]
        if agent is not None and agent not in {one.agent for one in known}:
            raise Invalid(f"no policy gives {agent} a floor, or nothing of it has been checked yet", field="agent")
        for one in known:
            if agent in (None, one.agent):
                await desk.routing.calibrate(one.agent)
        return [one for one in await desk.routing.status() if one.rules is not None and agent in (None, one.agent)]


def _standing(one: "Standing") -> "dict[str, Any]":
    floor = one.floor
    return {
        "agent": one.agent, "floor": one.value, "version": floor.version if floor else 0, "cause": floor.cause if floor else None,
        "labels": floor.labels if floor else 0, "needed": one.needed, "audit_rate": one.audit_rate,
    }  # fmt: skip


def _sentence(one: "Standing") -> str:
    assert one.rules is not None
    if one.value is None:
        return f"{one.agent}: people check every answer; {one.needed} more right ones at least until the AI may answer alone"
    promise = f"at most {one.rules.max_error:.0%} wrong with {1 - one.rules.delta:.0%} certainty"
    learned = "set by hand" if one.rules.fixed is not None else f"{promise}, from {one.floor.labels if one.floor else 0} checks"
    return f"{one.agent}: answers alone from {one.value:.3f} on ({learned})"
