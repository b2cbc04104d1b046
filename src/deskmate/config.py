"""Settings: what an installation is told by its environment (DESKMATE_*), read once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from types import MappingProxyType
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from deskmate.errors import Misconfigured

T = TypeVar("T")
Synchronous = Literal["full", "normal", "off"]
ModeName = Literal["auto", "review", "off"]
LogLevel = Literal["debug", "info", "warning", "error"]
_SYNCHRONOUS: Mapping[str, Synchronous] = {"full": "full", "normal": "normal", "off": "off"}
_LOG_LEVELS: Mapping[str, LogLevel] = {"debug": "debug", "info": "info", "warning": "warning", "error": "error"}
_MODES: Mapping[str, ModeName] = {"auto": "auto", "review": "review", "off": "off"}
_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Secrets, and the store's URL, which may hold a password, stay out of the repr."""

    store: str = field(default="sqlite:///deskmate.db", repr=False)
    """DESKMATE_STORE: `sqlite:///file`, `sqlite:////absolute/file` or `postgresql://...`."""
    admin_key: str | None = field(default=None, repr=False)
    """DESKMATE_ADMIN_KEY: a key that may do all an admin may."""
    host: str = "127.0.0.1"
    """DESKMATE_HOST: the address to listen on."""
    port: int = 8000
    """DESKMATE_PORT: the port to listen on; 0 takes a free one."""
    rate_limits: bool = True
    """DESKMATE_RATE_LIMITS: `off` switches rate limits off."""
    insecure_cookies: bool = False
    """DESKMATE_INSECURE_COOKIES: `on` lets operators sign in over plain HTTP from other machines."""
    customer_jwt_secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType[str, str]({}), repr=False)
    """DESKMATE_CUSTOMER_JWT_SECRETS: `kid=secret,kid=secret`; HS256 secrets of at least 32 bytes that sign customers' tokens."""
    lease_seconds: float = 15.0
    """DESKMATE_LEASE_SECONDS: how long a run or a job of a process that died stays with it; renewed three times as often."""
    max_body_bytes: int = 4 * 1024 * 1024
    """DESKMATE_MAX_BODY_BYTES: the largest request body; files have a limit of their own."""
    sqlite_synchronous: Synchronous = "full"
    """DESKMATE_SQLITE_SYNCHRONOUS: `full` (acknowledged means on disk), `normal` or `off`."""
    allowed_origins: tuple[str, ...] = ()
    """DESKMATE_ALLOWED_ORIGINS: `https://shop.example,https://...`; sites whose pages may use /api/chat."""
    log_level: LogLevel = "info"
    """DESKMATE_LOG_LEVEL: `debug`, `info`, `warning` or `error`."""
    mode: ModeName = "auto"
    """DESKMATE_MODE: how far the AI may go on new threads: `auto` (it answers first), `review` (it drafts) or `off`."""
    copilot: bool = False
    """DESKMATE_COPILOT: `on` has the AI suggest, as notes, what to say on threads that operators hold."""
    away_seconds: int = 600
    """DESKMATE_AWAY_SECONDS: an available operator who gives no sign of life for so long is away; 0 leaves them available."""
    idle_seconds: int = 60
    """DESKMATE_IDLE_SECONDS: an operator who does nothing on a thread for so long is not at work on it."""
    list_prices: bool = True
    """DESKMATE_LIST_PRICES: `off` leaves tokens without a price of your own unpriced; else it is what providers ask everybody."""
    embeddings: str = "auto"
    """DESKMATE_EMBEDDINGS: `auto` (the model of the extra, where it is installed), `off`, a folder, `https://host/v1#model`."""
    embeddings_key: str | None = field(default=None, repr=False)
    """DESKMATE_EMBEDDINGS_KEY: the key of that endpoint."""
    files: str | None = field(default=None, repr=False)
    """DESKMATE_FILES: where the contents of files are kept: `file:///folder`, `s3://bucket/folder`; without it, in the store."""
    public_url: str | None = None
    """DESKMATE_PUBLIC_URL: where people find this desk, for the links in mails: `https://desk.example`."""
    webhooks_private: bool = False
    """DESKMATE_WEBHOOKS_PRIVATE: `on` lets admins make webhooks that may lead to this machine and to private networks."""
    slack_token: str | None = field(default=None, repr=False)
    """DESKMATE_SLACK_TOKEN: the bot token of a Slack app (`xoxb-...`)."""
    slack_signing_secret: str | None = field(default=None, repr=False)
    """DESKMATE_SLACK_SIGNING_SECRET: by which Slack signs what people click."""
    slack_channel: str | None = None
    """DESKMATE_SLACK_CHANNEL: the id of the channel that is told of requests."""
    slack_url: str = "https://slack.com/api/"
    """DESKMATE_SLACK_URL: where Slack's Web API is."""
    smtp_url: str | None = field(default=None, repr=False)
    """DESKMATE_SMTP_URL: where mail is handed in: `smtp://user:password@host:587` or `smtps://...`; else none is sent."""
    mail_from: str = "Deskmate <deskmate@localhost>"
    """DESKMATE_MAIL_FROM: the sender of mails: `Support <desk@shop.example>`."""
    moderation_url: str | None = None
    """DESKMATE_MODERATION_URL: where a moderation model answers, as OpenAI's servers do: `http://localhost:8001/v1`."""
    moderation_model: str | None = None
    """DESKMATE_MODERATION_MODEL: what the moderation model is called there: `llama-guard3`."""
    moderation_key: str | None = field(default=None, repr=False)
    """DESKMATE_MODERATION_KEY: the key of that server, where it wants one."""
    moderation_seconds: int = 5
    """DESKMATE_MODERATION_SECONDS: how long a verdict may take; after that there is none."""

    @property
    def away_after(self) -> timedelta | None:
        """How long people may be silent before they are away; None where they never are."""
        return timedelta(seconds=self.away_seconds) if self.away_seconds else None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read DESKMATE_* variables; an empty one counts as not set. Raises Misconfigured, naming the variable."""
        base = cls()

        def read(variable: str, parse: Callable[[str, str], T], default: T) -> T:
            text = env.get(variable, "").strip()
            return parse(variable, text) if text else default

        return cls(
            store=read("DESKMATE_STORE", _text, base.store),
            admin_key=read("DESKMATE_ADMIN_KEY", _text, None),
            host=read("DESKMATE_HOST", _text, base.host),
            port=read("DESKMATE_PORT", _number(0, 65535), base.port),
            rate_limits=read("DESKMATE_RATE_LIMITS", _one_of(_SWITCH), base.rate_limits),
            insecure_cookies=read("DESKMATE_INSECURE_COOKIES", _one_of(_SWITCH), base.insecure_cookies),
            customer_jwt_secrets=read("DESKMATE_CUSTOMER_JWT_SECRETS", _secrets, base.customer_jwt_secrets),
            lease_seconds=read("DESKMATE_LEASE_SECONDS", _number(1, 3600), base.lease_seconds),
            max_body_bytes=read("DESKMATE_MAX_BODY_BYTES", _number(1024, 1024**3), base.max_body_bytes),
            sqlite_synchronous=read("DESKMATE_SQLITE_SYNCHRONOUS", _one_of(_SYNCHRONOUS), base.sqlite_synchronous),
            allowed_origins=read("DESKMATE_ALLOWED_ORIGINS", _origins, base.allowed_origins),
            log_level=read("DESKMATE_LOG_LEVEL", _one_of(_LOG_LEVELS), base.log_level),
            mode=read("DESKMATE_MODE", _one_of(_MODES), base.mode),
            copilot=read("DESKMATE_COPILOT", _one_of(_SWITCH), base.copilot),
            away_seconds=read("DESKMATE_AWAY_SECONDS", _number(0, 86400), base.away_seconds),
            idle_seconds=read("DESKMATE_IDLE_SECONDS", _number(5, 3600), base.idle_seconds),
            list_prices=read("DESKMATE_LIST_PRICES", _one_of(_SWITCH), base.list_prices),
            embeddings=read("DESKMATE_EMBEDDINGS", _text, base.embeddings),
            embeddings_key=read("DESKMATE_EMBEDDINGS_KEY", _text, None),
            files=read("DESKMATE_FILES", _url, None),
            public_url=read("DESKMATE_PUBLIC_URL", _address, None),
            webhooks_private=read("DESKMATE_WEBHOOKS_PRIVATE", _one_of(_SWITCH), base.webhooks_private),
            slack_token=read("DESKMATE_SLACK_TOKEN", _text, None),
            slack_signing_secret=read("DESKMATE_SLACK_SIGNING_SECRET", _text, None),
            slack_channel=read("DESKMATE_SLACK_CHANNEL", _text, None),
            slack_url=read("DESKMATE_SLACK_URL", _slack, base.slack_url),
            smtp_url=read("DESKMATE_SMTP_URL", _smtp, None),
            mail_from=read("DESKMATE_MAIL_FROM", _sender, base.mail_from),
            moderation_url=read("DESKMATE_MODERATION_URL", _endpoint, None),
            moderation_model=read("DESKMATE_MODERATION_MODEL", _text, None),
            moderation_key=read("DESKMATE_MODERATION_KEY", _header, None),
            moderation_seconds=read("DESKMATE_MODERATION_SECONDS", _number(1, 120), base.moderation_seconds),
        )


def _text(_variable: str, text: str) -> str:
    return text


def _header(variable: str, text: str) -> str:
    # It is a secret, so it stays out of the message.
    if not (text.isascii() and text.isprintable()):
        raise Misconfigured(f"{variable} must have only printable characters of ASCII", field=variable)
    return text


def _url(variable: str, text: str) -> str:
    # It may hold a password, so it stays out of the message.
    protocol, path = text.partition("://")[::2]
    if not protocol or not path:
        raise Misconfigured(f"{variable} must be a URL like file:///folder or s3://bucket/folder", field=variable)
    return text


def _slack(variable: str, text: str) -> str:
    problem = Misconfigured(f"{variable} must be an address like https://slack.com/api/, not {text!r}", field=variable)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise problem from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise problem
    return text if text.endswith("/") else f"{text}/"


def _endpoint(variable: str, text: str) -> str:
    # Whoever puts a key into it by mistake does not find it in a log.
    problem = Misconfigured(f"{variable} must be an address like http://localhost:8001/v1", field=variable)
    try:
        return _slack(variable, text).rstrip("/")
    except Misconfigured:
        raise problem from None


def _smtp(variable: str, text: str) -> str:
    # It may hold a password, so it stays out of the message.
    problem = Misconfigured(f"{variable} must be like smtp://user:password@host:587, or smtps://host", field=variable)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise problem from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise problem
    return text


def _sender(variable: str, text: str) -> str:
    _, address = parseaddr(text)
    local, _, host = address.rpartition("@")
    if not local or not host or not text.isprintable():
        raise Misconfigured(f"{variable} must be like Support <desk@shop.example>, not {text!r}", field=variable)
    return text


def _address(variable: str, text: str) -> str:
    try:
        return _origin(variable, text)
    except Misconfigured:
        raise Misconfigured(f"{variable} must be like https://desk.example, not {text!r}", field=variable) from None


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def parse(variable: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
            raise Misconfigured(f"{variable} must be a whole number from {least} to {most}, not {text!r}", field=variable)
        return int(text)

    return parse


def _one_of(choices: Mapping[str, T]) -> Callable[[str, str], T]:
    def parse(variable: str, text: str) -> T:
        if text.lower() not in choices:
            raise Misconfigured(f"{variable} must be one of {', '.join(choices)}, not {text!r}", field=variable)
        return choices[text.lower()]

    return parse


def _secrets(variable: str, text: str) -> Mapping[str, str]:
    # The value itself never goes into the message: it would end up in a log.
    found: dict[str, str] = {}
    for entry in _listed(text):
        kid, _, secret = entry.partition("=")
        if not kid or not secret or kid in found:
            raise Misconfigured(f"{variable} must be kid=secret,kid=secret, each kid once", field=variable)
        if len(secret.encode()) < SECRET_BYTES:
            raise Misconfigured(f"{variable}: the secret of {kid} is shorter than {SECRET_BYTES} bytes", field=variable)
        found[kid] = secret
    return MappingProxyType(found)


def _origins(variable: str, text: str) -> tuple[str, ...]:
    return tuple(_origin(variable, entry) for entry in _listed(text))


def _origin(variable: str, text: str) -> str:
    problem = Misconfigured(f"{variable} must list origins like https://shop.example, not {text!r}", field=variable)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise problem from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    ):
        raise problem
    return f"{parts.scheme}://{parts.netloc}".lower()


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]
