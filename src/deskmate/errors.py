"""Everything that can go wrong, as one tree. Each error knows its code and its HTTP status.

    DeskmateError
    ├── Invalid              422  an argument is wrong; names the field
    │   ├── BadCursor        400
    │   └── Misconfigured    500  settings, command line or files of the installation
    ├── Unauthenticated      401
    ├── Forbidden            403
    ├── NotFound             404
    ├── Conflict             409
    │   ├── AlreadyDecided   409  names who and when
    │   ├── Closed           409  names the state the request was found in
    │   ├── Claimed          409  names the operator who holds it
    │   ├── EpochMoved       409  names the current holder of the thread
    │   ├── AtCapacity       409  names how much the operator holds and may hold
    │   ├── Stale            409  the customer wrote after the draft; names the newer message
    │   └── KeyReused        409  an idempotency key came back with another body
    ├── Gone                 410  a link was used, or its time is over
    ├── TooLarge             413
    ├── UnsupportedMedia     415
    ├── TooMany              429
    ├── Fenced               409  an AI write of an older epoch, or of a lost lease
    ├── Aborted              409  what a run was writing has been stopped
    ├── SaidNothing          500  an agent ended its run without a reply
    ├── GivenUp              500  processes died again and again while they worked on a run
    └── Unavailable          503  the store cannot be reached
        └── ModelFailed      503  the model of an agent did not answer

The docstring of a class is its default message.
"""

from collections.abc import Mapping
from typing import ClassVar


class DeskmateError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, *, field: str | None = None, **facts: object) -> None:
        self.message: str = message or (type(self).__doc__ or "").strip()
        self.field: str | None = field
        self.facts: Mapping[str, object] = facts
        super().__init__(self.message)


class Invalid(DeskmateError):
    """An argument is not valid."""

    code = "invalid"
    status = 422


class BadCursor(Invalid):
    """This cursor was not made by this list."""

    code = "bad_cursor"
    status = 400


class Misconfigured(Invalid):
    """The installation is not set up correctly."""

    code = "misconfigured"
    status = 500


class Unauthenticated(DeskmateError):
    """Credentials are missing or not valid."""

    code = "unauthenticated"
    status = 401


class Forbidden(DeskmateError):
    """This is not allowed for you."""

    code = "forbidden"
    status = 403


class NotFound(DeskmateError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class Conflict(DeskmateError):
    """Somebody was faster, or the state does not allow this."""

    code = "conflict"
    status = 409


class AlreadyDecided(Conflict):
    """This request has been decided already."""

    code = "already_decided"


class Closed(Conflict):
    """This request is closed."""

    code = "closed"


class Claimed(Conflict):
    """Another operator has claimed this."""

    code = "claimed"


class EpochMoved(Conflict):
    """The thread has changed hands since you looked."""

    code = "epoch_moved"


class AtCapacity(Conflict):
    """This operator holds as much as they may."""

    code = "at_capacity"


class Stale(Conflict):
    """The customer has written since this draft; send it with stale_ok, or not at all."""

    code = "stale"


class KeyReused(Conflict):
    """This idempotency key was used for another request."""

    code = "key_reused"


class Gone(DeskmateError):
    """This link was used before, or its time is over."""

    code = "gone"
    status = 410


class TooLarge(DeskmateError):
    """This is larger than the limit."""

    code = "too_large"
    status = 413


class UnsupportedMedia(DeskmateError):
    """Send application/json."""

    code = "unsupported_media_type"
    status = 415


class TooMany(DeskmateError):
    """Too many requests; try again later."""

    code = "rate_limited"
    status = 429


class Fenced(DeskmateError):
    """This run may not write any more: the thread changed hands, or the lease was lost."""

    code = "fenced"
    status = 409


class Aborted(DeskmateError):
    """What this run was writing has been stopped."""

    code = "aborted"
    status = 409


class SaidNothing(DeskmateError):
    """The agent ended its run without a reply."""

    code = "said_nothing"


class GivenUp(DeskmateError):
    """Processes died again and again while they worked on this."""

    code = "given_up"


class Unavailable(DeskmateError):
    """The store cannot be reached."""

    code = "unavailable"
    status = 503


class ModelFailed(Unavailable):
    """The agent's model did not answer."""

    code = "model_failed"
