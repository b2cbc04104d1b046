"""Topics: questions that ask for the same, and answers that say the same."""

import time

import pytest

from deskmate.domain.suggestions import Compared, general, spoken
from deskmate.domain.topics import agree, answers, gist_of, root_of

SAME = [
    (
        ("How do I delete my account?", "Press Close account in your Settings."),
        ("please remove my account", "In Settings, press Close account."),
    ),
    (
        ("Do you ship to Norway?", "Yes, we ship to Norway for 19 EUR."),
        ("what is delivery to Norway?", "Delivery to Norway costs 19 EUR."),
    ),
    (
        ("will the dishwasher damage the plates", "No, our plates can take the dishwasher, up to 60 degrees."),
        ("can I put plates in the dishwasher?", "Yes, our plates are dishwasher safe up to 60 degrees."),
    ),
    (
        ("Is there a discount for students?", "Students get 10 % off."),
        ("do students get a discount", "There is a discount of 10 % for students."),
    ),
]
OTHERS = [
    ("do you ship to norway", "do you ship to switzerland", "Yes, we ship there for 19 EUR, duties are paid on delivery."),
    (
        "Do you ship to Norway?",
        "How would you deliver to Iceland?",
        "Yes, we ship there for 19 EUR, duties are paid on delivery.",
    ),
    (
        "Can I wash the tablecloth in the machine?",
        "can I wash the blanket in the machine?",
        "Wash it at 30 degrees in the machine.",
    ),
    ("is the vase made in europe", "is the lamp made in europe", "It is made by hand in a workshop in Portugal."),
    ("how do I contact the lyon shop", "how do I contact the berlin shop", "Please call us or write through the contact form."),
    (
        "Can I return a vase after 20 days?",
        "Can I return a vase after 40 days?",
        "You can return any unused vase within 30 days.",
    ),
    ("Why can't I log in to my account?", "How do I log in to my account?", "Please reset your password on the login page."),
    ("Does the X200 fit my lamp?", "Does the X300 fit my lamp?", "It fits every lamp that has a standard socket."),
    ("student discount?", "senior discount?", "There is a discount of 10 % with a valid card."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_in_other_words_is_one_topic(one: tuple[str, str], other: tuple[str, str]):
    first, second = Compared.of(*one), Compared.of(*other)
    assert first.fits(second)
    assert second.fits(first)


@pytest.mark.parametrize(("question", "other", "answer"), OTHERS)
def test_other_things_in_the_same_words_are_other_topics_though_the_answer_is_the_same(question: str, other: str, answer: str):
    one, two = Compared.of(question, answer), Compared.of(other, answer)
    assert not one.fits(two)
    assert not two.fits(one)
    assert one.fits(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes, we ship to Norway.", "No, we do not ship to Norway."),
        ("The warranty on lamps is two years.", "The warranty on lamps is five years."),
        ("You can return it within 30 days.", "You can return it within 14 days."),
        ("Enter your address at the bottom of the home page.", "Click the link at the end of the letter."),
        ("Plates may go into the dishwasher.", "Plates may never go into the dishwasher."),
    ],
)
def test_answers_at_odds_do_not_agree(one: str, other: str):
    assert not agree(gist_of(one), gist_of(other))
    assert agree(gist_of(one), gist_of(one))


@pytest.mark.parametrize(
    "question",
    ["Are the plates microwave safe?", "Are the plates made in Europe?", "Is the X20 dishwasher safe?", "Are they safe?"],
)
def test_an_answer_is_none_to_another_question_on_its_topic(question: str):
    asked = [gist_of("Are the plates dishwasher safe?"), gist_of("can I put your plates in the dishwasher?")]
    told = gist_of("All our stoneware plates can go into the dishwasher at up to 60 degrees.")
    assert answers(gist_of("can the stoneware plates go in the dishwasher?"), asked, told)
    assert not answers(gist_of(question), asked, told)


@pytest.mark.parametrize(
    "answer",
    [
        "Please write to ana@shop.example about lamps and their warranty.",
        "Please call +49 30 1234567 about the warranty of lamps.",
        "The warranty of order 20817 is two years on all lamps.",
        "The warranty of your lamp, ref AB-12345, is two years.",
        "Mr Miller, the warranty on lamps is two years.",
        "We have sent you a new lamp with two years of warranty.",
        "Your order has left with a lamp and its warranty papers.",
        "The lamp comes tomorrow with its warranty papers.",
        "Which lamp do you have, and when did the warranty begin?",
        "Marie, the warranty on our lamps is two years.",
        "Sorry, no.",
        "",
        "x" * 5_000,
    ],
)
def test_what_is_for_one_customer_is_for_no_faq(answer: str):
    assert general("How long is the warranty on lamps?", answer, names=["Marie Dubois"]) is None


@pytest.mark.parametrize(
    "answer",
    [
        "Hi Marie,\nthe warranty on lamps is two years.\n\nBest regards,\nAna",
        "Hello! the warranty on lamps is two years. Let me know if you need more.",
        "Dear Mrs Dubois, the warranty on lamps is two years. Is there anything else I can do for you?",
        "the warranty on lamps is two years. Cheers, Ana from the team",
    ],
)
def test_greetings_and_names_around_an_answer_are_left_out(answer: str):
    kept = general("Hello, how long is the warranty on lamps?", answer, names=["Marie Dubois", "Ana"])
    assert kept == ("how long is the warranty on lamps?", "the warranty on lamps is two years.")


def test_questions_that_do_not_stand_for_themselves_are_left_out():
    for question in ("and that?", "Hello", "How much is it?", "my e-mail is a@b.example, how long is the warranty?"):
        assert general(question, "The warranty on lamps is two years.") is None


def test_yes_and_no_are_answers_to_one_wording_only():
    assert spoken("Yes, we wrap it.") == "We wrap it."
    assert spoken("No. Plates can take it.") == "Plates can take it."
    assert spoken("Yes.") == "Yes."
    assert spoken("Notes are kept.") == "Notes are kept."


def test_forms_of_a_word_have_one_root():
    for words in (
        ("wrap", "wrapping", "wrapped", "wraps"),
        ("expire", "expiry", "expires"),
        ("delivery", "deliveries", "deliver"),
    ):
        assert len({root_of(word) for word in words}) == 1
    assert len({root_of(word) for word in ("order", "orders", "Ordering".lower())}) == 1


@pytest.mark.parametrize(
    "piece", ["a", "1-", "Hi ", "\n", "Regards, ", "your order was ", "A1", "I have ", " \n", "no. ", "a@", "#"]
)
def test_hostile_text_costs_little_time(piece: str):
    text = (piece * 4_000)[:4_000]
    began = time.process_time()
    general(text[:500], text)
    general("How long is the warranty on lamps?", text * 100)
    assert time.process_time() - began < 0.5
