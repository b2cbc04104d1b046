"""What stands on the desk of the shop before the day begins: queues, what is promised, canned replies, macros and views."""

from deskmate.app import Desk
from deskmate.domain.actors import Actor

WEEK = {
    "zone": "Europe/Brussels",
    "hours": {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
}

CANNED = (
    ("hello", "Hello", "Hello {{customer.name|there}}, this is {{operator.name}} from Fern & Fell. I am looking at it now."),
    ("more", "Ask for the order", "Could you send me the number of your order? It begins with FF and stands in our e-mail."),
    ("return", "How to return something", "You can send it back within 60 days, unused. I have sent the label to your address."),
    ("bye", "Goodbye", "You are welcome, {{customer.name|and thank you}}. Have a good time outside!\n{{operator.name}}"),
)

MACROS: tuple[tuple[str, list[dict[str, object]]], ...] = (
    ("Take it and say hello", [{"do": "assign", "to": "me"}, {"do": "reply", "text": CANNED[0][2]}]),
    ("Wait for the customer", [
        {"do": "reply", "text": CANNED[1][2]}, {"do": "tag", "add": ["waiting for order"]}, {"do": "status", "to": "snoozed"},
    ]),
    ("Workshop", [{"do": "note", "text": "For the workshop."}, {"do": "assign", "to": "queue:workshop"}]),
)  # fmt: skip

VIEWS = (
    ("Urgent, unassigned", {"assignment": "unassigned", "priority": "urgent", "sort": "waiting"}),
    ("Questions of the AI", {"kind": "question", "sort": "due"}),
)

POLICIES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("sla", "promises", {
        "targets": {"time_to_human": {"seconds": 2700}, "next_response": {"seconds": 7200}, "resolution": {"seconds": 172_800}},
        "priorities": {"urgent": {"time_to_human": {"seconds": 15 * 60}}},
    }),
    ("response", "ask twice", {"seconds": 30 * 60, "actions": ["remind", "notify_lead"]}),
    ("chain", "tell the leads", {"on": ["thread", "escalation"], "steps": [{"wait": 20 * 60}, {"notify": "leads"}]}),
    ("rate", "everybody", {"currency": "EUR", "per_hour": 3400}),
    ("limit", "patience", {"of": "messages", "per": "customer", "window": {"count": 60, "seconds": 600}}),
    ("route", "default", {
        "rules": [{"name": "Lawyers and the press", "when": {"words": ["lawyer", "newspaper"]}, "to": "human"}],
        "floor": {"fixed": 0.35, "below": "human"},
    }),
)  # fmt: skip


async def furnish(desk: Desk, lead: Actor) -> None:
    """Put it all there."""
    for kind, name, rules in POLICIES:
        await desk.policies.put(kind, name, rules, by=lead)
    await desk.queues.change("support", calendar=WEEK, sla="promises", response="ask twice", chain="tell the leads", by=lead)
    await desk.queues.add("workshop", by=lead)
    for shortcut, title, text in CANNED:
        await desk.canned.add(shortcut=shortcut, title=title, text=text, by=lead)
    for name, actions in MACROS:
        await desk.macros.add(name=name, actions=actions, by=lead)
    for name, filters in VIEWS:
        await desk.views.add(name=name, filters=filters, shared=True, by=lead)
