"""Judging: everything that has a say in who responds, put together for one process."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from deskmate.domain.safety import Moderator
from deskmate.services import corpus, floors
from deskmate.services.corpus import Classifier, Corpus, Learner, Neighbours
from deskmate.services.course import Courses
from deskmate.services.floors import Floors
from deskmate.services.following import Reaction
from deskmate.services.judgement import Judgement
from deskmate.store.base import Store
from deskmate.store.jobs import Handler


class Judging:
    """`verbs` are the desk's, `courses` are for its runs."""

    def __init__(
        self,
        store: Store,
        agents: Mapping[str, object],
        *,
        learner: Learner,
        neighbours: Neighbours,
        classifier: Classifier | None,
        moderator: Moderator | None,
        entropy: Callable[[int], bytes],
        list_prices: bool,
    ) -> None:
        self._floors = Floors(store)
        self._corpus = Corpus(store, learner, classifier=classifier, neighbours=neighbours)
        self.verbs = Judgement(store, self._floors, self._corpus, agents)
        self.courses = Courses(store, self._corpus, moderator, entropy, list_prices=list_prices)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What does the jobs of each kind."""
        return {floors.JOB: self._floors.tend, corpus.JOB: self._corpus.tend}

    @property
    def reactions(self) -> Mapping[str, Reaction]:
        """Who acts on what happens."""
        return {"floors": self._floors.follow}

    @property
    def audits(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What looks after it from time to time."""
        return (self._floors.audit, self._corpus.audit)
