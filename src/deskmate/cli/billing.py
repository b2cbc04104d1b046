"""`deskmate usage` and `deskmate invoice`: what has been used, and what it costs."""

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deskmate.domain.invoices import Invoice, Sum


class Form(StrEnum):
    """How it is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Of(StrEnum):
    """What usage is told apart by."""

    AGENT = "agent"
    OPERATOR = "operator"
    QUEUE = "queue"
    MODEL = "model"
    CUSTOMER = "customer"


class PeopleBy(StrEnum):
    """How people are told apart on an invoice."""

    OPERATOR = "operator"
    QUEUE = "queue"


Since = Annotated[str | None, typer.Option(metavar="DAY", help="The first day, like 2026-01-01, or a time.", show_default=False)]
Until = Annotated[str | None, typer.Option(metavar="DAY", help="The day after the last one, or a time.", show_default=False)]
Zone = Annotated[str, typer.Option(metavar="ZONE", help="Where days begin at midnight, like Europe/Paris.")]
Format = Annotated[Form, typer.Option("--format", help="How to print it.")]
Store = Annotated[str | None, typer.Option(metavar="URL", help="The store. [DESKMATE_STORE; sqlite:///deskmate.db]")]


def usage(
    since: Since = None,
    until: Until = None,
    zone: Zone = "UTC",
    by: Annotated[Of, typer.Option(help="What it is told apart by.")] = Of.AGENT,
    format_: Format = Form.TABLE,
    store: Store = None,
) -> None:
    """Tell what agents and people have used: tokens, time, cost.

    \b
    deskmate usage
    deskmate usage --by operator --since 2026-01-01 --until 2026-02-01 --zone Europe/Paris
    deskmate usage --by model --format csv > usage.csv
    """
    import asyncio

    from deskmate.domain.invoice_forms import SUMMARY_HEAD, sum_json, summary_rows

    sums = asyncio.run(_summary(store, since, until, zone, by))
    _print(format_, [sum_json(one) for one in sums], SUMMARY_HEAD, summary_rows(sums))


def invoice(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help='The id of a customer; "" is for threads without one.')],
    since: Annotated[str, typer.Option(metavar="DAY", help="The first day, like 2026-01-01, or a time.")],
    until: Annotated[str, typer.Option(metavar="DAY", help="The day after the last one, or a time.")],
    zone: Zone = "UTC",
    by: Annotated[PeopleBy, typer.Option(help="How people are told apart.")] = PeopleBy.OPERATOR,
    format_: Format = Form.TABLE,
    store: Store = None,
) -> None:
    """Print the invoice of a customer for a period.

    The same period gives the same invoice, to the byte. What is deleted is gone from it.

    \b
    deskmate invoice cus_01k8 --since 2026-01-01 --until 2026-02-01
    deskmate invoice cus_01k8 --since 2026-01-01 --until 2026-02-01 --zone Europe/Paris --format csv
    """
    import asyncio

    from deskmate.domain.invoice_forms import INVOICE_HEAD, invoice_json, invoice_rows

    made = asyncio.run(_invoice(store, customer or None, since, until, zone, by))
    _print(format_, invoice_json(made), INVOICE_HEAD, invoice_rows([made]))


def _print(form: Form, record: object, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from deskmate.domain.invoice_forms import csv_text, plain_text

    match form:
        case Form.JSON:
            typer.echo(json.dumps(record, indent=2))
        case Form.CSV:
            typer.echo(csv_text(head, rows), nl=False)
        case Form.TABLE:
            typer.echo(plain_text(head, rows), nl=False)


async def _summary(store: str | None, since: str | None, until: str | None, zone: str, by: str) -> "tuple[Sum, ...]":
    from deskmate.app import Desk

    async with Desk.open(store or None, settings=settings_for(store), work=False) as desk:
        return await desk.usage.summary(since, until, zone=zone, by=by)


async def _invoice(store: str | None, customer: str | None, since: str, until: str, zone: str, by: str) -> "Invoice":
    from deskmate.app import Desk

    async with Desk.open(store or None, settings=settings_for(store), work=False) as desk:
        return await desk.usage.invoice(customer, since, until, zone=zone, by=by)


def settings_for(store: str | None):
    """The settings of a command that opens a store. Raises Misconfigured."""
    from deskmate.config import Settings
    from deskmate.errors import Misconfigured

    if store is not None and not store.strip():
        raise Misconfigured("is empty", field="store")
    return Settings.from_env(os.environ)
