"""The learned classifier: what it makes of examples, of hardly any, of its own bytes, and of bytes that are not its own."""

import hashlib
import io
import random
import warnings
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data import rows

from deskmate.classifiers.learned import Learned, fit
from deskmate.classifiers.packed import CODE, Knowledge, pack
from deskmate.classifiers.terms import LONGEST, VIEWS, Terms
from deskmate.domain.evaluations import Evaluation, evaluate
from deskmate.domain.labelled import labelled
from deskmate.domain.scoring import Example, Judged
from deskmate.errors import Invalid

MAGIC = f"deskmate scorer {CODE}\n".encode()
TEST_MIX = 1_000 / 5_500
"""The share of CLINC150's test messages that are out of scope. Its validation messages have far fewer."""
SHOP = {
    "delivery": ["Where is my parcel?", "My parcel has not come", "when will the parcel arrive", "track my parcel please"],
    "price": ["What does the tent cost?", "how much is the stove", "price of the tent?", "what is the price of shipping"],
}


def ai(intent: str | None, *texts: str) -> list[Example]:
    return [Example(text=text, intent=intent, responder="ai") for text in texts]


def human(*texts: str, intent: str | None = None) -> list[Example]:
    return [Example(text=text, intent=intent, responder="human") for text in texts]


@pytest.fixture(scope="module")
def shop() -> Learned:
    return fit(examples())


def examples() -> list[Example]:
    known = [example for intent, texts in SHOP.items() for example in ai(intent, *texts)]
    return known + human("I will call my lawyer", "you ruined my holiday, I want to complain", "this is a scandal")


def judge(scorer: Learned, text: str) -> Judged:
    return scorer.score([text])


def of(scorer: Learned, text: str) -> tuple[str | None, str]:
    judged = judge(scorer, text)
    return judged.intent, judged.responder


def test_what_is_like_the_examples_of_an_intent_is_of_it(shop: Learned) -> None:
    assert of(shop, "where has my parcel gone") == ("delivery", "ai")
    assert of(shop, "what is the cost of a tent") == ("price", "ai")


def test_misspelt_words_are_known_by_their_pieces(shop: Learned) -> None:
    assert of(shop, "wheres my parcell") == ("delivery", "ai")


def test_people_get_what_people_got(shop: Learned) -> None:
    assert of(shop, "I want to complain, this is a scandal") == (None, "human")


def test_the_surer_it_is_the_higher_the_score(shop: Learned) -> None:
    said = ["Where is my parcel?", "the parcel, and what a zebra thinks of it", "my lawyer will complain about the parcel"]
    scores = [judge(shop, text).score for text in said]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_a_message_of_which_nothing_is_known_goes_to_people(shop: Learned) -> None:
    for text in ("", "    ", "?!", "qqqq", "🏕️", "\ud800"):
        assert judge(shop, text).responder == "human", text


def test_the_last_message_is_judged_alone(shop: Learned) -> None:
    assert shop.score(["I will call my lawyer", "Where is my parcel?"]) == judge(shop, "Where is my parcel?")
    assert shop.score([]) == judge(shop, "")


def test_an_intent_that_people_answer_is_named_to_them() -> None:
    scorer = fit(examples() + human("I want to cancel my order", "cancel the order", intent="cancellation"))
    assert of(scorer, "please cancel my order") == ("cancellation", "human")


def test_where_people_and_the_ai_answer_the_same_intent_words_tell_them_apart() -> None:
    scorer = fit(ai("refund", "refund for my tent", "refund of the stove") + human("refund of 5000 euros", intent="refund"))
    assert of(scorer, "I want a refund for the tent") == ("refund", "ai")
    assert of(scorer, "refund 5000 euros now") == ("refund", "human")


def test_without_examples_people_answer_everything() -> None:
    judged = judge(fit([]), "Where is my parcel?")
    assert (judged.intent, judged.responder) == (None, "human")


def test_where_all_examples_went_to_people_everything_does() -> None:
    for known in (human("one"), human("one", "two", "one"), human("a", intent="x") + human("b", intent="y")):
        assert judge(fit(known), "one").responder == "human"


@pytest.mark.parametrize("intent", [None, "parcels"])
def test_of_one_kind_alone_is_known_how_like_it_a_message_is(intent: str | None) -> None:
    scorer = fit(ai(intent, *SHOP["delivery"]))
    near, far = judge(scorer, "Where is my parcel?"), judge(scorer, "Do zebras sing?")
    assert near.score > far.score
    assert (near.intent, near.responder, far.responder) == (intent, "ai", "human")


def test_without_any_intent_the_ai_and_people_are_told_apart() -> None:
    scorer = fit(ai(None, *SHOP["delivery"], *SHOP["price"]) + human("I will call my lawyer", "my lawyer says no"))
    assert of(scorer, "where is the parcel") == (None, "ai")
    assert of(scorer, "you will hear from my lawyer") == (None, "human")


def test_one_example_of_each_intent_is_enough_to_begin() -> None:
    scorer = fit(ai("a", "opening hours of the shop") + ai("b", "repair of a tent") + ai("c", "gift vouchers"))
    assert of(scorer, "opening hours?") == ("a", "ai")
    assert of(scorer, "can I buy a gift voucher") == ("c", "ai")


def test_examples_that_contradict_each_other_do_no_harm() -> None:
    known = [example for _ in range(50) for example in (*ai("a", "the same words"), *ai("b", "the same words"))]
    scorer = fit(known + ai("c", "something else"))
    assert of(scorer, "something else") == ("c", "ai")
    assert judge(scorer, "the same words").score < judge(scorer, "something else").score


def test_examples_without_words_are_borne() -> None:
    assert judge(fit(ai("a", "", "?") + human("", "!")), "").responder == "human"
    assert of(fit(examples() + ai("a", "") + human("?")), "Where is my parcel?") == ("delivery", "ai")


def test_the_order_of_the_examples_means_nothing_and_the_version_tells_them_apart(shop: Learned) -> None:
    known = examples()
    random.Random(1).shuffle(known)
    other = fit(known)
    assert (other.version, other.to_bytes()) == (shop.version, shop.to_bytes())
    versions = {shop.version, fit(known[1:]).version, fit([*known, known[0]]).version, fit(known, seed=1).version}
    assert len(versions) == 4
    assert fit(ai("a", "b")).version != fit(ai("b", "a")).version != fit(human("a", intent="b")).version


def test_what_was_written_judges_as_before_to_the_last_bit(shop: Learned) -> None:
    for scorer in (shop, fit([]), fit(ai("a", "b")), fit(human("x") + ai(None, "y")), fit(ai("é\n\ud800", "día 日本語"))):
        again = Learned.from_bytes(scorer.to_bytes())
        assert again.version == scorer.version
        for text in ("Where is my parcel?", "y", "日本語", "a lawyer", ""):
            assert judge(again, text) == judge(scorer, text)


@pytest.mark.parametrize("data", [b"", b"x", MAGIC, b"PK\x03\x04", b"\x80\x04N.", b"\x93NUMPY"])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as error:
        Learned.from_bytes(data)
    assert error.value.field == "classifier"


def test_bytes_that_end_early_or_were_changed_are_refused(shop: Learned) -> None:
    whole = shop.to_bytes()
    for cut in range(0, len(whole), 97):
        with pytest.raises(Invalid):
            Learned.from_bytes(whole[:cut])
    for at in range(0, len(whole), 89):
        with pytest.raises(Invalid):
            Learned.from_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


def test_bytes_of_other_code_are_refused(shop: Learned) -> None:
    body = shop.to_bytes()[len(MAGIC) :]
    for other in (CODE - 1, CODE + 1):
        with pytest.raises(Invalid):
            Learned.from_bytes(f"deskmate scorer {other}\n".encode() + body)


def forged(body: bytes) -> bytes:
    """Bytes whose digest fits."""
    return MAGIC + hashlib.sha256(body).digest() + body


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data[len(MAGIC) + 32 :])) as held:
        return {name: held.read(name) for name in held.namelist()}


def zipped(held: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in held.items():
            file.writestr(name, data)
    return written.getvalue()


def array_bytes(value: object, *, pickled: bool = False) -> bytes:
    import numpy as np

    written = io.BytesIO()
    np.save(written, np.asarray(value), allow_pickle=pickled)
    return written.getvalue()


def huge() -> bytes:
    head = b"{'descr': '<f2', 'fortran_order': False, 'shape': (1000000000000, 3), }"
    head += b" " * (118 - len(head) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


def test_bytes_that_somebody_forged_are_refused_and_nothing_of_them_is_run(shop: Learned) -> None:
    held = members(shop.to_bytes())
    assert Learned.from_bytes(forged(zipped(held))).version == shop.version

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('run')",)

    facts = held["facts.npy"][128:]
    forgeries: list[dict[str, bytes]] = [{name: data for name, data in held.items() if name != left_out} for left_out in held]
    forgeries += [held | {name: array_bytes(Bomb(), pickled=True)} for name in held]
    for name, data in held.items():
        forgeries += [held | {name: other} for other in (b"", huge(), array_bytes([1.5]), array_bytes(["x"]), data[:-1])]
    for text in (b"[]", b"{}", b"nothing", facts.replace(b'"human"', b'"robot"'), facts.replace(b"unknown", b"unknowm")):
        forgeries.append(held | {"facts.npy": array_bytes(memoryview(text))})
    for forgery in forgeries:
        with pytest.raises(Invalid):
            Learned.from_bytes(forged(zipped(forgery)))


def test_bytes_that_would_fill_the_memory_are_refused_before_they_do(shop: Learned) -> None:
    held = members(shop.to_bytes()) | {"more.npy": bytes(600 * 1024 * 1024)}
    with pytest.raises(Invalid):
        Learned.from_bytes(forged(zipped(held)))


def test_numbers_that_are_none_are_refused(shop: Learned) -> None:
    import numpy as np

    terms = Terms({"a": 0}, [1.0], 2.0)
    views = (terms, *(Terms({}, [], 1.0) for _ in VIEWS[1:]))
    good = Knowledge("v", (("x", "ai"),), views, np.zeros((1, 1), np.float16), np.zeros(1, np.float32))
    assert Learned.from_bytes(pack(good)).version == "v"
    nothing = float("nan")
    for weights, biases, first in (
        (np.full((1, 1), nothing, np.float16), good.biases, terms),
        (good.weights, np.full(1, nothing, np.float32), terms),
        (good.weights, good.biases, Terms({"a": 0}, [nothing], 2.0)),
        (good.weights, good.biases, Terms({"a": 0}, [0.0], 2.0)),
        (good.weights, good.biases, Terms({"a": 0}, [1.0], nothing)),
    ):
        with pytest.raises(Invalid):
            Learned.from_bytes(pack(Knowledge("v", good.labels, (first, *views[1:]), weights, biases)))


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_a_score(text: str) -> None:
    judged = judge(CLASSIFIER, text)
    assert -100 < judged.score < 100
    assert judged == judge(CLASSIFIER, text)


def test_of_a_very_long_message_the_beginning_is_read(shop: Learned) -> None:
    begin = ("Where is my parcel? " * LONGEST)[:LONGEST]
    assert judge(shop, begin + " lawyer" * 100_000) == judge(shop, begin)


def test_fitting_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noise = random.Random(3)
        fit([example for at in range(200) for example in ai(str(at % 7), " ".join(noise.choices("abcdef", k=3)))])


CLASSIFIER = fit(examples())


@pytest.fixture(scope="session")
def clinc() -> tuple[Learned, Sequence[tuple[Example, Judged]]]:
    """Learned from the training messages of CLINC150, with what it says of the validation messages."""
    scorer = fit([labelled(row) for row in rows("routing/clinc150_train.jsonl")])
    return scorer, [(one, judge(scorer, one.text)) for one in map(labelled, rows("routing/clinc150_validation.jsonl"))]


def test_clinc150_is_known_as_well_as_was_promised(clinc: tuple[Learned, Sequence[tuple[Example, Judged]]]) -> None:
    found = evaluate(clinc[1], share=TEST_MIX)
    assert reached(found, accuracy=0.92, auroc=0.945, coverage=0.725)
    assert found.kept is not None
    assert found.kept < 0.02
    assert found.caught is not None
    assert found.caught > 0.5


def reached(found: Evaluation, *, accuracy: float, auroc: float, coverage: float) -> bool:
    return (found.accuracy or 0) >= accuracy and (found.auroc or 0) >= auroc and found.coverage[0.05] >= coverage


def test_clinc150_fits_into_15_mb_and_comes_back_the_same(clinc: tuple[Learned, Sequence[tuple[Example, Judged]]]) -> None:
    scorer, judged = clinc
    data = scorer.to_bytes()
    assert len(data) < 15_000_000
    again = Learned.from_bytes(data)
    assert all(judge(again, example.text) == said for example, said in judged)


def test_banking77_is_known_as_well_as_was_promised() -> None:
    scorer = fit([labelled(row) for row in rows("routing/banking77_train.jsonl")])
    judged = [(example, scorer.score([example.text])) for example in map(labelled, rows("routing/banking77_validation.jsonl"))]
    assert (evaluate(judged).accuracy or 0) >= 0.91
