"""The rulebook: which model the rules of each kind of policy have, and how what people write is read."""

from collections.abc import Mapping

from pydantic import ValidationError

from deskmate.domain.limits import Limit
from deskmate.domain.policies import Kind, Rules
from deskmate.domain.rates import Rate
from deskmate.domain.sla import Sla
from deskmate.errors import Invalid, NotFound

MODELS: Mapping[Kind, type[Rules]] = {
    Kind.LIMIT: Limit,
    Kind.SLA: Sla,
    Kind.RATE: Rate,
}


def kind_of(given: str) -> Kind:
    """Raises NotFound."""
    if given not in MODELS:
        raise NotFound(f"a policy is one of {', '.join(MODELS)}", field="kind")
    return Kind(given)


def rules_of(kind: Kind, given: object) -> Rules:
    """Read the rules of a policy. Raises Invalid, naming the place, such as `rules.targets.resolution.seconds`."""
    try:
        return MODELS[kind].model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(["rules", *(str(step) for step in first["loc"])])
        raise Invalid(first["msg"].removeprefix("Value error, "), field=place) from None
