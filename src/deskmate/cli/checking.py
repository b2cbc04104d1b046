"""`deskmate check`: one finding for each thing that has to be right before a desk runs. It changes nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from deskmate.app import Desk
from deskmate.cli import line_of
from deskmate.cli.sources import Source, desk_of
from deskmate.cli.words import shown
from deskmate.config import Settings
from deskmate.errors import DeskmateError
from deskmate.store import pending_migrations
from deskmate.store.urls import sqlite_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the result."""

    about: str
    text: str
    ok: bool = True


async def findings(source: Source, env: Mapping[str, str]) -> list[Finding]:
    """All findings, in the order in which things depend on each other."""
    try:
        settings = replace(Settings.from_env(env), **source.settings)
    except DeskmateError as error:
        return [_problem("settings", error)]
    found = [Finding(about="settings", text="read from the environment and the command line")]
    desk = _desk(source, env, found)
    ready = await asyncio.to_thread(_store, desk.settings.store if desk is not None else settings.store, found)
    if desk is not None and ready:
        await _waiting(desk, found)
    return found


def _desk(source: Source, env: Mapping[str, str], found: list[Finding]) -> Desk | None:
    try:
        desk = desk_of(source, env)
    except DeskmateError as error:
        found.append(_problem("store" if error.field == "store" else "agents", error))
        return None
    found += _agents(desk)
    return desk


def _agents(desk: Desk) -> list[Finding]:
    if not desk.agents:
        return [Finding(about="agents", text="none registered; people answer everything")]
    return [Finding(about="agents", text=f"{name} ({names})" if names else name) for name, names in _names(desk)]


def _names(desk: Desk) -> list[tuple[str, str]]:
    return [(name, "/".join(runner.provider_names.values())) for name, runner in desk.runners.items()]


def _store(url: str, found: list[Finding]) -> bool:
    """Whether the store is there and up to date."""
    try:
        if url.startswith("sqlite:"):
            path = sqlite_path(url)
            if path is None:
                found.append(Finding(about="store", text=shown(url)))
                return False
            if not path.exists():
                ok = path.parent.is_dir()
                text = "does not exist yet; serve makes it" if ok else f"the folder {path.parent} does not exist"
                found.append(Finding(about="store", text=f"{shown(url)} {text}" if ok else text, ok=ok))
                return False
        pending = pending_migrations(url)
    except DeskmateError as error:
        if not any(one.about == "store" for one in found):
            found.append(_problem("store", error))
        return False
    found.append(Finding(about="store", text=f"{shown(url)} answers"))
    text = f"missing {', '.join(pending)}; run deskmate migrate" if pending else "up to date"
    found.append(Finding(about="schema", text=text, ok=not pending))
    return not pending


async def _waiting(desk: Desk, found: list[Finding]) -> None:
    await desk.ensure_open()
    try:
        stranded = await desk.stranded()
        operators = await desk.operators.list(limit=1)
    finally:
        await desk.close()
    for agent, runs in stranded.items():
        text = f"{runs} wait for the agent {agent!r}, which is not registered"
        found.append(Finding(about="runs", text=text, ok=False))
    if not stranded:
        found.append(Finding(about="runs", text="none waits for an agent that is not registered"))
    text = "there is somebody who can sign in" if operators.items else "nobody can sign in yet; serve prints the link for it"
    found.append(Finding(about="operators", text=text))


def _problem(about: str, error: DeskmateError) -> Finding:
    return Finding(about=about, text=line_of(error), ok=False)
