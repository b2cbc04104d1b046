"""The command line: `deskmate serve`, `worker`, `demo` and the others. Errors are one line and an exit code."""

import sys
from collections.abc import Mapping, Sequence

from deskmate.errors import DeskmateError, Invalid

USAGE, FAILURE, INTERRUPTED = 2, 1, 130
OPTIONS: Mapping[str, str] = {
    "agent": "--agent",
    "base_url": "--base-url",
    "desk": "MODULE:DESK",
    "embeddings": "DESKMATE_EMBEDDINGS",
    "embeddings_key": "DESKMATE_EMBEDDINGS_KEY",
    "faq": "--faq",
    "file": "FILE",
    "host": "--host",
    "model": "--model",
    "out": "--out",
    "port": "--port",
    "source": "--source",
    "since": "--since",
    "store": "--store (DESKMATE_STORE)",
    "train": "--train",
    "until": "--until",
    "zone": "--zone",
    "url": "--url",
}
"""What a field of an error is called on the command line. Variables of the environment are called by their own name."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The program. Exits with 0, 1 when something failed, 2 when it was called or configured wrongly, 130 after Ctrl-C."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """The same, as a function: returns the exit code."""
    from deskmate.cli.commands import Refused, program

    try:
        return program(arguments)
    except Refused as refused:
        return _say(refused.line, refused.code)
    except DeskmateError as error:
        return _say(line_of(error), USAGE if isinstance(error, Invalid) else FAILURE)
    except KeyboardInterrupt:
        return INTERRUPTED


def line_of(error: DeskmateError) -> str:
    """An error as one line that begins with the option, or the variable, that it is about."""
    text = " ".join(error.message.split())
    about = OPTIONS.get(error.field, error.field) if error.field is not None else None
    return text if about is None or text.startswith(about) else f"{about}: {text}"


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"deskmate: {line}\n")
    return code
