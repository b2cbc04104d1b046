"""The corpus: the files of a library and the team's own answers, as of the last version of the store."""

import asyncio

from deskmate.domain.faq import Taught, Teacher
from deskmate.runners.faq.library import FaqLibrary


class Corpus:
    """A library that learns."""

    def __init__(self, library: FaqLibrary) -> None:
        self._library = library
        self._teacher: Teacher | None = None
        self._version = 0
        self._learning: asyncio.Lock | None = None

    @property
    def library(self) -> FaqLibrary:
        """What is known at this moment."""
        return self._library

    def learn_from(self, teacher: Teacher) -> None:
        """Learn the entries of a store from now on, and forget those of another one."""
        if self._teacher != teacher and self._version:
            self._library = self._library.with_entries(())
        if self._teacher != teacher:
            self._teacher, self._version, self._learning = teacher, 0, None

    async def current(self) -> FaqLibrary:
        """The library with every entry that is in force now. It is built anew where entries have come or gone."""
        if self._teacher is None:
            return self._library
        if self._learning is None:
            self._learning = asyncio.Lock()
        async with self._learning:
            taught = await self._teacher(self._version)
            if taught is not None:
                # It takes a while where the files are many: in a thread, so that nobody else waits for it.
                await asyncio.to_thread(self._learn, taught)
            return self._library

    def _learn(self, taught: Taught) -> None:
        """The library before is given up here, in the thread: one that is still reading is waited for."""
        self._library = self._library.with_entries(taught.entries)
        self._version = taught.version
