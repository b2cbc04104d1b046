"""A fake of Slack: its Web API over real HTTP as it is documented, and people who click, signed as Slack signs.

See https://docs.slack.dev/apis/web-api/ and https://docs.slack.dev/authentication/verifying-requests-from-slack/.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from tests.acceptance.ports import open_port

Json = dict[str, Any]
TOKEN = "xoxb-the-bot-of-these-tests"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM = "T0001"
CHANNEL = "C0001"


@dataclass
class FakeSlack:
    """One workspace: its people, its messages, and what the bot asked of it."""

    url: str = ""
    people: dict[str, Json] = field(default_factory=dict)
    posts: dict[tuple[str, str], Json] = field(default_factory=dict)
    whispers: list[Json] = field(default_factory=list)
    views: list[Json] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    limited: int = 0
    """How many of the next calls are too many."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _triggers: set[str] = field(default_factory=set)

    def person(self, id: str, email: str | None, **facts: Any) -> str:
        self.people[id] = {"id": id, "team_id": TEAM, "deleted": False, "is_bot": False, "profile": {"email": email}, **facts}
        return id

    def post(self, channel: str = CHANNEL) -> Json:
        """The one message in a channel."""
        [post] = [post for (where, _), post in self.posts.items() if where == channel]
        return post

    def button(self, click: str, channel: str = CHANNEL) -> Json:
        return next(
            one for block in self.post(channel)["blocks"] for one in block.get("elements", ()) if one.get("action_id") == click
        )

    def clicked(self, user: str, click: str, channel: str = CHANNEL) -> Json:
        """What Slack sends when somebody clicks a button of the message in a channel."""
        trigger = f"{next(self._numbers)}.{next(self._numbers)}.abc"
        self._triggers.add(trigger)
        button = self.button(click, channel)
        return {
            "type": "block_actions", "team": {"id": TEAM}, "user": {"id": user, "team_id": TEAM}, "trigger_id": trigger,
            "container": {"type": "message", "channel_id": channel, "message_ts": self.post(channel)["ts"]},
            "actions": [{"type": "button", "action_id": click, "block_id": "decide", "value": button.get("value")}],
        }  # fmt: skip

    def submitted(self, user: str, text: str) -> Json:
        """What Slack sends when somebody submits the form that was opened last."""
        values = {"answer": {"value": {"type": "plain_text_input", "value": text}}}
        return {
            "type": "view_submission",
            "team": {"id": TEAM},
            "user": {"id": user},
            "view": {**self.views[-1], "state": {"values": values}},
        }

    # The Web API

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, answer = self._answer(scope["path"].removeprefix("/api/"), headers, body.decode())
        more = [(b"retry-after", b"7")] if status == 429 else []
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), *more]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, method: str, headers: dict[str, str], body: str) -> tuple[int, Json]:
        self.calls.append(method)
        if self.limited:
            self.limited -= 1
            return 429, {"ok": False, "error": "ratelimited"}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 200, {"ok": False, "error": "invalid_auth"}
        if headers.get("content-type") != "application/x-www-form-urlencoded" and body:
            return 200, {"ok": False, "error": "invalid_form_data"}
        form = {name: values[0] for name, values in parse_qs(body).items()}
        do = {
            "auth.test": self._auth_test, "users.info": self._users_info, "users.lookupByEmail": self._lookup,
            "chat.postMessage": self._post_message, "chat.update": self._update, "chat.postEphemeral": self._whisper,
            "views.open": self._open_view,
        }.get(method)  # fmt: skip
        if do is None:
            return 200, {"ok": False, "error": "unknown_method"}
        try:
            return 200, {"ok": True, **do(form)}
        except LookupError as error:
            return 200, {"ok": False, "error": str(error.args[0])}

    def _auth_test(self, _: dict[str, str]) -> Json:
        return {"team_id": TEAM, "user_id": "U0BOT"}

    def _users_info(self, form: dict[str, str]) -> Json:
        if form["user"] not in self.people:
            raise LookupError("user_not_found")
        return {"user": self.people[form["user"]]}

    def _lookup(self, form: dict[str, str]) -> Json:
        for person in self.people.values():
            if person["profile"]["email"] == form["email"]:
                return {"user": person}
        raise LookupError("users_not_found")

    def _post_message(self, form: dict[str, str]) -> Json:
        channel = form["channel"]
        if channel in self.people:
            channel = f"D{channel}"
        elif channel != CHANNEL:
            raise LookupError("channel_not_found")
        ts = f"1700000000.{next(self._numbers):06}"
        self.posts[channel, ts] = {"ts": ts, "text": form["text"], "blocks": checked(form.get("blocks"))}
        return {"channel": channel, "ts": ts}

    def _update(self, form: dict[str, str]) -> Json:
        key = (form["channel"], form["ts"])
        if key not in self.posts:
            raise LookupError("message_not_found")
        self.posts[key] = {"ts": form["ts"], "text": form["text"], "blocks": checked(form.get("blocks"))}
        return {"channel": form["channel"], "ts": form["ts"]}

    def _whisper(self, form: dict[str, str]) -> Json:
        self.whispers.append(form)
        return {"message_ts": "1700000000.000000"}

    def _open_view(self, form: dict[str, str]) -> Json:
        if form["trigger_id"] not in self._triggers:
            raise LookupError("expired_trigger_id")
        self._triggers.remove(form["trigger_id"])
        view = json.loads(form["view"])
        checked(json.dumps(view["blocks"]))
        if not 0 < len(view["title"]["text"]) <= 24 or len(view["private_metadata"]) > 3000:
            raise LookupError("invalid_arguments")
        self.views.append(view)
        return {"view": view}


def checked(text: str | None) -> list[Json]:
    """Blocks within Slack's limits, or `invalid_blocks`."""
    blocks = json.loads(text or "[]")
    for block in blocks:
        longest = {"header": 150, "section": 3000}.get(block["type"])
        if longest is not None and not 0 < len(block["text"]["text"]) <= longest:
            raise LookupError("invalid_blocks")
        elements = block.get("elements", [])
        actions = [one["action_id"] for one in elements if one["type"] == "button"]
        values = [one.get("value", "") for one in elements]
        if len(set(actions)) != len(actions) or any(len(value) > 2000 for value in values):
            raise LookupError("invalid_blocks")
    if len(blocks) > 50:
        raise LookupError("invalid_blocks")
    return blocks


def signed(payload: Json, at: float, *, secret: str = SECRET) -> tuple[str, dict[str, str]]:
    """A body and its headers as Slack sends them."""
    body = urlencode({"payload": json.dumps(payload)})
    digest = hmac.new(secret.encode(), f"v0:{int(at)}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": str(int(at))}
    return body, headers | {"x-slack-signature": f"v0={digest}"}


@asynccontextmanager
async def slack_workspace() -> AsyncIterator[FakeSlack]:
    slack = FakeSlack()
    listening = open_port()
    slack.url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/"
    server = uvicorn.Server(uvicorn.Config(slack, log_level="warning", ws="none", lifespan="off", timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        try:
            yield slack
        finally:
            server.should_exit = True
    listening.close()
