"""Settings from the environment: defaults, every variable, and a clear word for every bad value."""

from dataclasses import fields

import pytest

from deskmate.config import Settings
from deskmate.errors import Misconfigured

SECRET = "s" * 32


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({"DESKMATE_ADMIN_KEY": "", "DESKMATE_PORT": " "}) == Settings()


def test_every_setting_is_read_from_its_variable() -> None:
    env = {
        "DESKMATE_STORE": "sqlite:///a.db",
        "DESKMATE_ADMIN_KEY": "k",
        "DESKMATE_HOST": "::1",
        "DESKMATE_PORT": "0",
        "DESKMATE_RATE_LIMITS": "off",
        "DESKMATE_INSECURE_COOKIES": "on",
        "DESKMATE_CUSTOMER_JWT_SECRETS": f"a={SECRET}, b={SECRET}=",
        "DESKMATE_MAX_BODY_BYTES": "1024",
        "DESKMATE_SQLITE_SYNCHRONOUS": "NORMAL",
        "DESKMATE_ALLOWED_ORIGINS": "https://Shop.example/, http://localhost:3000",
        "DESKMATE_LEASE_SECONDS": "3",
        "DESKMATE_LOG_LEVEL": "debug",
        "DESKMATE_MODE": "review",
        "DESKMATE_COPILOT": "on",
        "DESKMATE_AWAY_SECONDS": "90",
        "DESKMATE_IDLE_SECONDS": "90",
        "DESKMATE_LIST_PRICES": "off",
        "DESKMATE_EMBEDDINGS": "models/small",
        "DESKMATE_EMBEDDINGS_KEY": "sk-1",
        "DESKMATE_FILES": "s3://bucket/folder",
        "DESKMATE_WEBHOOKS_PRIVATE": "on",
        "DESKMATE_SLACK_TOKEN": "xoxb-1",
        "DESKMATE_SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
        "DESKMATE_SLACK_CHANNEL": "C024BE91L",
        "DESKMATE_SLACK_URL": "https://slack-gov.com/api",
        "DESKMATE_SMTP_URL": "smtp://desk:secret@mail.example:587",
        "DESKMATE_MAIL_FROM": "Support <desk@shop.example>",
        "DESKMATE_PUBLIC_URL": "https://desk.example/",
        "DESKMATE_MODERATION_URL": "http://localhost:8001/v1/",
        "DESKMATE_MODERATION_MODEL": "llama-guard3",
        "DESKMATE_MODERATION_KEY": "sk-1",
        "DESKMATE_MODERATION_SECONDS": "2",
    }
    assert Settings.from_env(env) == Settings(
        store="sqlite:///a.db",
        admin_key="k",
        host="::1",
        port=0,
        rate_limits=False,
        insecure_cookies=True,
        customer_jwt_secrets={"a": SECRET, "b": SECRET + "="},
        lease_seconds=3,
        max_body_bytes=1024,
        sqlite_synchronous="normal",
        allowed_origins=("https://shop.example", "http://localhost:3000"),
        log_level="debug",
        mode="review",
        copilot=True,
        away_seconds=90,
        idle_seconds=90,
        list_prices=False,
        embeddings="models/small",
        embeddings_key="sk-1",
        files="s3://bucket/folder",
        public_url="https://desk.example",
        webhooks_private=True,
        slack_token="xoxb-1",
        slack_signing_secret="8f742231b10e8888abcd99yyyzzz85a5",
        slack_channel="C024BE91L",
        slack_url="https://slack-gov.com/api/",
        smtp_url="smtp://desk:secret@mail.example:587",
        mail_from="Support <desk@shop.example>",
        moderation_url="http://localhost:8001/v1",
        moderation_model="llama-guard3",
        moderation_key="sk-1",
        moderation_seconds=2,
    )
    assert {f"DESKMATE_{field.name.upper()}" for field in fields(Settings)} == env.keys()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DESKMATE_PORT", "80a"),
        ("DESKMATE_PORT", "-1"),
        ("DESKMATE_PORT", "65536"),
        ("DESKMATE_PORT", "²"),
        ("DESKMATE_RATE_LIMITS", "maybe"),
        ("DESKMATE_INSECURE_COOKIES", "2"),
        ("DESKMATE_CUSTOMER_JWT_SECRETS", "a"),
        ("DESKMATE_CUSTOMER_JWT_SECRETS", "a=short"),
        ("DESKMATE_CUSTOMER_JWT_SECRETS", f"a={SECRET},a={SECRET}"),
        ("DESKMATE_MAX_BODY_BYTES", "4MB"),
        ("DESKMATE_SQLITE_SYNCHRONOUS", "extra"),
        ("DESKMATE_ALLOWED_ORIGINS", "*"),
        ("DESKMATE_ALLOWED_ORIGINS", "https://shop.example/path"),
        ("DESKMATE_ALLOWED_ORIGINS", "https://shop.example:port"),
        ("DESKMATE_IDLE_SECONDS", "4"),
        ("DESKMATE_LIST_PRICES", "sometimes"),
        ("DESKMATE_LOG_LEVEL", "loud"),
        ("DESKMATE_FILES", "/var/lib/deskmate"),
        ("DESKMATE_FILES", "s3://"),
        ("DESKMATE_PUBLIC_URL", "desk.example"),
        ("DESKMATE_PUBLIC_URL", "https://desk.example/inbox"),
        ("DESKMATE_WEBHOOKS_PRIVATE", "some"),
        ("DESKMATE_SLACK_URL", "slack.com"),
        ("DESKMATE_SMTP_URL", "mail.example"),
        ("DESKMATE_SMTP_URL", "http://mail.example"),
        ("DESKMATE_SMTP_URL", "smtp://mail.example:port"),
        ("DESKMATE_MAIL_FROM", "Support"),
        ("DESKMATE_MAIL_FROM", "Support <desk@shop.example>\nBcc: eve@shop.example"),
        ("DESKMATE_PUBLIC_URL", "https://desk.example/path"),
        ("DESKMATE_MODERATION_URL", "localhost:8001/v1"),
        ("DESKMATE_MODERATION_URL", "https://guard.example/v1?key=1"),
        ("DESKMATE_MODERATION_KEY", "sk-1\nsk-2"),
        ("DESKMATE_MODERATION_SECONDS", "0"),
        ("DESKMATE_MODERATION_SECONDS", "0.5"),
    ],
)
def test_a_bad_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=variable) as caught:
        Settings.from_env({variable: value})
    assert caught.value.field == variable


def test_secrets_are_neither_in_the_repr_nor_in_a_complaint() -> None:
    settings = Settings(
        admin_key="hush-1", customer_jwt_secrets={"a": "hush-2"}, store="postgresql://u:hush-3@h/d", files="ftp://u:hush-4@h",
        slack_token="hush-5", slack_signing_secret="hush-6",
        smtp_url="smtp://u:hush-5@h", moderation_key="hush-7",
    )  # fmt: skip
    assert "hush" not in repr(settings)
    for variable, value in {
        "DESKMATE_CUSTOMER_JWT_SECRETS": "a=hush", "DESKMATE_SMTP_URL": "http://u:hush@h",
        "DESKMATE_MODERATION_URL": "https://u:hush@guard.example/v1", "DESKMATE_MODERATION_KEY": "hush\nhush",
    }.items():  # fmt: skip
        with pytest.raises(Misconfigured) as caught:
            Settings.from_env({variable: value})
        assert "hush" not in str(caught.value)
