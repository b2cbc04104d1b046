"""`deskmate replay`: recorded customers through a running desk, as load."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterator

    from deskmate.cli.playing import Played, Player
    from deskmate.domain.transcripts import Conversation

File = Annotated[str, typer.Argument(metavar="FILE", help="One conversation in each line (JSON); - is the standard input.")]
Url = Annotated[str, typer.Option(metavar="URL", help="The desk, like http://127.0.0.1:8000.")]
Concurrency = Annotated[int, typer.Option(metavar="N", min=1, max=200, help="How many customers there are at a time.")]
Limit = Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many conversations.", show_default=False)]
Speed = Annotated[
    float | None,
    typer.Option(
        metavar="TIMES",
        min=0.001,
        help="Keep the recorded pauses, so many times as fast; else there are none.",
        show_default=False,
    ),
]
Patience = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="How long to wait for each answer.")]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", envvar="DESKMATE_KEY", help="A key of the team: tells questions and failures apart.", show_default=False
    ),
]


def replay(
    file: File,
    url: Url,
    concurrency: Concurrency = 4,
    limit: Limit = None,
    speed: Speed = None,
    patience: Patience = 30.0,
    key: Key = None,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Play to a desk on another machine.")] = False,
) -> None:
    """Play recorded customers to a running desk.

    Each conversation is a visitor with a thread of their own, who says the next thing when the last one was answered. Prints what
    came of the messages, how many there were a second, and how long the answers took. Everything goes through the public API;
    what the desk's rate limits hold back waits, so switch them off to measure (DESKMATE_RATE_LIMITS=off).

    \b
    deskmate replay conversations.jsonl --url http://127.0.0.1:8000
    deskmate replay conversations.jsonl --url http://127.0.0.1:8000 --concurrency 32 --limit 500
    """
    import asyncio

    from deskmate.cli.recordings import recording

    check_url(url, allow_remote)
    with recording(file, title="Replaying") as lines:
        report = asyncio.run(_replay(lines, url, concurrency, limit, speed, patience, key, allow_remote))
    typer.echo("".join(f"{line}\n" for line in report.told()), nl=False)
    raise typer.Exit(0 if report.well else 1)


def check_url(url: str, allow_remote: bool) -> None:
    """Raise Misconfigured unless a desk can be there, on this machine."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    from deskmate.errors import Misconfigured

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise Misconfigured(f"must be an address like http://127.0.0.1:8000, not {url!r}", field="url")
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here and not allow_remote:
        raise Misconfigured(f"{host} is another machine; --allow-remote plays to it all the same", field="url")


class Report:
    """What came of a replay."""

    def __init__(self) -> None:
        self.conversations = 0
        self.refused: list[str] = []
        self.played: list[Played] = []
        self.seconds = 0.0

    @property
    def well(self) -> bool:
        """Whether every message was answered, by whomever."""
        from deskmate.cli.playing import Answer

        bad = (Answer.FAILED, Answer.UNANSWERED, Answer.REFUSED)
        return bool(self.played) and not self.refused and not any(one.answer in bad for one in self.played)

    def told(self) -> "Iterator[str]":
        """The report, line by line."""
        from collections import Counter

        from deskmate.cli.playing import Answer

        count = len(self.played)
        rate = count / self.seconds if self.seconds else 0.0
        played = f"{_counted(self.conversations, 'conversation')}, {_counted(count, 'message')}"
        yield f"{played} in {self.seconds:.1f} s: {rate:.1f} messages/s"
        found = Counter(one.answer for one in self.played)
        for answer in Answer:
            if found[answer]:
                yield f"  {answer:<10} {found[answer]:>7}"
        times = sorted(one.seconds for one in self.played if one.answer not in (Answer.UNANSWERED, Answer.REFUSED))
        if times:
            shown = "  ".join(f"p{percent} {rank(times, percent) * 1000:.0f} ms" for percent in (50, 95, 99))
            yield f"answers after {shown}  slowest {times[-1] * 1000:.0f} ms"
        errors = [*self.refused, *sorted({one.error for one in self.played if one.error})]
        for error in errors[:10]:
            yield f"refused: {error}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def rank(times: list[float], percent: int) -> float:
    """The time within which so many percent of the sorted times lie."""
    return times[max(0, -(-len(times) * percent // 100) - 1)]


async def _replay(
    lines: "AsyncIterator[bytes]",
    url: str,
    concurrency: int,
    limit: int | None,
    speed: float | None,
    patience: float,
    key: str | None,
    allow_remote: bool,
) -> Report:
    import asyncio

    import httpx2

    from deskmate.cli.playing import Player
    from deskmate.errors import Unavailable

    report = Report()
    # Heartbeats come every 15 seconds: a stream that says nothing for much longer is dead.
    timeout = httpx2.Timeout(max(patience, 60.0))
    limits = httpx2.Limits(max_connections=2 * concurrency + 1, max_keepalive_connections=concurrency)
    async with httpx2.AsyncClient(base_url=url, timeout=timeout, limits=limits, trust_env=allow_remote) as client:
        try:
            (await client.get("/healthz")).raise_for_status()
        except httpx2.HTTPError as error:
            raise Unavailable(f"no desk answers at {url}: {type(error).__name__}", field="url") from None
        player = Player(client=client, patience=patience, speed=speed, key=key)
        waiting, taking = _conversations(lines, limit, report), asyncio.Lock()
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.TaskGroup() as players:
            for _ in range(concurrency):
                players.create_task(_play_on(player, waiting, taking, report))
        report.seconds = clock() - began
    return report


async def _play_on(player: "Player", waiting: "AsyncIterator[Conversation]", taking: "asyncio.Lock", report: Report) -> None:
    """Take one conversation after the other until there are none."""
    while True:
        async with taking:
            found = await anext(waiting, None)
        if found is None:
            return
        playing: AsyncIterator[Played] = player.play(found)
        async for played in playing:
            report.played.append(played)


async def _conversations(lines: "AsyncIterator[bytes]", limit: int | None, report: Report) -> "AsyncIterator[Conversation]":
    """The conversations in which a customer says something; what cannot be read is noted."""
    from deskmate.domain.transcripts import conversation, read_line
    from deskmate.errors import Invalid

    number = 0
    async for line in lines:
        number += 1
        if report.conversations == limit:
            return
        if not line.strip():
            continue
        try:
            found = conversation(read_line(line), source="replay")
        except Invalid as error:
            report.refused.append(f"line {number}: {error.message}")
            continue
        if found.customer_texts:
            report.conversations += 1
            yield found
