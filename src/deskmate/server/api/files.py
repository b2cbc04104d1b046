"""Files over HTTP: given to a thread as they are, and taken as downloads that no browser runs."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from deskmate.domain.files import LARGEST, UNKNOWN, StoredFile
from deskmate.errors import TooLarge
from deskmate.server.api.doors import TheDesk, Who, counted
from deskmate.server.limits import Door
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api", tags=["files"])

SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in its place: pictures that hold no program."""
_ACTIVE = re.compile(r"html|xml|svg|script|xsl|flash", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}", re.ASCII)
_BODY = {"requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("/threads/{thread}/files", status_code=201, dependencies=[counted(Door.UPLOAD)], openapi_extra=_BODY)
async def add_file(
    thread: str,
    request: Request,
    desk: TheDesk,
    who: Who,
    filename: Annotated[str | None, Query(max_length=1000)] = None,
) -> Json:
    """Give a file to a thread: the body is its content, as it is. A message of one's own names it in `files`."""
    await desk.files.check_upload(thread, by=who)
    media_type = request.headers.get("content-type")
    file = await desk.files.upload(thread, await _content(request), filename=filename, media_type=media_type, by=who)
    return _json(file)


@router.get("/files/{file}", response_class=Response)
async def get_file(file: str, desk: TheDesk, who: Who) -> Response:
    """The content, for whoever may see a message that names it, and for who gave it."""
    found = await desk.files.get(file, by=who)
    content = await desk.files.content(file, by=who)
    kind = _media_type(found)
    headers = {
        "Content-Type": kind,
        "Content-Disposition": f"{'inline' if kind in SHOWN else 'attachment'}; filename*=UTF-8''{_name(found)}",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cache-Control": "private, max-age=300",
    }
    return Response(content, headers=headers)


async def _content(request: Request) -> bytes:
    content, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= LARGEST:
            content += piece
    # Read to its end though it is too large: whoever is still sending would not hear the answer.
    if size > LARGEST:
        raise TooLarge(f"a file has at most {LARGEST // 1024 // 1024} MB", field="content", largest=LARGEST)
    return bytes(content)


def _media_type(file: StoredFile) -> str:
    """What the file is said to be, unless that is no media type, or one that a browser would run."""
    kind = (file.media_type or "").partition(";")[0].strip()
    return kind if _MEDIA_TYPE.fullmatch(kind) and not _ACTIVE.search(kind) else UNKNOWN


def _name(file: StoredFile) -> str:
    return quote(file.filename or file.id, safe="")


def _json(file: StoredFile) -> Json:
    return {
        "id": file.id,
        "thread": file.thread,
        "filename": file.filename,
        "media_type": file.media_type,
        "size": file.size,
        "created_at": moment(file.created_at),
    }
