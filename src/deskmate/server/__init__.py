"""The HTTP door: the API, live updates and the pages, over one Desk."""

from deskmate.server.application import create_app

__all__ = ["create_app"]
