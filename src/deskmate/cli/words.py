"""What the command line prints about a desk: where things are, and who can sign in. Never a key, never a password of a store."""

from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deskmate.cli.serving import WILDCARDS, Listener

if TYPE_CHECKING:
    from deskmate.app import Desk
    from deskmate.demo import Demo


def shown(url: str) -> str:
    """The address of a store without what may be secret."""
    if url.startswith("sqlite:"):
        return "in memory, gone afterwards" if url in ("sqlite:", "sqlite://", "sqlite:///:memory:") else url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def desk_line(desk: "Desk") -> str:
    """What is served."""
    agents = ", ".join(desk.agents) or "none; people answer everything"
    return f"Deskmate {version('deskmate')}. Store: {shown(desk.settings.store)}. Agents: {agents}."


def address_lines(listener: Listener) -> list[str]:
    """Where things are."""
    here = listener.url
    lines = [
        f"  customers   {here}/chat",
        f"  operators   {here}/inbox",
        f"  API         {here}/api   ({here}/openapi.json)",
    ]
    return [*lines, "  (on every address of this machine)"] if listener.host in WILDCARDS else lines


def setup_lines(listener: Listener, token: str | None) -> list[str]:
    """The first admin's way in; nothing once there is an operator."""
    if token is None:
        return []
    return [
        "Nobody can sign in yet. Become the first admin here, once, within 24 hours:",
        f"  {listener.url}/inbox/setup#{token}",
    ]


def demo_lines(demo: "Demo") -> list[str]:
    """Who can sign in to the demo, and what to try."""
    width = max(len(login.email) for login in demo.logins)
    who = [f"  {login.email:<{width}}  {login.password}   {login.name}, {login.role}" for login in demo.logins]
    first = demo.logins[0]
    return [
        "Sign in to the inbox as one of",
        *who,
        "Try this: in /chat ask",
        "  Is the Lyon shop open on Whit Monday?",
        f"The FAQ does not say. Sign in to /inbox as {first.email}, answer the question there,",
        "and watch the reply arrive in the chat.",
    ]
