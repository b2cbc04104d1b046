"""Invoices: what was done for a customer in a period, in lines of alike work, each rounded once, half to even, at its end.

Everything is told from the quantities and the prices of the entries, so the same entries give the same invoice, to the byte.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deskmate.domain.money import rounded
from deskmate.domain.usage import Metered, gather
from deskmate.errors import Invalid


class People(StrEnum):
    """How the work of people is told apart on an invoice."""

    OPERATOR = "operator"
    QUEUE = "queue"


class Part(StrEnum):
    """What a summary tells apart."""

    AGENT = "agent"
    OPERATOR = "operator"
    QUEUE = "queue"
    MODEL = "model"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` on, up to but not including `until`. `zone` is where its edges are midnight."""

    since: datetime
    until: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Alike work: tokens of an agent and model, or hours at a rate. `amount` is in minor units, None where nobody set a price."""

    kind: str
    who: str | None
    model: str | None
    currency: str | None
    input_tokens: int
    output_tokens: int
    input_price: int | None
    output_price: int | None
    millis: int
    rate: int | None
    amount: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """All lines for one customer, or for threads without one; and for each currency the sum of its lines, in minor units."""

    customer: str | None
    period: Period
    by: People
    lines: tuple[Line, ...]
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What one agent, operator, queue, model or customer has used. Costs are in minor units, by currency; `unpriced` entries have
    none."""

    key: str | None
    entries: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    millis: int
    costs: Mapping[str, int]


def period(since: str | date | None, until: str | date | None, zone: str = "UTC") -> Period:
    """A period; a day without a time begins at midnight in the zone, a time without an offset is one of the zone. An edge that is
    None is open. Raises Invalid, naming the field."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("zone must be a time zone such as Europe/Paris", field="zone") from None
    begin = _edge(since, place, "since") if since is not None else datetime(1970, 1, 1, tzinfo=UTC)
    end = _edge(until, place, "until") if until is not None else datetime(9999, 1, 1, tzinfo=UTC)
    if end <= begin:
        raise Invalid("until must be after since", field="until")
    return Period(since=begin, until=end, zone=zone)


def _edge(given: str | date, zone: ZoneInfo, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else given
        local = at if isinstance(at, datetime) else datetime.combine(at, time.min, zone)
        return (local if local.tzinfo is not None else local.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{field} must be a day or a time like 2026-01-31 or 2026-01-31T09:00:00+01:00", field=field) from None


def invoice(customer: str | None, when: Period, by: People, work: Iterable[Metered]) -> Invoice:
    """The invoice for this work, all of it for this customer."""
    alike: dict[tuple[object, ...], list[Metered]] = defaultdict(list)
    for piece in work:
        alike[_line_of(piece, by)].append(piece)
    lines = [line for pieces in alike.values() if (line := _line(pieces, by)) is not None]
    lines.sort(key=_place)
    totals: dict[str, int] = {}
    for line in lines:
        if line.currency is not None and line.amount is not None:
            totals[line.currency] = totals.get(line.currency, 0) + line.amount
    return Invoice(customer=customer, period=when, by=by, lines=tuple(lines), totals=dict(sorted(totals.items())))


def invoices(when: Period, by: People, work: Iterable[Metered]) -> tuple[Invoice, ...]:
    """One invoice for each customer that something was done for, by id; that for nobody in particular comes last."""
    theirs: dict[str | None, list[Metered]] = defaultdict(list)
    for piece in work:
        theirs[piece.customer].append(piece)
    found = sorted(theirs, key=lambda customer: (customer is None, customer or ""))
    return tuple(invoice(customer, when, by, theirs[customer]) for customer in found)


def summary(by: Part, work: Iterable[Metered]) -> tuple[Sum, ...]:
    """What each has used, by name. Agents and models are told of what agents did, operators of what people did."""
    found: dict[str | None, list[Metered]] = defaultdict(list)
    for piece in work:
        person = piece.operator is not None
        if by in (Part.QUEUE, Part.CUSTOMER) or person == (by is Part.OPERATOR):
            found[_key(piece, by)].append(piece)
    return tuple(total(key, found[key]) for key in sorted(found, key=lambda key: (key is None, key or "")))


def total(key: str | None, work: Iterable[Metered]) -> Sum:
    """All this work in one sum; costs are rounded once, after they were added."""
    costs: dict[str, Fraction] = defaultdict(Fraction)
    pieces = gather(work)
    for piece in pieces:
        if piece.currency is not None and piece.cost is not None:
            costs[piece.currency] += Fraction(*piece.cost)
    return Sum(
        key=key,
        entries=sum(piece.entries for piece in pieces),
        unpriced=sum(piece.entries for piece in pieces if piece.cost is None),
        input_tokens=sum(piece.input_tokens for piece in pieces),
        output_tokens=sum(piece.output_tokens for piece in pieces),
        millis=sum(piece.millis for piece in pieces),
        costs={currency: rounded(cost.numerator, cost.denominator) for currency, cost in sorted(costs.items())},
    )


def _key(piece: Metered, by: Part) -> str | None:
    if by is Part.MODEL:
        return _model(piece)
    value: str | None = getattr(piece, by.value)
    return value


def _model(piece: Metered) -> str | None:
    named = [name for name in (piece.provider, piece.model) if name]
    return ":".join(named) or None


def _line_of(piece: Metered, by: People) -> tuple[object, ...]:
    if piece.operator is not None:
        return "people", piece.operator if by is People.OPERATOR else piece.queue, piece.currency, piece.rate
    return "agent", piece.agent, _model(piece), piece.currency, piece.input_price, piece.output_price


def _line(pieces: list[Metered], by: People) -> Line | None:
    """One line; None where corrections have left nothing of it."""
    first = pieces[0]
    inputs, outputs = sum(piece.input_tokens for piece in pieces), sum(piece.output_tokens for piece in pieces)
    millis = sum(piece.millis for piece in pieces)
    if not (inputs or outputs or millis):
        return None
    whole = Metered(
        currency=first.currency, input_price=first.input_price, output_price=first.output_price, rate=first.rate,
        input_tokens=inputs, output_tokens=outputs, millis=millis,
    )  # fmt: skip
    person = first.operator is not None
    return Line(
        kind=str(by) if person else "agent",
        who=_key(first, Part(by)) if person else first.agent,
        model=None if person else _model(first),
        currency=first.currency,
        input_tokens=inputs,
        output_tokens=outputs,
        input_price=first.input_price,
        output_price=first.output_price,
        millis=millis,
        rate=first.rate,
        amount=None if whole.cost is None else rounded(*whole.cost),
    )


def _place(line: Line) -> tuple[object, ...]:
    """Agents first, then people, each by name; the text of None is nobody's name."""
    return (
        line.kind != "agent", line.who or "", line.model or "", line.currency or "",
        line.input_price or 0, line.output_price or 0, line.rate or 0,
    )  # fmt: skip
