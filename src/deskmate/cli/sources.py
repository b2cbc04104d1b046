"""What is served: a desk of the user's own, or one that is made here of a FAQ, a model or an agent."""

import importlib
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskmate.app import Desk
from deskmate.config import Settings
from deskmate.errors import DeskmateError, Misconfigured

if TYPE_CHECKING:
    from deskmate.app import AnyAgent

AGENT_NAME = "Support AI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the command line says about the desk and its agent. `settings` are the ones it overrides."""

    desk: str | None = None
    faq: Path | None = None
    model: str | None = None
    base_url: str | None = None
    agent: str | None = None
    settings: Mapping[str, Any]


def desk_of(source: Source, env: Mapping[str, str]) -> Desk:
    """The desk to serve. Raises Misconfigured, naming the option."""
    if source.desk is None:
        settings = replace(Settings.from_env(env), **source.settings)
        return Desk(agents=[agent_of(source, settings)], settings=settings)
    for option in ("faq", "model", "base_url", "agent"):
        if getattr(source, option) is not None:
            raise Misconfigured(f"does not go with {source.desk}: the desk has agents of its own", field=option)
    if "store" in source.settings:
        raise Misconfigured(f"does not go with {source.desk}: the desk names its own store", field="store")
    found = load(source.desk, "desk")
    if not isinstance(found, Desk):
        raise Misconfigured(f"{source.desk} is a {type(found).__name__}, not a Desk", field="desk")
    found.settings = replace(found.settings, **source.settings)
    return found


def agent_of(source: Source, settings: Settings) -> "AnyAgent":
    """The agent that answers customers; without any option one that asks people about everything."""
    if source.agent is not None:
        for option in ("faq", "model", "base_url"):
            if getattr(source, option) is not None:
                raise Misconfigured("does not go with --agent: that agent brings its own", field=option)
        return _own_agent(source.agent)
    if source.base_url is not None and source.model is None:
        raise Misconfigured("goes with --model only", field="base_url")
    from deskmate.runners.faq import FaqAgent, FaqLibrary, encoder_of

    library = None if source.faq is None else FaqLibrary.load(source.faq, encoder=encoder_of(settings.embeddings))
    if source.model is not None:
        from deskmate.runners.pydantic_ai import model_agent

        return model_agent(source.model, library=library, name=AGENT_NAME, base_url=source.base_url)
    return FaqAgent(library or FaqLibrary([]), name=AGENT_NAME)


def _own_agent(path: str) -> "AnyAgent":
    found: Any = load(path, "agent")
    if hasattr(found, "run") and hasattr(found, "provider_names"):
        return found
    from pydantic_ai.agent import AbstractAgent

    if not isinstance(found, AbstractAgent):
        raise Misconfigured(f"{path} is a {type(found).__name__}, not an agent", field="agent")
    return found  # pyright: ignore[reportUnknownVariableType]


def load(path: str, field: str) -> object:
    """`module:name` as an object; modules of the current folder come first. Raises Misconfigured, naming the field."""
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise Misconfigured(f"is written MODULE:NAME, like support:{field}, not {path!r}", field=field)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    found: object = _module(module_name, field)
    for step in name.split("."):
        try:
            found = getattr(found, step)
        except AttributeError:
            raise Misconfigured(f"the module {module_name} has no {name!r}", field=field) from None
    return found


def _module(name: str, field: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise Misconfigured(f"there is no module {error.name!r}, here or installed", field=field) from None
        raise Misconfigured(f"the module {name} needs {error.name}, which is not installed", field=field) from None
    except DeskmateError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename}, line {frame.lineno}"
        raise Misconfigured(f"the module {name} fails: {type(error).__name__}: {error} ({where})", field=field) from error
