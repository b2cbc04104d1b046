"""Routing: what leads have decided about who responds next, as a policy for one agent, or for all that have none (`default`)."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from deskmate.domain.policies import Rules
from deskmate.domain.safety import Unavailable
from deskmate.domain.threads import Priority

DEFAULT = "default"
"""The name of the policy of agents that have none of their own."""
MOST_RULES = 50
MOST_WORDS = 200

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Many = Annotated[tuple[Words, ...], Field(max_length=MOST_WORDS)]


class When(Rules):
    """What has to hold for a rule, all of it; of the words, tags, customers, languages and priorities that are named, one each.

    Words are found whole, whatever their case. `closed` is true outside the hours of the thread's queue.
    """

    asks_for_person: bool = False
    words: Many = ()
    tags: Many = ()
    customers: Many = ()
    languages: Many = ()
    priorities: Annotated[tuple[Priority, ...], Field(max_length=4)] = ()
    closed: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == When.model_construct():
            raise ValueError("a rule without a condition would decide everything")
        return self


class Rule(Rules):
    """Who responds when something holds: the AI (`ai`), the AI with a person who sends its words (`draft`), or people (`human`),
    in the queue that is named."""

    name: Name
    when: When
    to: Literal["ai", "draft", "human"]
    queue: Name | None = None


class SafetyGate(Rules):
    """What a moderation model is asked: the customer's words before the AI reads them, its words before the customer does.
    Without a verdict, people decide (`closed`) or the AI goes on (`open`)."""

    input: bool = True
    output: bool = True
    unavailable: Unavailable = Unavailable.CLOSED


class Classifying(Rules):
    """What judges a message before the AI answers: what was `learned` from the team's decisions, or a language model (`llm`)."""

    by: Literal["learned", "llm"] = "learned"


class Nearest(Rules):
    """People answer what is most like messages that people had to answer: the majority of so many nearest examples."""

    most: Annotated[int, Field(ge=1, le=50)] = 5


class FloorRules(Rules):
    """From which score on the AI answers alone. It is learned from checks: of what the AI answers alone at most `max_error` is
    wrong, with a certainty of 1 - `delta`. `audit_rate` is the share of messages, whatever their score, whose answer a person
    checks.

    `of` is what is compared with the floor: how sure the agent is of its answer, or what the classifier says of the message.
    Below the floor people respond (`human`), or the AI writes and a person sends (`draft`). A `fixed` floor is not learned.
    """

    of: Literal["confidence", "classifier"] = "confidence"
    max_error: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    delta: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    audit_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    below: Literal["human", "draft"] = "draft"
    fixed: float | None = None


class Routing(Rules):
    """The chain for an agent, each step optional: rules, the safety gate, a classifier, nearest examples, and the floor. The
    first that decides wins; where none does, the AI answers."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=MOST_RULES)] = ()
    safety: SafetyGate | None = None
    classifier: Classifying | None = None
    examples: Nearest | None = None
    floor: FloorRules | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.floor is not None and self.floor.of == "classifier" and self.classifier is None:
            raise ValueError("a floor of the classifier needs a classifier")
        return self
