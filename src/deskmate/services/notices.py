"""Notices: whom a matter concerns, and over which channels each of them is told, by policies and by what they want themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.actors import Role
from deskmate.domain.assignments import Holder
from deskmate.domain.notices import Notice, Preferences, ways
from deskmate.domain.notifications import Channel
from deskmate.domain.operators import Operator
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE, Queue
from deskmate.domain.requests import Request
from deskmate.domain.threads import Thread
from deskmate.errors import NotFound
from deskmate.services import operators, policies, queues, threads
from deskmate.store.base import Tx
from deskmate.store.request_rows import request_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """Something that people are told of, with what decides whom it concerns."""

    kind: str
    thread: Thread | None
    request: Request | None
    queue: Queue
    notices: Sequence[Notice]

    def concerns(self, operator: Operator, notice: Notice) -> bool:
        """Whether a policy is about this operator, in this matter."""
        match notice.to:
            case "leads":
                return operator.role in operators.LEADS
            case "holder":
                return operator.id in self._holders()
            case "queue":
                return self.worked_by(operator)
            case _:
                return operator.id in notice.to

    def worked_by(self, operator: Operator) -> bool:
        """Whether this operator works the queue that the matter waits in, and has the skills for it."""
        skills = () if self.request is None else self.request.skills
        return operator.role is not Role.OBSERVER and self.queue.worked_by(operator) and set(skills) <= set(operator.skills)

    def _holders(self) -> set[str | None]:
        claimed = self.request.claimed_by if self.request is not None else None
        holder = self.thread.assignment if self.thread is not None else None
        held = holder.id if holder is not None and holder.to is Holder.OPERATOR else None
        return {held, claimed.id if claimed is not None else None}


async def matter(tx: Tx, kind: str, thread: str | None, request: str | None) -> Matter:
    """A matter as it stands now. What has been deleted meanwhile is left out."""
    found = await _thread(tx, thread)
    row = None if request is None else await tx.one("requests.get", id=request)
    asked = None if row is None else request_of(row)
    name = (asked.queue if asked is not None else None) or (found.queue if found is not None else None) or DEFAULT_QUEUE
    queue = await queues.find(tx, name) or Queue(name=name, created_at=tx.now)
    known = (await policies.every(tx, Notice, Kind.NOTIFICATION)).values()
    notices = [notice for notice in known if notice.speaks_of(kind)]
    return Matter(kind=kind, thread=found, request=asked, queue=queue, notices=notices)


async def channels_for(
    tx: Tx, matter: Matter, operator: Operator, *, urgent: bool, channels: Iterable[Channel] | None = None
) -> dict[Channel, datetime]:
    """Over which channels an operator is told of a matter now, and when over each; or when over those that are given."""
    concerned = [notice for notice in matter.notices if matter.concerns(operator, notice)]
    return ways(concerned, await wishes_of(tx, operator.id), matter.kind, tx.now, urgent=urgent, channels=channels)


async def wishes_of(tx: Tx, operator: str) -> Preferences:
    """What an operator wants for themselves."""
    row = await tx.one("notifications.preferences", operator=operator)
    return Preferences() if row is None else Preferences.model_validate_json(row["rules"])


async def concerned(tx: Tx, matter: Matter) -> list[str]:
    """Whom policies name for a matter, and those who work its queue and have said that they want to be told of such things."""
    said = {row["operator"]: row["rules"] for row in await tx.all("notifications.all_preferences")}
    wishes = {operator: Preferences.model_validate_json(rules) for operator, rules in said.items()}
    wanting = {operator for operator, own in wishes.items() if own.wanted(matter.kind)}
    if not matter.notices and not wanting:
        return []
    team = [operators.operator_of(row) for row in await tx.all("operators.team")]
    return [
        one.id
        for one in team
        if any(matter.concerns(one, notice) for notice in matter.notices) or (one.id in wanting and matter.worked_by(one))
    ]


async def _thread(tx: Tx, id: str | None) -> Thread | None:
    if id is None:
        return None
    try:
        return await threads.get(tx, id)
    except NotFound:
        return None
