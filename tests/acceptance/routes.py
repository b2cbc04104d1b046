"""The routes of the API as tests walk them: who is let in where, and with what in their hands."""

from typing import Any

METHODS = ("get", "put", "post", "patch", "delete", "options", "head", "trace")

EVERYBODY = frozenset({
    "customer", "observer", "operator", "lead", "admin", "messages:customer", "requests:ask", "requests:decide", "threads:read",
    "threads:read_hidden", "usage:read", "feedback:read", "customers:identify",
})  # fmt: skip
TEAM = frozenset({"observer", "operator", "lead", "admin"})
WORKERS = TEAM - {"observer"}
LEADERS = frozenset({"lead", "admin"})
ADMINS = frozenset({"admin"})
READERS = frozenset({"threads:read", "threads:read_hidden"})
PEOPLE = frozenset({"customer"})

MATRIX: dict[str, frozenset[str]] = {
    "GET /api/me": EVERYBODY,
    "PATCH /api/me": TEAM - {"admin"},  # a key without a person behind it has no presence
    "DELETE /api/session": EVERYBODY,
    "POST /api/threads": WORKERS | PEOPLE | {"messages:customer"},
    "GET /api/threads": TEAM | PEOPLE | READERS,
    "POST /api/threads/actions": WORKERS,
    "GET /api/threads/{thread}": TEAM | PEOPLE | READERS | {"messages:customer"},
    "PATCH /api/threads/{thread}": WORKERS,
    "DELETE /api/threads/{thread}": ADMINS,
    "GET /api/threads/{thread}/messages": TEAM | PEOPLE | READERS | {"messages:customer"},
    "POST /api/threads/{thread}/messages": WORKERS | PEOPLE,
    "POST /api/threads/{thread}/respond": WORKERS | PEOPLE,
    "POST /api/threads/{thread}/assignment": WORKERS,
    "POST /api/threads/{thread}/escalation": WORKERS | PEOPLE,
    "GET /api/threads/{thread}/transcript": TEAM | PEOPLE | READERS | {"messages:customer"},
    "POST /api/threads/{thread}/read": (TEAM - {"admin"}) | PEOPLE,  # a key without a person behind it has no eyes
    "POST /api/threads/{thread}/typing": (WORKERS - {"admin"}) | PEOPLE,
    "POST /api/threads/{thread}/viewing": TEAM - {"admin"},
    "GET /api/threads/{thread}/assignments": TEAM | {"threads:read_hidden"},
    "GET /api/threads/{thread}/usage": TEAM | {"usage:read"},
    "GET /api/threads/{thread}/requests": TEAM | {"requests:decide"},
    "GET /api/requests": TEAM | {"requests:decide"},
    "POST /api/requests": WORKERS | {"requests:ask"},
    "GET /api/requests/{request}": TEAM | {"requests:decide", "requests:ask"},
    "POST /api/requests/{request}/claim": WORKERS | {"requests:decide"},
    "POST /api/requests/{request}/release": WORKERS | {"requests:decide"},
    "POST /api/requests/{request}/cancel": WORKERS | {"requests:ask"},
    "POST /api/requests/{request}/decision": WORKERS | {"requests:decide"},
    "POST /api/requests/{request}/settle": WORKERS | {"requests:decide"},
    "POST /api/requests/next": WORKERS | {"requests:decide"},
    "POST /api/requests/decisions": WORKERS | {"requests:decide"},
    "GET /api/queues": TEAM,
    "POST /api/queues": LEADERS,
    "POST /api/queues/next": WORKERS,
    "GET /api/queues/{name}": TEAM,
    "PATCH /api/queues/{name}": LEADERS,
    "DELETE /api/queues/{name}": LEADERS,
    "GET /api/threads/{thread}/wait": TEAM | PEOPLE | READERS | {"messages:customer"},
    "GET /api/threads/{thread}/choices": TEAM | {"threads:read_hidden"},
    "POST /api/me/heartbeat": EVERYBODY,
    "GET /api/policies/{kind}": TEAM,
    "GET /api/policies/{kind}/{policy}": TEAM,
    "PUT /api/policies/{kind}/{policy}": LEADERS,
    "DELETE /api/policies/{kind}/{policy}": LEADERS,
    "GET /api/events": TEAM | PEOPLE | READERS | {"messages:customer"},
    "GET /api/operators": TEAM,
    "POST /api/operators": ADMINS,
    "GET /api/operators/{operator}": TEAM,
    "PATCH /api/operators/{operator}": ADMINS,
    "DELETE /api/operators/{operator}": ADMINS,
    "GET /api/keys": ADMINS,
    "POST /api/keys": ADMINS,
    "DELETE /api/keys/{key}": ADMINS,
    "GET /api/usage": TEAM | {"usage:read"},
    "GET /api/board": TEAM | {"usage:read"},
    "GET /api/canned": TEAM,
    "POST /api/canned": LEADERS,
    "GET /api/canned/{canned}": TEAM,
    "PATCH /api/canned/{canned}": LEADERS,
    "DELETE /api/canned/{canned}": LEADERS,
    "POST /api/canned/{canned}/filled": TEAM,
    "GET /api/macros": TEAM,
    "POST /api/macros": LEADERS,
    "GET /api/macros/{macro}": TEAM,
    "PATCH /api/macros/{macro}": LEADERS,
    "DELETE /api/macros/{macro}": LEADERS,
    "POST /api/threads/{thread}/macro": WORKERS,
    "GET /api/views": TEAM,
    "POST /api/views": TEAM - {"admin"},  # one's own: the admin of these tests is a key without a person behind it
    "PATCH /api/views/{view}": LEADERS,  # a shared one
    "DELETE /api/views/{view}": LEADERS,
    "PUT /api/threads/{thread}/unsent": WORKERS - {"admin"},
    "GET /api/threads/{thread}/unsent": WORKERS - {"admin"},
    "DELETE /api/threads/{thread}/unsent": WORKERS - {"admin"},
    "GET /api/me/mentions": TEAM - {"admin"},
    "POST /api/me/mentions/read": TEAM - {"admin"},
    "POST /api/threads/{thread}/files": WORKERS | PEOPLE | {"messages:customer"},
    "GET /api/files/{file}": TEAM | PEOPLE | READERS | {"messages:customer"},
}
"""Who is let in, by method and path. A customer is meant on their own thread."""

OPEN_DOORS = frozenset({
    "GET /healthz", "GET /readyz", "POST /api/chat/sessions", "POST /api/session", "POST /api/session/link",
})  # fmt: skip
"""Routes for people without credentials; those of sessions take an e-mail address and a password, or a link."""

BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/me": {"presence": "available"},
    "POST /api/threads": {},
    "POST /api/threads/actions": {"threads": ["{thread}"], "priority": "high", "note": "All at once"},
    "PATCH /api/threads/{thread}": {"subject": "Changed"},
    "POST /api/threads/{thread}/messages": {"text": "Hello"},
    "POST /api/threads/{thread}/respond": {},
    "POST /api/threads/{thread}/typing": {"typing": True},
    "POST /api/threads/{thread}/viewing": {"viewing": True},
    "POST /api/threads/{thread}/assignment": {"to": "queue:support"},
    "POST /api/threads/{thread}/escalation": {},
    "POST /api/requests": {"question": "Is it?"},
    "POST /api/queues": {"name": "billing"},
    "PATCH /api/queues/{name}": {"skills": ["refunds"]},
    "POST /api/requests/{request}/decision": {"kind": "answer", "value": "yes"},
    "POST /api/requests/{request}/settle": {"ran": True},
    "POST /api/requests/decisions": {"decisions": [{"request": "{request}", "kind": "answer", "value": "yes"}]},
    "POST /api/operators": {"name": "Eve", "email": "{unique}@shop.example"},
    "PATCH /api/operators/{operator}": {"name": "Eva"},
    "POST /api/keys": {"scopes": ["threads:read"]},
    "POST /api/canned": {"shortcut": "{unique}", "title": "Hello", "text": "Hello."},
    "PATCH /api/canned/{canned}": {"title": "Hello again"},
    "POST /api/canned/{canned}/filled": {"thread": "{thread}"},
    "POST /api/macros": {"name": "Late", "actions": [{"do": "tag", "add": ["late"]}]},
    "PATCH /api/macros/{macro}": {"name": "Later"},
    "POST /api/threads/{thread}/macro": {"macro": "{macro}"},
    "POST /api/views": {"name": "Mine", "filters": {"assignment": "mine"}},
    "PATCH /api/views/{view}": {"name": "Ours"},
    "PUT /api/threads/{thread}/unsent": {"text": "SECRET of somebody", "visibility": "note"},
    "PUT /api/policies/{kind}/{policy}": {"rules": {"currency": "EUR", "per_hour": 3000}},
    "POST /api/me/mentions/read": {},
}
