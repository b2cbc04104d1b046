"""What agents learn: examples, classifiers fitted in the background, and floors that go with their versions."""

from collections.abc import Sequence

import pytest
from tests.data import rows
from tests.store.people import ADA, ADMIN

from deskmate import DecisionKind, Desk, NewDecision, Operator, Settings
from deskmate.domain.events import EventType
from deskmate.domain.scoring import Example, Ruling
from deskmate.errors import Invalid
from deskmate.testing import FakeClock, ScriptedAgent

BOT = "scripted"
TOPICS = {
    "delivery": ("Where is my parcel?", "My parcel has not come", "When will the parcel arrive?", "Track my parcel, please"),
    "price": ("What does the tent cost?", "How much is a tent?", "The price of the tent?", "Is the tent expensive?"),
    "hours": ("When do you open?", "Are you open on Sunday?", "Opening hours, please", "Until when are you open?"),
    None: ("I will call my lawyer", "This is a scandal", "You have ruined my holiday", "I am very angry with you"),
}
EXAMPLES = [
    Example(text=f"{text}{end}", intent=intent, responder="ai" if intent else "human")
    for intent, texts in TOPICS.items()
    for text in texts
    for end in ("", " Thank you.")
]


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)


async def ask(desk: Desk, text: str) -> str:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, text, author=ADA)
    await desk.run_due()
    return thread.id


async def classifier(desk: Desk) -> tuple[str, int] | None:
    """The version in force, and how much it was fitted to."""
    found = (await desk.routing.status())[0].classifier
    return None if found is None else (found.version, found.examples)


async def test_examples_are_learned_in_the_background_and_every_process_judges_by_them(desk: Desk, other: Desk) -> None:
    assert await desk.routing.learn(BOT, EXAMPLES) == len(EXAMPLES)
    await desk.run_due()
    found = await classifier(desk)
    assert found is not None
    assert found[1] == len(EXAMPLES)
    fitted = [one.event for one in await desk.feed.read(by=ADMIN) if one.event.type is EventType.CLASSIFIER_FITTED]
    assert [event.data["version"] for event in fitted] == [found[0]]
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}})
    thread = await ask(other, "When will my parcel be here?")
    route = (await other.routing.routes(thread))[0].route
    assert (route.responder, route.steps[0].reason) == ("ai", "the classifier gives it to the AI as delivery")
    angry = await ask(other, "I am angry, I will call my lawyer")
    assert (await other.routing.routes(angry))[0].route.steps[-1].step == "classifier"
    assert (await desk.threads.get(angry)).assignment.to == "queue"


async def test_too_few_examples_teach_nothing_and_the_chain_goes_on(desk: Desk) -> None:
    await desk.routing.learn(BOT, EXAMPLES[:3])
    await desk.run_due()
    assert await classifier(desk) is None
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}})
    thread = await ask(desk, "When will my parcel be here?")
    assert (await desk.routing.routes(thread))[0].route.steps[-1].step == "default"


async def test_without_an_opinion_a_floor_of_the_classifier_is_not_reached(desk: Desk) -> None:
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}, "floor": {"of": "classifier", "fixed": 0.0}})
    thread = await ask(desk, "When will my parcel be here?")
    route = (await desk.routing.routes(thread))[0].route
    assert (route.responder, route.reason) == ("draft", "the classifier has no opinion")


async def test_a_classifier_is_fitted_once_though_two_processes_do_it(desk: Desk, other: Desk) -> None:
    await desk.routing.learn(BOT, EXAMPLES)
    assert len({await desk.routing.fit(BOT), await other.routing.fit(BOT)} - {None}) == 1
    await other.run_due()
    fitted = [one for one in await desk.feed.read(by=ADMIN) if one.event.type is EventType.CLASSIFIER_FITTED]
    assert len(fitted) == 1


async def test_an_example_without_words_is_refused_by_its_number_and_nothing_is_learned(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.routing.learn(BOT, [EXAMPLES[0], Example(text=" ", intent=None, responder="ai")])
    assert refused.value.field == "examples.1.text"
    await desk.run_due()
    assert await classifier(desk) is None


async def test_what_people_decide_about_drafts_is_learned_and_what_was_a_check_is_not(desk: Desk, ana: Operator) -> None:
    chain = {"classifier": {"by": "learned"}, "floor": {"of": "classifier", "fixed": 99.0}}
    await desk.policies.put("route", BOT, chain)
    assert await desk.routing.fit(BOT) is None
    await desk.routing.learn(BOT, EXAMPLES[:18])
    for number in range(2):
        thread = await ask(desk, f"Where is parcel number {number}?")
        [request] = await desk.requests.waiting(thread, by=ana)
        kind = DecisionKind.APPROVE if number % 2 else DecisionKind.REJECT
        await desk.requests.decide(request.id, NewDecision(kind=kind, review="No."), by=ana)
    await desk.run_due()
    await desk.routing.fit(BOT)
    assert await classifier(desk) is not None
    await desk.policies.put("route", BOT, chain | {"floor": {"of": "classifier", "audit_rate": 1.0}})
    thread = await ask(desk, "Where is the parcel of my aunt?")
    [request] = await desk.requests.waiting(thread, by=ana)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    await desk.run_due()
    assert await desk.routing.fit(BOT) is None, "a check is kept for the floor"
    assert (await desk.routing.curve(BOT)).labels == 1


async def test_a_new_version_scores_the_checks_anew_and_its_floor_comes_with_it(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    await desk.routing.learn(BOT, EXAMPLES)
    await desk.run_due()
    floor = {"of": "classifier", "audit_rate": 1.0, "max_error": 0.4, "delta": 0.4}
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}, "floor": floor})
    for number in range(12):
        thread = await ask(desk, EXAMPLES[2 * number % 24].text)
        for request in await desk.requests.waiting(thread, by=ana):
            await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    await desk.run_due()
    before = await desk.routing.curve(BOT)
    first = (await desk.routing.status())[0].floor
    assert first is not None
    more = [Example(text=f"{one.text} Hello.", intent=one.intent, responder=one.responder) for one in EXAMPLES]
    clock.advance(seconds=1)
    await desk.routing.learn(BOT, more)
    await desk.run_due()
    after = await desk.routing.curve(BOT)
    second = (await desk.routing.status())[0].floor
    assert second is not None
    assert second.version == first.version + 1
    assert after.labels == before.labels
    assert [point.floor for point in after.points] != [point.floor for point in before.points]


class Sorter:
    """A language model on a leash."""

    version = "sorter-1"

    async def judge(self, history: Sequence[str]) -> Ruling:
        """People get what names a lawyer."""
        if "lawyer" in history[-1]:
            return Ruling(intent=None, responder="human", score=0.1, reason="It is a threat.")
        return Ruling(
            intent="delivery", responder="ai", score=0.9, reason="It is in the pages.", model="small", input_tokens=90,
            output_tokens=10,
        )  # fmt: skip


async def test_a_language_model_may_judge_instead_and_says_why(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> None:
    async with Desk.open(store_url, clock=clock, agents=[bot], classifier=Sorter(), work=False) as desk:
        await desk.policies.put("route", BOT, {"classifier": {"by": "llm"}})
        calm, angry = await ask(desk, "Where is my parcel?"), await ask(desk, "I call my lawyer.")
        assert (await desk.routing.routes(calm))[0].route.responder == "ai"
        spent = await desk.usage.of_thread(calm, by=ADMIN)
        assert [(one.model, one.input_tokens, one.output_tokens) for one in spent] == [("small", 90, 10)]
        route = (await desk.routing.routes(angry))[0].route
        assert (route.responder, route.reason) == ("human", "the classifier wants people for it (It is a threat.)")


async def test_a_classifier_that_cannot_be_loaded_here_is_fitted_anew(desk: Desk, store_url: str, clock: FakeClock) -> None:
    await desk.routing.learn(BOT, EXAMPLES)
    await desk.run_due()
    before = await classifier(desk)
    by_words = Settings(embeddings="off")
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], settings=by_words, work=False) as later:
        await later.policies.put("route", BOT, {"classifier": {"by": "learned"}})
        thread = await ask(later, "When will my parcel be here?")
        assert (await later.routing.routes(thread))[0].route.steps[0].step == "default"
        await later.run_due()
        again = await ask(later, "When will my parcel be here?")
        assert (await later.routing.routes(again))[0].route.steps[0].step == "classifier"
    assert await classifier(desk) != before


async def test_p8_a_deleted_thread_is_not_learned_from_any_more(desk: Desk, ana: Operator) -> None:
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}, "floor": {"of": "classifier", "fixed": 99.0}})
    thread = await ask(desk, "Where is my parcel?")
    [request] = await desk.requests.waiting(thread, by=ana)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    await desk.run_due()
    await desk.routing.learn(BOT, EXAMPLES[:19])
    await desk.threads.delete(thread, by=ADMIN)
    assert await desk.routing.fit(BOT) is None, "nineteen are too few"


async def test_a_bad_classifier_leaves_everything_to_people(desk: Desk, ana: Operator) -> None:
    """HINT3's bot for mattresses: of what real customers wrote 36 % was never foreseen, and half of the rest is misunderstood."""
    known = rows("routing/hint3_sofmattress_train.jsonl")
    came = rows("routing/hint3_sofmattress_validation.jsonl")[::8]
    await desk.routing.learn(BOT, [Example(text=r["text"], intent=r["intent"], responder=r["responder"]) for r in known])
    await desk.run_due()
    floor = {"of": "classifier", "audit_rate": 0.2, "max_error": 0.1, "delta": 0.3}
    await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}, "floor": floor})
    for row in came:
        thread = await ask(desk, row["text"])
        stored = (await desk.routing.routes(thread))[0]
        again = (await desk.routing.replay(stored.id))[1]
        assert (again.responder, again.steps) == (stored.route.responder, stored.route.steps)
        fits = row["responder"] == "ai" and stored.route.responder == "ai"
        for request in await desk.requests.waiting(thread, by=ana):
            kind = DecisionKind.APPROVE if fits else DecisionKind.REJECT
            await desk.requests.decide(request.id, NewDecision(kind=kind, review="No."), by=ana)
        await desk.run_due()
        assert stored.route.responder != "ai"
    assert (await desk.routing.curve(BOT)).labels == len(came)
