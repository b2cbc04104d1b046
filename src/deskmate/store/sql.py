"""Statements by name: the SQL of a noun lives in `store/sql/NOUN.sql`, one text for both engines unless an engine needs its own.

-- name: lock
-- The thread, for the rest of this transaction.
SELECT * FROM threads WHERE id = :id;

-- name: lock (postgresql)
-- The same, with the row locked.
SELECT * FROM threads WHERE id = :id FOR UPDATE;
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import Literal

Engine = Literal["sqlite", "postgresql"]

_HEADING = re.compile(r"^-- name: *(?P<name>[a-z_]\w*)(?: *\((?P<engine>sqlite|postgresql)\))? *$", re.MULTILINE)
_TOKEN = re.compile(
    r"""
    (?P<text>'(?:[^']|'')*' | "(?:[^"]|"")*")     # a literal, or a quoted name
  | (?P<comment>--[^\n]* | /\*.*?\*/)
  | (?P<cast>::)
  | (?<![\w:]):(?P<parameter>[a-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement as its engine's driver wants it."""

    name: str
    text: str
    parameters: frozenset[str]

    def missing(self, params: Mapping[str, object]) -> TypeError | None:
        """The error to raise when parameters are missing; None when none is."""
        absent = sorted(self.parameters - params.keys())
        return TypeError(f"Statement {self.name} needs the parameter {', '.join(absent)}.") if absent else None


class UnknownStatement(LookupError):
    """There is no statement of this name."""


class Statements(dict[str, Statement]):
    """All statements of one engine, by `noun.name`."""

    def __missing__(self, name: str) -> Statement:
        close = get_close_matches(name, self, n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        noun = name.partition(".")[0]
        raise UnknownStatement(f"There is no statement {name!r} in store/sql/{noun}.sql.{hint}")


@functools.cache
def statements(engine: Engine) -> Statements:
    """The statements of the package for this engine; read once."""
    found = Statements()
    for file in sorted(files("deskmate.store").joinpath("sql").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            found.update((item.name, item) for item in parse(file.name[:-4], file.read_text(encoding="utf-8"), engine))
    return found


def parse(noun: str, source: str, engine: Engine) -> Iterator[Statement]:
    """The statements of one file. Raises ValueError for a file that breaks the rules of this house."""
    texts: dict[str, dict[str | None, str]] = {}
    headings = list(_HEADING.finditer(source))
    for heading, end in zip(headings, [*(h.start() for h in headings[1:]), len(source)], strict=True):
        name, wanted, text = heading["name"], heading["engine"], source[heading.end() : end].strip()
        if not text.startswith("-- "):
            raise ValueError(f"store/sql/{noun}.sql: the line after `-- name: {name}` must be a comment that says what it does")
        if texts.setdefault(name, {}).setdefault(wanted, text) is not text:
            raise ValueError(f"store/sql/{noun}.sql: {name} is there twice")
    for name, variants in texts.items():
        text = variants.get(engine) or variants.get(None)
        if text is not None:
            yield _statement(f"{noun}.{name}", text, engine)


def _statement(name: str, text: str, engine: Engine) -> Statement:
    parameters: set[str] = set()

    def driver_token(match: re.Match[str]) -> str:
        if match["comment"]:
            return ""
        if match["parameter"] is None:
            return _escaped(match[0], engine)
        parameters.add(match["parameter"])
        return match[0] if engine == "sqlite" else f"%({match['parameter']})s"

    pieces: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        pieces += (_escaped(text[position : match.start()], engine), driver_token(match))
        position = match.end()
    pieces.append(_escaped(text[position:], engine))
    lines = (line.rstrip() for line in "".join(pieces).strip().removesuffix(";").splitlines())
    return Statement(name=name, text="\n".join(line for line in lines if line), parameters=frozenset(parameters))


def _escaped(text: str, engine: Engine) -> str:
    """Psycopg reads a percent sign as the start of a parameter, also inside literals."""
    return text.replace("%", "%%") if engine == "postgresql" else text
