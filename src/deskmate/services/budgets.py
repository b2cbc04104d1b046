"""Budgets: one limit for one subject, and how far it is used up. The row decides, so that it is right over many processes.

A budget is used in the transaction of the verb: where that fails, nothing was used. Budgets are used in the order of the names of
their policies, after the thread is locked, so that nobody waits for each other in a circle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.domain.limits import MOST, Bucket, Counter, Limit, Of, Per, Refusal, Window
from deskmate.domain.policies import Kind
from deskmate.services import policies
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc

FOREVER = timedelta(days=3650)
"""A bucket that needs longer is not waited for."""
BUCKET = -1
"""Where a counter has the beginning of a window, a bucket has this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a limit allows one subject."""

    policy: str
    limit: Limit
    subject: str

    def key(self, now: datetime) -> dict[str, object]:
        """The row of its counter at this time."""
        measure = self.limit.measure
        start = measure.start(ms(now)) if isinstance(measure, Window) else BUCKET
        return {
            "policy": self.policy, "counted": self.limit.of, "subject": self.subject, "period": measure.period, "start": start,
        }  # fmt: skip

    async def take(self, tx: Tx, amount: int, needed: int) -> Refusal | None:
        """Use this much, if `needed` is there. What is refused is not used."""
        key, measure = self.key(tx.now), self.limit.measure
        if isinstance(measure, Window):
            row = await tx.one("limits.count", **key, amount=amount, needed=needed, capacity=measure.count, now=ms(tx.now))
            return None if row is not None else self._refusal(tx, measure.end(ms(tx.now)))
        level = await self._fill(tx, measure)
        if await tx.run("limits.draw", **key, amount=amount * measure.period, needed=needed * measure.period):
            return None
        return self._refusal(tx, ms(tx.now) + measure.wait(level, needed))

    async def charge(self, tx: Tx, amount: int) -> None:
        """What was used after all, whether it is there or not; below zero, what was not used after all."""
        key, measure, amount = self.key(tx.now), self.limit.measure, max(-MOST, min(amount, MOST))
        if isinstance(measure, Window):
            await tx.run("limits.charge", **key, amount=amount, capacity=measure.count, now=ms(tx.now))
            return
        await self._fill(tx, measure)
        await tx.run("limits.settle", **key, amount=amount * measure.period)

    async def _fill(self, tx: Tx, measure: Bucket) -> int:
        row = await tx.one(
            "limits.fill", **self.key(tx.now), capacity=measure.full, refill=measure.refill, now=ms(tx.now)
        )  # fmt: skip
        assert row is not None
        return int(row["level"])

    def _refusal(self, tx: Tx, until: int) -> Refusal:
        until = min(until, ms(tx.now + FOREVER))
        return Refusal(policy=self.policy, limit=self.limit, subject=self.subject, until=utc(until), now=tx.now)


async def fitting(tx: Tx, of: Of, users: Mapping[Per, str | None]) -> list[Budget]:
    """The budgets that these users draw on, by the names of their policies."""
    found = (await policies.every(tx, Limit, Kind.LIMIT)).items()
    drawn = [(policy, limit, limit.subject(users)) for policy, limit in found if limit.of is of]
    return [Budget(policy=policy, limit=limit, subject=subject) for policy, limit, subject in drawn if subject is not None]


def counter_of(limit: Limit, row: Row, now: datetime) -> Counter:
    """A stored row as what it says now. `used` of a bucket is what its capacity lacks."""
    measure, needed = limit.measure, max(1, limit.reserve)
    if isinstance(measure, Window):
        left = measure.count - row["used"]
        wait = measure.end(ms(now)) - ms(now) if left < needed else 0
        used = row["used"]
    else:
        level = measure.level(row["level"], row["at"], ms(now))
        left, wait = measure.left(level), measure.wait(level, needed)
        used = measure.capacity - left
    retry_after = -(-wait // 1000) if wait else None
    return Counter(subject=row["subject"], used=used, left=left, refused=row["refused"], retry_after=retry_after)
