"""Embedders: what turns texts into vectors, as DESKMATE_EMBEDDINGS says: a model on this machine, or an endpoint."""

from urllib.parse import urlsplit

from deskmate.classifiers.encoder import encoder_of, is_endpoint
from deskmate.classifiers.endpoint import Endpoint
from deskmate.domain.scoring import Embedder
from deskmate.errors import Misconfigured

_FIELD = "embeddings"


def embedder_of(setting: str, key: str | None = None) -> Embedder | None:
    """The embedder of a setting, or none.

    `off` is none; `auto` the model of `deskmate[embeddings]`, where it is installed; `https://host/v1#model` a server that speaks
    OpenAI's embeddings, with a `key` where it wants one; anything else a folder with a model. Raises Misconfigured.
    """
    if not is_endpoint(setting):
        return encoder_of(setting)
    url, model = _parts(setting)
    return Endpoint(url, model, key=key)


def _parts(setting: str) -> tuple[str, str]:
    problem = Misconfigured("An endpoint must be like https://host/v1#name-of-the-model", field=_FIELD)
    try:
        parts = urlsplit(setting)
        _ = parts.port
    except ValueError:
        raise problem from None
    # A name and a password in an address would end up in messages and in the names of models.
    if not parts.hostname or "@" in parts.netloc or parts.query or not parts.fragment.strip() or not setting.isprintable():
        raise problem
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", parts.fragment.strip()
