"""Where webhooks may lead, as far as a URL can tell, and as far as an address can."""

import pytest

from deskmate.domain.addresses import refusal
from deskmate.domain.webhooks import check_events, check_url, next_delay
from deskmate.errors import Invalid

HOSTILE = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://017700000001/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/", "https://10.0.0.1/", "https://172.16.0.1/",
    "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://192.0.2.1/",
    "https://198.18.0.1/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/", "https://[::1]/", "https://[::]/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/", "https://[64:ff9b::127.0.0.1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1::10.0.0.1]/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", "https://[2001:db8::1]/", "https://[100::1]/", "https://[fe80::5efe:10.0.0.1]/",
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://me@shop.example/",
    "https://me:you@shop.example/", "https://shop.example@127.0.0.1/", "https://shop.example\\@127.0.0.1/", "https://shop.example:0/",
    "https://shop.example:99999/", "https://shop.example:x/", "https://", "https:///hook", "//shop.example/", "shop.example",
    "http://shop.example/", "ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/", "https://shop.example/#x",
    "https://shop .example/", "https://shop.example/\r\nx: y", "https://shop.example/\x00", "https://１２７.0.0.1/", "https://ⓛocalhost/",
    "https://-shop.example/", "https://shop..example/", "https://[127.0.0.1]/", "https://[::1", "https://%31%32%37.0.0.1/",
    "https://1.2.3.4.5/", "https://256.1.1.1/", "https://shop.0x7f/", f"https://shop.example/{'x' * 2000}",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url, private=False)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hook", "https://shop.example", "https://SHOP.example:8443/a/b?c=d&e=%20f", "https://1.1.1.1/",
        "https://[2606:4700::1111]/", "https://xn--mnchen-3ya.example/", "https://my_host.example./", "https://[64:ff9b::1.1.1.1]/",
    ],
)  # fmt: skip
def test_a_url_of_the_public_internet_is_taken(url: str) -> None:
    assert check_url(url, private=False) == url


PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.31.255.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
NEVER = [
    "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "ff02::1", "::", "::ffff:169.254.169.254",
    "fe80::1%eth0", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_ones_own_networks_are_let_through_only_where_that_was_said(address: str) -> None:
    assert refusal(address, private=True) is None
    assert refusal(address, private=False) is not None


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_let_through(address: str) -> None:
    assert refusal(address, private=True) is not None


def test_types_are_named_whole_or_by_their_beginning() -> None:
    assert check_events(["request.*", "thread.opened", "request.*"]) == ("request.*", "thread.opened")
    assert check_events(["*", "thread.opened"]) == ()
    for wrong in ("requests.*", "thread.open", ""):
        with pytest.raises(Invalid):
            check_events([wrong])


def test_attempts_are_made_over_most_of_a_day_and_come_to_an_end() -> None:
    delays = [next_delay(number, "msg_1") for number in range(1, 9)]
    assert delays[0] is not None
    assert 5 <= delays[0].total_seconds() <= 5.5
    total = sum(delay.total_seconds() for delay in delays if delay is not None)
    assert 22 * 3600 < total < 25 * 3600
    assert next_delay(9, "msg_1") is None
    assert next_delay(3, "msg_1") != next_delay(3, "msg_2")
