"""Deskmate over its public Python API: with a Pydantic AI agent that asks people, and with a plain function as the agent.

A conversation of the script is a thread, found by its customer: the database alone tells which. The human's half goes through
`desk.requests`, as an inbox would do it. Everything is as a new user gets it: the customer reads "One moment, ..." while people
are asked, every step leaves its events, and SQLite commits with synchronous=FULL. The `-normal` peers relax that to what the
others' SQLite peers run with.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from deskmate import (
    Actor,
    Approval,
    Approved,
    Ask,
    AskHuman,
    Desk,
    NewDecision,
    NewMessage,
    Paused,
    PydanticAgent,
    Question,
    Replied,
    Role,
    Settings,
    Step,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    customer,
)
from deskmate.domain.actors import AuthorKind
from deskmate.domain.requests import DecisionKind, RequestState
from peer import Peer
from script import ASK, filler, next_reply

APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="no")
COPIED = {  # what a waiting conversation consists of, and the columns that name it or something in it
    "customers": ("id",),
    "threads": ("id", "customer", "preview_message"),
    "assignments": ("id", "thread"),
    "messages": ("id", "thread", "run"),
    "runs": ("id", "thread", "prompt"),
    "requests": ("id", "thread", "run", "call_message"),
}


class PlainAgent:
    """The scripted model as a runner: an async generator, and no framework."""

    name = "support"
    provider_names: Mapping[str, str] = {}

    def __init__(self, peer: "Deskmate") -> None:
        self.peer = peer

    async def run(self, turn: Turn) -> AsyncIterator[Any]:
        result = next((p for p in turn.history[-1].parts if isinstance(p, ToolResult)), None)
        for approved in turn.approved:
            result = await turn.apply(approved, approved.args, partial(self._refund, approved))
        answer = str(result.output) if result is not None else None
        await self.peer.before_model(answer)
        reply = next_reply(turn.prompt_text, answer)
        if not reply.tool:
            yield Step(role="assistant", parts=(Text(text=reply.text),), final=True)
            return
        call = ToolCall(call_id=reply.call_id, tool=reply.tool, input=reply.arguments)
        if reply.tool == "refund":
            asked: Question | Approval = Approval(call_id=reply.call_id)
        else:
            asked = Question(call_id=reply.call_id, question=reply.arguments["question"])
        notice = "One moment, I am asking a colleague."
        yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,), notice=notice)

    async def _refund(self, approved: Approved) -> ToolResult:
        done = self.peer.run_refund(str(approved.args["order"]))
        return ToolResult(call_id=approved.call_id, tool=approved.tool, output=done)


class Deskmate(Peer):
    name = "deskmate"
    durability = "WAL, synchronous=FULL (default); a transaction for the message, the start, each step and the decision"
    synchronous = "full"

    async def open(self) -> None:
        url = f"sqlite:///{self.store.location}" if self.store.backend == "sqlite" else self.store.location
        # A process that is going to die has the shortest lease, so that nobody waits 15 s for it to be missed.
        lease = 1.0 if self.crash_in else Settings().lease_seconds
        settings = replace(Settings(), sqlite_synchronous=self.synchronous, lease_seconds=lease)
        self.desk = Desk(url, settings=settings, agents=[self.agent()])
        self.threads: dict[str, str] = {}
        await self.desk.ensure_open()

    async def close(self) -> None:
        await self.desk.close()

    def agent(self) -> Any:
        agent = Agent(FunctionModel(self._model), name="support", capabilities=[AskHuman()])

        @agent.tool_plain(requires_approval=True)
        def refund(order: str) -> str:
            return self.run_refund(order)

        return PydanticAgent(agent, stream=False)

    async def _model(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        result = last.content if isinstance(last, ToolReturnPart) else None
        if isinstance(result, dict):  # The answer comes with the name of whoever gave it.
            result = result["answer"]
        user = next(p.content for m in reversed(messages) for p in m.parts if isinstance(p, UserPromptPart))
        await self.before_model(result)
        reply = next_reply(str(user), result)
        if reply.tool:
            return ModelResponse(parts=[ToolCallPart(reply.tool, reply.arguments, tool_call_id=reply.call_id)])
        return ModelResponse(parts=[TextPart(reply.text)])

    async def _thread(self, name: str) -> str:
        """The thread of this conversation, which is opened where there is none."""
        if name not in self.threads:
            found = (await self.desk.threads.page(customer=name, limit=1)).items
            self.threads[name] = (found[0] if found else await self.desk.threads.open(customer=name, by=customer(name))).id
        return self.threads[name]

    async def seed(self, thread: str, count: int) -> None:
        who = customer(thread).author, Actor(kind=AuthorKind.AGENT, id="support", name="support").author
        roles = "user", "assistant"
        messages = [NewMessage(role=roles[i % 2], author=who[i % 2], parts=(Text(text=filler(i)),)) for i in range(count)]
        for start in range(0, count, 500):
            await self.desk.messages.save(await self._thread(thread), messages[start : start + 500])

    async def _respond(self, thread: str) -> str | None:
        match await self.desk.respond(thread):
            case Replied(message=message):
                return message.text
            case Paused():
                return None
            case other:
                raise RuntimeError(f"{other}")

    async def send(self, thread: str, text: str) -> str | None:
        found = await self._thread(thread)
        await self.desk.messages.post(found, text, author=customer(thread))
        return await self._respond(found)

    async def answer(self, thread: str, text: str) -> str:
        found, by = await self._thread(thread), operator("ana")
        request = (await self.desk.requests.waiting(found, by=by))[0]
        await self.desk.requests.answer(request.id, text, by=by)
        return await self._respond(found)

    async def approve(self, thread: str) -> str:
        await self._decide(thread, APPROVE)
        return await self.resume(thread)

    async def reject(self, thread: str) -> str:
        await self._decide(thread, REJECT)
        return await self.resume(thread)

    async def decide(self, thread: str) -> None:
        await self._decide(thread, APPROVE)

    async def _decide(self, thread: str, decision: NewDecision) -> None:
        by = operator("ana")
        waiting = await self.desk.requests.waiting(await self._thread(thread), by=by)
        if not waiting:
            raise LookupError("nothing is pending")
        await self.desk.requests.decide(waiting[0].id, decision, by=by)

    async def resume(self, thread: str) -> str:
        return await self._respond(await self._thread(thread)) or "waits for a person"

    async def recover(self, thread: str) -> str:
        """Go on. Where it is not known whether the tool ran, a person looks and says so: here, that it did."""
        found, by = await self._thread(thread), operator("ana")
        reply = await self._respond(found)
        if reply is not None:
            return reply
        request = (await self.desk.requests.waiting(found, by=by))[0]
        if request.state is not RequestState.IN_DOUBT:
            raise RuntimeError(f"the request is {request.state}")
        await self.desk.requests.settle(request.id, ran=True, value="refunded order 42", by=by)
        return f"in doubt, settled by a person. {await self._respond(found)}"

    async def fill_inbox(self, count: int) -> None:
        """Play one conversation for real, then copy its rows under new ids; events are left out."""
        name = f"template-{count}"
        await self.send(name, ASK)
        thread = self.threads.pop(name)
        await self.desk.close()
        connect = sqlite3.connect if self.store.backend == "sqlite" else psycopg.connect
        db = connect(self.store.location)
        numbers = (
            f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
            if self.store.backend == "sqlite"
            else f"WITH numbers (n) AS (SELECT generate_series(1, {count}))"
        )
        for table, names in COPIED.items():
            columns = [found[0] for found in db.execute(f"SELECT * FROM {table} LIMIT 0").description]
            values = [
                f"t.{c} || '-' || n" if c in names else f"t.{c} + n" if c == "created_at" else f't."{c}"' for c in columns
            ]
            key = {"customers": f"id = '{name}'", "threads": f"id = '{thread}'"}.get(table, f"thread = '{thread}'")
            listed = ", ".join(f'"{c}"' for c in columns)
            copies = f"{numbers} SELECT {', '.join(values)} FROM {table} t, numbers WHERE t.{key}"
            db.execute(f"INSERT INTO {table} ({listed}) {copies}")
        db.commit()
        db.close()
        await self.open()
        await self.desk.threads.delete(thread)
        self.store.analyze()

    async def inbox(self, limit: int) -> list[str]:
        return [request.thread for request in (await self.desk.requests.list(by=operator("ana"), limit=limit)).items]

    async def claim(self, worker: str) -> str | None:
        request = await self.desk.requests.next(by=operator(worker))
        return request.thread if request is not None else None


class DeskmatePlain(Deskmate):
    name = "deskmate-plain"

    def agent(self) -> Any:
        return PlainAgent(self)


class DeskmateNormal(Deskmate):
    name = "deskmate-normal"
    durability = "as deskmate, with WAL, synchronous=NORMAL"
    synchronous = "normal"
    backends = ("sqlite",)


class DeskmatePlainNormal(DeskmatePlain):
    name = "deskmate-plain-normal"
    durability = "as deskmate-plain, with WAL, synchronous=NORMAL"
    synchronous = "normal"
    backends = ("sqlite",)


def operator(name: str) -> Actor:
    """A person who works the inbox."""
    return Actor(kind=AuthorKind.OPERATOR, id=name, name=name, role=Role.OPERATOR)
