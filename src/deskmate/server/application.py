"""The application: routes, pages and limits over one desk. Mount it in your own, or let `deskmate serve` run it."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from deskmate.app import Desk
from deskmate.server import answers, pages, problems
from deskmate.server.api import (
    access,
    board,
    canned,
    chains,
    events,
    feedback,
    files,
    limits,
    macros,
    mentions,
    notifications,
    policies,
    queues,
    requests,
    routing,
    sla,
    slack,
    suggestions,
    threads,
    unsent,
    usage,
    views,
    webhooks,
)
from deskmate.server.intake import Intake
from deskmate.server.limits import RateLimits


def create_app(desk: Desk, *, work: bool = True) -> FastAPI:
    """The ASGI application of a desk. With `work` this process works on runs as well."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        await desk.ensure_open()
        if work:
            desk.work()
        try:
            yield
        finally:
            await desk.close()

    app = FastAPI(
        title="Deskmate",
        description="People and AI agents in the same conversation.",
        version=version("deskmate"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.noticed = dict[str, float]()
    app.state.limits = RateLimits(on=desk.settings.rate_limits, clock=time.monotonic)
    problems.install(app)
    rooms = (
        threads, requests, queues, events, mentions, access, canned, macros, views, unsent, files, policies, sla, chains, limits,
        notifications, webhooks, slack, usage, board, routing, feedback, suggestions,
    )  # fmt: skip
    for room in rooms:
        app.include_router(room.router)
    app.include_router(pages.router)
    app.include_router(answers.router)
    app.mount("/static", pages.static, name="static")

    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    async def readyz() -> dict[str, object]:  # pyright: ignore[reportUnusedFunction]
        """The store answers, and every queued run has an agent here."""
        await desk.ready()
        return {"status": "ok", "stranded": await desk.stranded()}

    app.add_middleware(Intake, max_body_bytes=desk.settings.max_body_bytes)
    return app
