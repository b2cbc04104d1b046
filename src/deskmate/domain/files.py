"""Files: contents that messages carry. A file is a content under a name; messages that name it keep it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import Actor, Author
from deskmate.domain.messages import File, Part, readable
from deskmate.errors import Invalid, TooLarge

GRACE = timedelta(hours=24)
"""How long a file that no message names is kept for the message that is still to come."""
LARGEST = 25 * 1024 * 1024  # bytes
MOST_FILES = 20
"""How many files a message of a person may have."""
UNKNOWN = "application/octet-stream"
"""The media type of a content that nobody has said anything about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file. `hash` is the SHA-256 of the content in hex, or what the program that keeps the content calls it.

    `storage` says where the content is; `messages` is how many messages name the file; `touched_at` is when it was last added,
    looked for, or named by one message more or less. One that somebody gave to a `thread` is theirs (`added_by`) until a message
    names it, and its hash is of that place as well: the same content elsewhere is another file, and tells nothing of this one.
    """

    id: str
    hash: str
    storage: str
    filename: str | None = None
    media_type: str | None = None
    size: int | None = None
    messages: int = 0
    thread: str | None = None
    added_by: Author | None = None
    touched_at: datetime
    created_at: datetime


def digest(content: bytes, *place: str) -> str:
    """The hash of a content, and of the place it belongs to."""
    return hashlib.sha256(b"".join(f"{name}\0".encode() for name in place) + content).hexdigest()


def check_size(content: bytes) -> None:
    """Raise TooLarge for a content that does not belong into a conversation."""
    if len(content) > LARGEST:
        raise TooLarge(f"a file has at most {LARGEST // 1024 // 1024} MB", field="content", largest=LARGEST)


def check_text(text: str, field: str, longest: int = 1000) -> str:
    """A name of something, as it was given. Raises Invalid, naming the field."""
    if not text or len(text) > longest or readable(text) != text:
        raise Invalid(f"{field} is a text of 1 to {longest} characters", field=field)
    return text


def filename_of(name: str | None) -> str:
    """A file's name without the folders it came from; empty for none. Raises Invalid."""
    if not name:
        return ""
    return check_text(name.replace("\\", "/").rpartition("/")[2].strip() or name.strip("/\\ ") or "file", "filename", 255)


def media_type_of(text: str | None) -> str | None:
    """A media type as everybody writes it: lower case, without spaces around. Raises Invalid."""
    if text is None or not text.strip():
        return None
    return check_text(text.strip().lower(), "media_type", 255)


def added_by(file: StoredFile, actor: Actor) -> bool:
    """Whether this actor gave the file to its thread."""
    return file.added_by is not None and (file.added_by.kind, file.added_by.id) == (actor.kind, actor.id)


def shown_in(parts: Iterable[Part]) -> set[str]:
    """The files that these parts show."""
    return {part.file for part in parts if isinstance(part, File)}
