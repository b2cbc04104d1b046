"""The rulebook: which model the rules of each kind of policy have, and how what people write is read."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from deskmate.domain.chains import Chain
from deskmate.domain.limits import Limit
from deskmate.domain.notices import Notice
from deskmate.domain.policies import Kind, Rules
from deskmate.domain.prices import Price
from deskmate.domain.rates import Rate
from deskmate.domain.responses import Response
from deskmate.domain.routing import Routing
from deskmate.domain.sla import Sla
from deskmate.errors import Invalid, NotFound

R = TypeVar("R", bound=Rules)
MODELS: Mapping[Kind, type[Rules]] = {
    Kind.SLA: Sla,
    Kind.RESPONSE: Response,
    Kind.CHAIN: Chain,
    Kind.NOTIFICATION: Notice,
    Kind.LIMIT: Limit,
    Kind.PRICE: Price,
    Kind.RATE: Rate,
    Kind.ROUTE: Routing,
}


def kind_of(given: str) -> Kind:
    """Raises NotFound."""
    if given not in MODELS:
        raise NotFound(f"a policy is one of {', '.join(MODELS)}", field="kind")
    return Kind(given)


def rules_of(kind: Kind, given: object) -> Rules:
    """Read the rules of a policy. Raises Invalid, naming the place, such as `rules.targets.resolution.seconds`."""
    return read_as(MODELS[kind], given, "rules")


def read_as(model: type[R], given: object, root: str | None = None) -> R:
    """Read what somebody has written as a model. Raises Invalid, naming the place, below `root` where there is one."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join([*([root] if root else []), *(str(step) for step in first["loc"])])
        raise Invalid(first["msg"].removeprefix("Value error, "), field=place or None) from None
