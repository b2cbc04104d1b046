"""Policies over HTTP: what leads decide by name, with the schema of each kind."""

from typing import Annotated

from fastapi import APIRouter, Path

from deskmate.domain.policies import Policy
from deskmate.domain.rulebook import MODELS
from deskmate.server.api.bodies import PutPolicy
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api/policies", tags=["policies"])
Kind = Annotated[str, Path(max_length=100)]
Name = Annotated[str, Path(max_length=100)]


@router.get("/{kind}")
async def list_policies(kind: Kind, desk: TheDesk, who: Who) -> Json:
    """Every policy of a kind, and the JSON Schema of their rules."""
    found = await desk.policies.list(kind, by=who)
    schema = next(model.model_json_schema() for known, model in MODELS.items() if known == kind)
    return {"items": [_json(policy) for policy in found], "cursor": None, "schema": schema}


@router.get("/{kind}/{policy}")
async def get_policy(kind: Kind, policy: Name, desk: TheDesk, who: Who) -> Json:
    """One policy."""
    return _json(await desk.policies.get(kind, policy, by=who))


@router.put("/{kind}/{policy}")
async def put_policy(kind: Kind, policy: Name, body: PutPolicy, desk: TheDesk, who: Who) -> Json:
    """Make a policy, or put other rules in the place of its old ones."""
    return _json(await desk.policies.put(kind, policy, body.rules, by=who))


@router.delete("/{kind}/{policy}", status_code=204)
async def delete_policy(kind: Kind, policy: Name, desk: TheDesk, who: Who) -> None:
    """Forget a policy that no queue goes by."""
    await desk.policies.delete(kind, policy, by=who)


def _json(policy: Policy) -> Json:
    rules = policy.rules.model_dump(mode="json")
    return {"kind": policy.kind, "name": policy.name, "rules": rules, "changed_at": moment(policy.changed_at)}
