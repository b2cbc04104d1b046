"""Money and invoices: exact until the one rounding at the end of a line, against fractions."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskmate.domain.invoice_forms import INVOICE_HEAD, csv_text, hours, invoice_json, invoice_rows, plain_text, seconds
from deskmate.domain.invoices import Invoice, Part, People, invoice, invoices, period, summary
from deskmate.domain.money import NANOS, amount, rounded
from deskmate.domain.policies import Kind
from deskmate.domain.prices import Price, micros, price_of, shown
from deskmate.domain.rates import Rate, rate_of
from deskmate.domain.rulebook import rules_of
from deskmate.domain.usage import Metered, gather
from deskmate.errors import Invalid

JANUARY = period("2026-01-01", "2026-02-01", "Europe/Paris")
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
TOKENS = st.integers(0, 10**7)
PIECES = st.one_of(
    st.builds(
        Metered,
        customer=st.sampled_from(("ada", "eve", None)), agent=st.sampled_from(("Support AI", "=1+1")), provider=st.just("openai"),
        model=st.sampled_from(("a", "b")), currency=st.sampled_from(("EUR", "JPY", "KWD")),
        input_price=st.integers(0, 10**9), output_price=st.integers(0, 10**9), input_tokens=TOKENS, output_tokens=TOKENS,
    ),
    st.builds(
        Metered,
        customer=st.sampled_from(("ada", "eve", None)), operator=st.sampled_from(("ana", "ben")),
        queue=st.sampled_from(("support", None)), currency=st.sampled_from(("EUR", "JPY", "KWD")),
        rate=st.sampled_from((0, 1, 3177, 10_000)), millis=st.integers(-10_000, 10**8),
    ),
    st.builds(Metered, customer=st.just("ada"), agent=st.just("Support AI"), model=st.just("a"), input_tokens=TOKENS),
)  # fmt: skip


def fraction(piece: Metered) -> Fraction:
    """What it costs in minor units, from the definition of a price and of a rate."""
    if piece.rate is not None:
        return Fraction(piece.millis, 3_600_000) * piece.rate
    price = (Fraction(piece.input_price or 0, 10**6), Fraction(piece.output_price or 0, 10**6))
    main = (piece.input_tokens * price[0] + piece.output_tokens * price[1]) / 10**6
    return main * 10 ** DIGITS[piece.currency or ""]


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30), st.sampled_from(People))
def test_a_line_is_the_exact_sum_of_its_entries_rounded_once(work: list[Metered], by: People):
    for one in invoices(JANUARY, by, work):
        mine = [piece for piece in work if piece.customer == one.customer]
        for line in one.lines:
            key = (line.who, line.model, line.currency, line.input_price, line.output_price, line.rate)
            alike = [piece for piece in mine if _key(piece, by) == key]
            assert line.millis == sum(piece.millis for piece in alike)
            assert line.input_tokens == sum(piece.input_tokens for piece in alike)
            exact = sum((fraction(piece) for piece in alike if piece.currency), Fraction())
            assert line.amount == (None if line.currency is None else round(exact))  # Fractions are rounded half to even.
        for currency, total in one.totals.items():
            assert total == sum(line.amount or 0 for line in one.lines if line.currency == currency)


def _key(piece: Metered, by: People):
    who = (piece.operator if by is People.OPERATOR else piece.queue) if piece.operator else piece.agent
    model = ":".join(name for name in (piece.provider, piece.model) if name) or None
    return who, model, piece.currency, piece.input_price, piece.output_price, piece.rate


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=20), st.randoms())
def test_the_same_entries_give_the_same_bytes_in_whatever_order_they_come(work: list[Metered], chance: Random):
    other = list(work)
    chance.shuffle(other)
    for by in People:
        one, same = invoices(JANUARY, by, work), invoices(JANUARY, by, gather(other))
        assert csv_text(INVOICE_HEAD, invoice_rows(one)) == csv_text(INVOICE_HEAD, invoice_rows(same))
        assert [repr(invoice_json(each)) for each in one] == [repr(invoice_json(each)) for each in same]


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_rounding_is_half_to_even(numerator: int, denominator: int):
    assert rounded(numerator, denominator) == round(Fraction(numerator, denominator))


@given(st.integers(0, 10**7), st.integers(0, 10**9))
def test_a_billionth_of_a_minor_unit_holds_a_price_of_five_decimals_exactly(tokens: int, price: int):
    piece = Metered(currency="EUR", input_price=price * 10, input_tokens=tokens)
    assert piece.nanos == fraction(piece) * NANOS


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(5, "EUR", "0.05"), (-5, "EUR", "-0.05"), (123456, "EUR", "1234.56"), (1234, "JPY", "1234"), (-1, "JPY", "-1"),
     (1234, "KWD", "1.234"), (0, "USD", "0.00")],
)  # fmt: skip
def test_amounts_have_the_decimals_of_their_currency(minor: int, currency: str, text: str):
    assert amount(minor, currency) == text


def test_yen_have_no_cents_and_dinars_have_thousandths():
    for currency, expected in (("JPY", 150), ("EUR", 15_000), ("KWD", 150_000)):
        piece = Metered(agent="a", currency=currency, input_price=micros("150"), output_price=0, input_tokens=1_000_000)
        assert invoice(None, JANUARY, People.OPERATOR, [piece]).totals == {currency: expected}


@pytest.mark.parametrize(
    ("text", "again"), [("1.25", "1.25"), ("10", "10.00"), ("0.000001", "0.000001"), ("0.10", "0.10"), ("99999", "99999.00")]
)
def test_a_price_is_shown_as_it_was_written(text: str, again: str):
    assert shown(micros(text)) == again
    assert Decimal(micros(text)) == (Decimal(text) * 10**6).to_integral_value(ROUND_HALF_EVEN)


@pytest.mark.parametrize(
    ("field", "value"),
    [("input", "1,25"), ("input", "-1"), ("input", "1.0000001"), ("output", "1e3"), ("output", 1.25), ("currency", "eur"),
     ("currency", "EURO"), ("models", []), ("models", [""]), ("input", "100000"), ("output", ""), ("input", "٣")],
)  # fmt: skip
def test_a_price_that_cannot_be_read_is_refused_by_name(field: str, value: object):
    good: dict[str, object] = {"currency": "EUR", "models": ["gpt-5*"], "input": "1.25", "output": "10.00"}
    assert isinstance(rules_of(Kind.PRICE, good), Price)
    with pytest.raises(Invalid) as refused:
        rules_of(Kind.PRICE, good | {field: value})
    assert (refused.value.field or "").startswith(f"rules.{field}")


def price(input: str, *models: str) -> Price:
    return Price(currency="EUR", models=models, input=input, output="0")


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [("openai", "gpt-5.2", "4"), ("openai", "GPT-5-mini", "3"), ("azure", "gpt-5-mini", "2"), ("openai", "o3", "1"),
     ("ollama", "llama3:8b", "6"), ("other", "o3", None), (None, "gpt-5.2", "4"), (None, None, None)],
)  # fmt: skip
def test_the_most_specific_pattern_counts(provider: str | None, model: str | None, expected: str | None):
    prices = {
        "e": price("1", "openai:*"), "d": price("2", "gpt-5*"), "c": price("3", "openai:gpt-5*"), "b": price("4", "gpt-5.2"),
        "x": price("5", "gpt-5.2"), "l": price("6", "llama3:*"),
    }  # fmt: skip
    found = price_of(prices, provider, model)
    assert (None if found is None else found.input) == (None if expected is None else micros(expected))


def test_the_rate_of_the_operator_comes_before_that_of_the_queue_and_that_before_the_one_for_all():
    def rate(per_hour: int, **whom: tuple[str, ...]) -> Rate:
        return Rate(currency="EUR", per_hour=per_hour, **whom)

    rates = {"a": rate(1), "b": rate(2, queues=("billing",)), "c": rate(3, operators=("ana",)), "d": rate(4, operators=("ana",))}
    asked = [("ana", "billing"), ("ana", None), ("ben", "billing"), ("ben", "support"), ("ben", None)]
    assert [(found := rate_of(rates, *one)) and found.per_hour for one in asked] == [3, 3, 2, 1, 1]
    assert rate_of({}, "ana", None) is None


def test_an_invoice_tells_agents_and_people_apart_and_what_nobody_has_priced():
    work = [
        Metered(
            agent="AI", provider="openai", model="m", currency="EUR", input_price=micros("1.25"), output_price=micros("10"),
            input_tokens=1234, output_tokens=567,
        ),
        Metered(agent="AI", provider="other", model="m", input_tokens=5),
        Metered(operator="ana", queue="support", currency="EUR", rate=3600, millis=3_725_000),
        Metered(operator="ana", queue="billing", currency="EUR", rate=3600, millis=-5_000),
        Metered(operator="ben", queue="billing", currency="EUR", rate=3600, millis=5_000),
        Metered(operator="ben", queue="billing", currency="EUR", rate=3600, millis=-5_000),
    ]  # fmt: skip
    lines = [line[3:6] + line[10:] for line in invoice_rows([invoice("ada", JANUARY, People.OPERATOR, work)])]
    assert lines == [
        ("agent", "AI", "openai:m", "", "", "", "0.01", "EUR"),
        ("agent", "AI", "other:m", "", "", "", "", ""),
        ("operator", "ana", "", "1:02:00", "3720", "36.00", "37.20", "EUR"),
        ("total", "", "", "", "", "", "37.21", "EUR"),
    ]
    assert [line.who for line in invoice("ada", JANUARY, People.QUEUE, work).lines][2:] == ["billing", "support"]
    [one] = summary(Part.OPERATOR, [work[2], work[3]])
    assert (one.key, one.millis, one.costs) == ("ana", 3_720_000, {"EUR": 3720})


def test_times_are_written_as_people_read_them():
    shown = [hours(ms) for ms in (0, 59_999, 3_600_000, 100 * 3_600_000, -61_000)]
    assert shown == ["0:00:00", "0:00:59", "1:00:00", "100:00:00", "-0:01:01"]
    assert [seconds(ms) for ms in (0, 1500, 60_000, -250)] == ["0", "1.500", "60", "-0.250"]


def test_no_cell_of_a_table_is_a_formula():
    rows = [(start + "cmd|' /C calc'!A0", "-1.50", "1:00:00") for start in ("=", "+", "-", "@", "\t", "\r", "\n")]
    for row in csv_text(("a", "b", "c"), rows).split("\r\n")[1:-1]:
        assert row.lstrip('"').startswith("'"), row
        assert row.endswith(",-1.50,1:00:00")
    assert "\x1b" not in plain_text(("a",), [("\x1b[31mred",)])


def test_an_invoice_with_hostile_names_is_safe_as_a_whole():
    made: Invoice = invoice("@ada", JANUARY, People.OPERATOR, [Metered(agent="=1+1", model="+m", input_tokens=1)])
    [_, row, _] = csv_text(INVOICE_HEAD, invoice_rows([made])).split("\r\n")
    assert row.startswith("'@ada,2026-01-01T00:00:00+01:00,2026-02-01T00:00:00+01:00,agent,'=1+1,'+m,1,")
