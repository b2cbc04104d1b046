"""Invoices and summaries as JSON and as tables: the same figures on every door."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from deskmate.domain.invoices import Invoice, Line, Sum
from deskmate.domain.money import amount
from deskmate.domain.prices import shown

INVOICE_HEAD = (
    "customer", "since", "until", "kind", "who", "model", "input_tokens", "input_price", "output_tokens", "output_price", "time",
    "seconds", "rate", "amount", "currency",
)  # fmt: skip
SUMMARY_HEAD = ("who", "entries", "unpriced", "input_tokens", "output_tokens", "time", "seconds", "cost", "currency")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def hours(millis: int) -> str:
    """A time as h:mm:ss, to the nearest second below; less than nothing has a sign before it."""
    whole = abs(millis) // 1000
    sign = "-" if millis < 0 else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def seconds(millis: int) -> str:
    """A time in seconds, with its ms where it has some."""
    whole, rest = divmod(abs(millis), 1000)
    sign = "-" if millis < 0 else ""
    return f"{sign}{whole}.{rest:03}" if rest else f"{sign}{whole}"


def invoice_json(invoice: Invoice) -> dict[str, object]:
    """An invoice as JSON. Amounts are in minor units, and as people write them."""
    since, until = _edges(invoice)
    return {
        "customer": invoice.customer,
        "since": since,
        "until": until,
        "zone": invoice.period.zone,
        "by": invoice.by,
        "lines": [_line_json(line) for line in invoice.lines],
        "totals": [_money_json(minor, currency) for currency, minor in invoice.totals.items()],
    }


def sum_json(one: Sum) -> dict[str, object]:
    """A sum as JSON."""
    return {
        "key": one.key,
        "entries": one.entries,
        "unpriced": one.unpriced,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "seconds": one.millis / 1000,
        "time": hours(one.millis),
        "costs": [_money_json(minor, currency) for currency, minor in one.costs.items()],
    }


def invoice_rows(invoices: Iterable[Invoice]) -> list[tuple[str, ...]]:
    """The lines of invoices, and a row for each total."""
    rows: list[tuple[str, ...]] = []
    for invoice in invoices:
        head = (invoice.customer or "", *_edges(invoice))
        rows += [(*head, *_line_row(line)) for line in invoice.lines]
        blank = ("",) * (len(INVOICE_HEAD) - len(head) - 3)
        rows += [(*head, "total", *blank, amount(minor, currency), currency) for currency, minor in invoice.totals.items()]
    return rows


def summary_rows(sums: Iterable[Sum]) -> list[tuple[str, ...]]:
    """A row for each sum, and a further one for each further currency: quantities stand in the first."""
    rows: list[tuple[str, ...]] = []
    for one in sums:
        quantities = (
            str(one.entries), str(one.unpriced), str(one.input_tokens), str(one.output_tokens), hours(one.millis),
            seconds(one.millis),
        )  # fmt: skip
        costs = [(amount(minor, currency), currency) for currency, minor in one.costs.items()] or [("", "")]
        rows.append((one.key or "", *quantities, *costs[0]))
        rows += [(one.key or "", *("",) * len(quantities), *cost) for cost in costs[1:]]
    return rows


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV. A cell that a spreadsheet would take for a formula begins with an apostrophe; numbers are none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def plain_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal, in columns. What is not printable is left out: names come from outside."""
    table = [["".join(letter for letter in cell if letter.isprintable()) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    numbers = [all(_NUMBER.fullmatch(row[column]) or not row[column] for row in table[1:]) for column in range(len(head))]
    lines = (
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(row, widths, numbers, strict=True)
        )
        for row in table
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def _edges(invoice: Invoice) -> tuple[str, str]:
    """The edges in the zone of the invoice, as its reader counts days."""
    zone = ZoneInfo(invoice.period.zone)

    def local(at: datetime) -> str:
        return at.astimezone(zone).isoformat(timespec="seconds")

    return local(invoice.period.since), local(invoice.period.until)


def _line_row(line: Line) -> tuple[str, ...]:
    person = line.kind != "agent"
    rate = "" if line.rate is None or line.currency is None else amount(line.rate, line.currency)
    cost = "" if line.amount is None or line.currency is None else amount(line.amount, line.currency)
    tokens = ("",) * 4 if person else (
        str(line.input_tokens), _price(line.input_price), str(line.output_tokens), _price(line.output_price),
    )  # fmt: skip
    time = (hours(line.millis), seconds(line.millis)) if person else ("", "")
    return line.kind, line.who or "", line.model or "", *tokens, *time, rate, cost, line.currency or ""


def _line_json(line: Line) -> dict[str, object]:
    found: dict[str, object] = {"kind": line.kind, "who": line.who}
    if line.kind == "agent":
        found |= {
            "model": line.model,
            "input_tokens": line.input_tokens,
            "input_price": _price(line.input_price) or None,
            "output_tokens": line.output_tokens,
            "output_price": _price(line.output_price) or None,
        }
    else:
        found |= {"time": hours(line.millis), "seconds": line.millis / 1000, "rate_minor": line.rate}
    cost = None if line.amount is None or line.currency is None else amount(line.amount, line.currency)
    return {**found, "currency": line.currency, "amount_minor": line.amount, "amount": cost}


def _money_json(minor: int, currency: str) -> dict[str, object]:
    return {"currency": currency, "amount_minor": minor, "amount": amount(minor, currency)}


def _price(price: int | None) -> str:
    return "" if price is None else shown(price)
