"""Another process whose customers all ask for a person at once: `python limits_process.py URL THREAD...`.

It says who holds each of the threads then.
"""

import asyncio
import sys

from deskmate import Desk, customer


async def main() -> None:
    url, *threads = sys.argv[1:]
    async with Desk.open(url, work=False) as desk:
        actors = [customer((await desk.threads.get(thread)).customer or "") for thread in threads]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        asked = zip(threads, actors, strict=True)
        came = await asyncio.gather(*(desk.escalations.escalate(thread, by=actor) for thread, actor in asked))
        for thread in came:
            print(thread.assignment.to, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
