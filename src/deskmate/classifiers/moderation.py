"""The moderation model: any server that speaks OpenAI's chat completions, asked as Llama Guard is whether words are safe."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, cast

import httpx2

from deskmate.config import Settings
from deskmate.domain.safety import LONGEST_RAW, Judgement, On, Role, Said, Verdict, defused, verdict_of
from deskmate.domain.values import loads
from deskmate.errors import Invalid, Misconfigured

TOKENS = 64
"""What a verdict with all its categories needs is less."""
LARGEST_ANSWER = 64 * 1024  # bytes
MOST_BEFORE = 8_000
"""Characters of the conversation before the judged words. These are never cut: what was cut off would not be judged."""
NOBODY = "(Nothing was said before.)"
_JUDGED: Mapping[On, Role] = {On.INPUT: "user", On.OUTPUT: "assistant"}


class Moderation:
    """A moderation model behind an address such as `http://localhost:8001/v1`. Safe to use for many conversations at once."""

    def __init__(self, url: str, *, model: str, key: str | None = None, seconds: float = 5.0) -> None:
        """`seconds` is the time for a verdict, from connecting to the last byte. Raises Invalid for a key that fits no header."""
        if key is not None and not (key.isascii() and key.isprintable() and key == key.strip()):
            # Sent as it is, the client would refuse it, and write it into its log.
            raise Invalid("a key has no spaces around it, and only printable characters of ASCII", field="key")
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = key
        self._seconds = seconds
        self._ssl: ssl.SSLContext | None = None

    async def judge(self, messages: Sequence[Said], on: On) -> Judgement:
        """See Moderator: what goes wrong outside becomes the verdict `unknown`, with the reason in words that hold no key."""
        asked = _conversation(messages, on)
        if asked is None:
            return self._unknown(on, "there are no words to judge")
        context = await self._context()
        began = time.monotonic()
        judgement = await self._judgement(asked, on, context)
        return replace(judgement, milliseconds=round((time.monotonic() - began) * 1000))

    async def _judgement(self, asked: Sequence[Said], on: On, context: ssl.SSLContext) -> Judgement:
        try:
            async with asyncio.timeout(self._seconds):
                text = _words(await self._ask(asked, context))
        except TimeoutError:
            return self._unknown(on, f"it did not answer within {self._seconds:g} seconds")
        except _NoAnswer as error:
            return self._unknown(on, str(error))
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return self._unknown(on, "it cannot be reached")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError):
            # What such an error says may hold an address or a header; that there was one is enough.
            return self._unknown(on, "the connection was lost")
        verdict, categories = verdict_of(text)
        reason = "its answer is no verdict" if verdict is Verdict.UNKNOWN else None
        raw = text if self._key is None else text.replace(self._key, "[hidden]")
        return Judgement(
            verdict=verdict, on=on, model=self._model, categories=categories, reason=reason, raw=raw[:LONGEST_RAW]
        )  # fmt: skip

    async def _ask(self, asked: Sequence[Said], context: ssl.SSLContext) -> bytes:
        """The body of the answer.

        Each question has a connection of its own: one that was kept may be closed just when it is needed, and a verdict lost like
        that would send a customer to people for nothing.
        """
        body = {
            "model": self._model,
            "messages": [{"role": role, "content": text} for role, text in asked],
            "temperature": 0,
            "max_tokens": TOKENS,
            "stream": False,
        }
        headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        async with httpx2.AsyncClient(timeout=self._seconds, verify=context, follow_redirects=False) as client:
            async with client.stream("POST", self._url, content=json.dumps(body).encode(), headers=headers) as response:
                return await _read(response)

    async def _context(self) -> ssl.SSLContext:
        """Reading the certificates takes tens of milliseconds, so they are read once, and not while others wait."""
        if self._ssl is None:
            self._ssl = await asyncio.to_thread(httpx2.create_ssl_context)
        return self._ssl

    def _unknown(self, on: On, reason: str) -> Judgement:
        return Judgement(verdict=Verdict.UNKNOWN, on=on, model=self._model, reason=reason)


def moderation_of(settings: Settings) -> Moderation | None:
    """The moderation model of the settings; None where they name none. Raises Misconfigured."""
    if settings.moderation_url is None:
        return None
    if settings.moderation_model is None:
        variable = "DESKMATE_MODERATION_MODEL"
        raise Misconfigured(f"DESKMATE_MODERATION_URL needs {variable}: what the model is called there", field=variable)
    return Moderation(
        settings.moderation_url,
        model=settings.moderation_model,
        key=settings.moderation_key,
        seconds=settings.moderation_seconds,
    )


class _NoAnswer(Exception):
    """What came is not an answer."""


async def _read(response: httpx2.Response) -> bytes:
    """The body as it came over the wire, as far as an answer may go: nothing is unpacked, so nothing small becomes large."""
    if response.status_code != 200:
        raise _NoAnswer(f"it answered with status {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _NoAnswer("its answer is packed, though that was not asked for")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise _NoAnswer("its answer is too long for a verdict")
    return bytes(body)


def _words(body: bytes) -> str:
    """What the model wrote. Raises _NoAnswer."""
    try:
        answer = loads(body)
    except ValueError:
        raise _NoAnswer("its answer is no JSON") from None
    choices = _record(answer).get("choices")
    first = cast("list[Any]", choices)[0] if isinstance(choices, list) and choices else None
    content = _record(_record(first).get("message")).get("content")
    if not isinstance(content, str):
        raise _NoAnswer("its answer holds no words")
    return content


def _record(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _conversation(messages: Sequence[Said], on: On) -> list[Said] | None:
    """The messages as the templates of such models want them: the customer first, then by turns, and the judged words last.

    None when the last message has no words. Raises Invalid when it is not of the role that is judged.
    """
    if not messages or messages[-1][0] != _JUDGED[on]:
        raise Invalid(f"the last message has to be of the role {_JUDGED[on]!r}", field="messages")
    if not messages[-1][1].strip():
        return None
    turns = _by_turns([(role, defused(text)) for role, text in _near(messages)])
    return turns if turns[0][0] == "user" else [("user", NOBODY), *turns]


def _near(messages: Sequence[Said]) -> list[Said]:
    """The last message, and those before it that there is room for."""
    room = MOST_BEFORE
    near: list[Said] = [messages[-1]]
    for role, text in reversed(messages[:-1]):
        room -= len(text)
        if room < 0:
            break
        if text.strip():
            near.append((role, text))
    return near[::-1]


def _by_turns(said: Sequence[Said]) -> list[Said]:
    """What one role says in several messages becomes one: templates of such models refuse a role that speaks twice in a row."""
    return [(role, "\n".join(text for _, text in group)) for role, group in groupby(said, _role)]


def _role(said: Said) -> Role:
    return said[0]
