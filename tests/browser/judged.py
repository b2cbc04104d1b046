"""A server that judges, as the screens see it: what it answers with, and what it was asked to do.

It stands in for the routes of routing and suggestions only; the rest of the page is served by a real desk.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import comb
from typing import Any

from playwright.async_api import Page, Route

Json = dict[str, Any]
NOW = datetime.now(UTC).replace(microsecond=0)
FLOOR = 0.62
TRAFFIC = 1204


def ago(**length: float) -> str:
    return (NOW - timedelta(**length)).isoformat()


def bound(errors: int, labels: int, delta: float) -> float:
    """The share of errors above which so few would be seen with a probability below delta: exact, by halving."""
    low, high = errors / labels, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        chance = sum(comb(labels, k) * middle**k * (1 - middle) ** (labels - k) for k in range(errors + 1))
        low, high = (middle, high) if chance > delta else (low, middle)
    return high


def curve(max_error: float = 0.05, delta: float = 0.1) -> Json:
    """Checked answers of a good agent: errors become more frequent the less sure it is."""
    points: list[Json] = []
    labels = errors = 0
    floor, passing = None, True
    wrong_at = {103, 139, 171, 177, 181, 184, 188, 191, 194, 197, 200, 202, 204, 206, 207, 209, 211, 213}
    for at in range(1, 216):
        labels += 1
        errors += at in wrong_at
        if at % 7:
            continue
        score = round(0.99 - 0.37 * (at / 175) ** 2, 3)
        found = bound(errors, labels, delta)
        points.append({
            "floor": score, "coverage": round(at / 217, 4), "error": round(errors / labels, 4), "bound": round(found, 4),
            "labels": labels, "errors": errors,
        })  # fmt: skip
        enough = (1 - max_error) ** labels <= delta**2
        if passing and enough:
            passing = found <= max_error
            floor = score if passing else floor
    return {
        "agent": "shop-agent", "floor": FLOOR, "proved": floor, "max_error": max_error, "delta": delta,
        "labels": labels, "traffic": TRAFFIC,
        "points": points,
    }  # fmt: skip


def agent(**facts: Any) -> Json:
    """An agent that answers alone from a floor on."""
    return {
        "agent": "shop-agent", "policy": "default", "score": "confidence", "floor": floor(), "needed": 0, "audit_rate": 0.05,
        "audits_open": 3, "alarm": None,
        "classifier": {"version": 4, "examples": 1240, "intents": 14, "fitted_at": ago(days=1)},
    } | facts  # fmt: skip


def floor(**facts: Any) -> Json:
    return {
        "version": 7, "value": FLOOR, "cause": "calibrated", "max_error": 0.05, "delta": 0.1, "labels": 215, "accepted": 175,
        "errors": 3, "at": ago(hours=3),
    } | facts  # fmt: skip


LEARNING = agent(
    agent="returns-agent", audits_open=1, needed=33, classifier=None,
    floor=floor(version=0, value=None, cause="cold", labels=0, accepted=0, errors=0, at=None),
)  # fmt: skip
ALARMED = agent(
    agent="billing-agent", audits_open=5, alarm={"at": ago(minutes=50), "errors": 5, "of": 40},
    floor=floor(version=12, value=0.91, cause="alarm", accepted=60, errors=1, at=ago(minutes=50)),
)  # fmt: skip
SHARES: Json = {
    "buckets": [  # by hour, and only those in which somebody wrote
        {"at": ago(days=6 - day), "ai": ai, "draft": draft, "human": human}
        for day, (ai, draft, human) in enumerate(
            [(88, 12, 41), (96, 11, 38), (104, 14, 30), (61, 7, 16), (58, 6, 14), (131, 12, 27), (118, 10, 22)]
        )
    ],
    "reasons": [
        {"reason": "the agent is sure of its answer", "responder": "ai", "count": 598},
        {"reason": "the agent is not sure enough", "responder": "human", "count": 92},
        {"reason": "chosen by chance for a check", "responder": "draft", "count": 46},
        {"reason": "the classifier gives it to the AI", "responder": "ai", "count": 58},
        {"reason": "the rule “money back over 500 €” says so", "responder": "human", "count": 41},
        {"reason": "the customer asks for a person", "responder": "human", "count": 37},
        {"reason": "the thread is in review: the AI drafts, a person sends", "responder": "draft", "count": 26},
        {"reason": "the safety model calls the customer's words unsafe", "responder": "human", "count": 18},
    ],
}


def topic(id: str = "sg_1", **facts: Any) -> Json:
    """A question that people answer again and again."""
    return {
        "id": id, "question": "Can I change the delivery address after I have ordered?", "times": 7, "state": "open",
        "answer": "Yes, until the parcel leaves our workshop: write us the new address and we change it for you. "
        "That is until 14:00 on the day after you have ordered.",
        "questions": [
            {"text": "I typed the wrong street, can you still change it?", "thread": "th_1", "at": ago(hours=5)},
            {"text": "We have moved, please send the tent to the new flat", "thread": "th_2", "at": ago(days=2)},
            {"text": "is it possible to change the address of my order", "thread": "th_3", "at": ago(days=4)},
        ],
        "operators": ["Ana Diaz", "Ben Ode"],
        "first_at": ago(days=19), "last_at": ago(hours=5),
    } | facts  # fmt: skip


POLES = topic(
    "sg_2", times=4, question="Do you sell single tent poles?", last_at=ago(days=1),
    answer="Yes: every pole can be ordered alone. Tell us the model and the place of the pole, and we send you the price.",
    questions=[{"text": "one pole snapped, do I have to buy a new tent?", "thread": "th_4", "at": ago(days=1)}],
    operators=["Ben Ode"],
)  # fmt: skip


@dataclass
class Judging:
    """What the server knows, and what was posted to it."""

    agents: list[Json] = field(default_factory=lambda: [agent()])
    shares: Json = field(default_factory=lambda: SHARES)
    topics: list[Json] = field(default_factory=lambda: [topic(), POLES])
    curves: Mapping[str, Json] = field(default_factory=dict[str, Json])
    refusal: Json | None = None
    asked: list[Json] = field(default_factory=list[Json])
    decided: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    absent: bool = False

    async def stand_in(self, page: Page) -> None:
        await page.route("**/api/routing**", self._routing)
        await page.route("**/api/suggestions**", self._suggestions)

    async def _routing(self, route: Route) -> None:
        path, _, query = route.request.url.partition("?")
        asked = dict(part.split("=") for part in query.split("&")) if query else {}
        if self.absent:
            await route.abort()
        elif path.endswith("/curve"):
            self.asked.append(asked)
            known = self.curves.get(asked["agent"]) or curve(float(asked.get("max_error", 0.05)), float(asked.get("delta", 0.1)))
            await route.fulfill(json=known | {"agent": asked["agent"]})
        elif path.endswith("/shares"):
            await route.fulfill(json=self.shares)
        else:
            await route.fulfill(json={"items": self.agents})

    async def _suggestions(self, route: Route) -> None:
        if route.request.method == "GET":
            await route.fulfill(json={"items": self.topics, "cursor": None})
        elif self.refusal is not None:
            await route.fulfill(
                status=self.refusal["status"], content_type="application/problem+json", body=json.dumps(self.refusal)
            )
        else:
            id, _, verb = route.request.url.split("/api/suggestions/")[1].partition("/")
            self.decided.append((f"{id} {verb}", route.request.post_data_json or {}))
            self.topics = [one for one in self.topics if one["id"] != id]
            await route.fulfill(json={"id": id, "state": "accepted" if verb == "accept" else "dismissed"})
