"""Contents outside of the store: in a folder, a bucket, or any other place that fsspec knows (the extra `files`)."""

import asyncio
import os
from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote

from deskmate.errors import Misconfigured, Unavailable


class FsspecContents:
    """Contents as objects below a URL: `file:///var/lib/deskmate`, `s3://bucket/folder`, `memory://name`.

    Keys name the kind of place and not the place itself, so that a folder can be moved. Raises Misconfigured where the URL is
    none, or needs a package that is not installed; credentials are those that fsspec finds by itself.
    """

    def __init__(self, url: str) -> None:
        protocol, path = url.partition("://")[::2]
        if not protocol or not path:
            raise Misconfigured("DESKMATE_FILES must be a URL like file:///folder or s3://bucket/folder", field="DESKMATE_FILES")
        self.scheme = f"fsspec+{protocol.partition(':')[0].lower()}"
        self._files, self._root = _open(url)

    async def put(self, key: str, content: bytes) -> None:
        """See Contents. Raises Unavailable."""
        await self._do(self._put, self._path(key), content)

    async def get(self, key: str) -> bytes | None:
        """See Contents. Raises Unavailable."""
        return await self._do(self._get, self._path(key))

    async def remove(self, key: str) -> None:
        """See Contents. Raises Unavailable."""
        await self._do(self._remove, self._path(key))

    def _path(self, key: str) -> str:
        # A program may make known any key: it names nothing outside of this place.
        name = key.removeprefix(f"{self.scheme}:")
        return f"{self._root}/{quote(name, safe='').replace('.', '%2E')}"

    async def _do(self, what: Any, *arguments: object) -> Any:
        try:
            return await asyncio.to_thread(what, *arguments)
        except Exception as error:  # every kind of place fails in its own words
            raise Unavailable(f"The place of the files cannot be used: {error}.") from error

    def _put(self, path: str, content: bytes) -> None:
        with self._files.open(path, "wb") as file:
            file.write(content)
            if self.scheme == "fsspec+file":
                file.flush()
                os.fsync(file.fileno())

    def _get(self, path: str) -> bytes | None:
        try:
            return self._files.cat_file(path)
        except FileNotFoundError:
            return None

    def _remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(path)


def _open(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the folder in it."""
    try:
        from fsspec.core import url_to_fs  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    except ImportError as error:
        raise Misconfigured("DESKMATE_FILES needs fsspec: pip install 'deskmate[files]'", field="DESKMATE_FILES") from error
    try:
        options = {"auto_mkdir": True} if url.startswith("file:") else {}
        files, root = cast("tuple[Any, str]", url_to_fs(url, **options))
    except (ImportError, ValueError) as error:
        raise Misconfigured(f"DESKMATE_FILES cannot be used: {error}", field="DESKMATE_FILES") from error
    return files, root.rstrip("/")
