"""One of several processes in which operators take whatever waits: `python crowd_process.py URL CLAIMERS`.

The operators come as JSON on its input. It says, a line each, what was taken and by whom.
"""

import asyncio
import json
import sys

from deskmate import Desk, Operator


async def claim(desk: Desk, operators: list[Operator]) -> None:
    """Take the next one for one operator after the other, until nobody is given anything any more."""
    waiting = list(operators)
    while waiting:
        operator = waiting.pop(0)
        found = await desk.queues.next(by=operator)
        if found is not None:
            item = found.request.id if found.request is not None else found.thread.id
            print(json.dumps([item, operator.id]), flush=True)
            waiting.append(operator)


async def main() -> None:
    url, claimers = sys.argv[1], int(sys.argv[2])
    ids: list[str] = json.loads(sys.stdin.readline())
    async with Desk.open(url, work=False) as desk:
        operators = [await desk.operators.get(id) for id in ids]
        await asyncio.gather(*(claim(desk, operators[number::claimers]) for number in range(claimers)))


if __name__ == "__main__":
    asyncio.run(main())
