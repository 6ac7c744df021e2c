import pytest
from hypothesis import given
from hypothesis import strategies as st

from wissel.infra.http.guard import Guard, Guarded
from wissel.infra.http.ports import Request, Response, Unreachable

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not Guard().permits(address, 443)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Unreachable):
        Guard().check(f"https://{host}/")


@pytest.mark.parametrize("address", ["1.1.1.1", "145.100.1.1", "2a00:1450:400e::1", "2606:4700::1111"])
def test_public_addresses_are_let_through(address: str) -> None:
    assert Guard().permits(address, 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://1.1.1.1/",
        "http://127.0.0.1:8123/",
        "http://localhost:8123/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "",
        "https://",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://exa mple.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/\n",
        "https://exämple.org/",
        "https://[::1]/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/" + "a" * 2000,
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://127.0.0.1./",
        "https://10.0.0.1.example.0x1/",
    ],
)
def test_what_is_not_a_public_https_address_is_refused(url: str) -> None:
    with pytest.raises(Unreachable):
        Guard().check(url)


def test_a_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(Unreachable) as caught:
        Guard().check("http://vault.secret-name.example:8123/marie")
    assert "secret-name" not in str(caught.value)
    assert "marie" not in str(caught.value)


def test_the_list_opens_one_address_and_one_port() -> None:
    guard = Guard({("127.0.0.1", 8123)})
    assert guard.check("http://127.0.0.1:8123/x").literal
    assert guard.permits("127.0.0.1", 8123)
    assert not guard.permits("127.0.0.1", 8124)
    assert not guard.permits("127.0.0.2", 8123)
    for url in ("http://127.0.0.1:8124/", "http://127.0.0.2:8123/", "http://127.0.0.1/"):
        with pytest.raises(Unreachable):
            guard.check(url)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_an_ipv6_coat_is_never_let_through(address: object) -> None:
    assert not Guard().permits(f"::ffff:{address}", 443)
    assert not Guard().permits(f"::{address}", 443)
    assert not Guard().permits(f"64:ff9b::{address}", 443)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_leads_to_https(text: str) -> None:
    try:
        target = Guard().check(text)
    except Unreachable:
        return
    assert target.scheme == "https"


async def test_guarded_refuses_before_anything_is_sent() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.sent: list[Request] = []

        async def send(self, request: Request) -> Response:
            self.sent.append(request)
            return Response(200, {}, b"")

    recorder = Recorder()
    http = Guarded(recorder, {("127.0.0.1", 8123)})
    with pytest.raises(Unreachable):
        await http.send(Request("GET", "http://127.0.0.1:9/"))
    assert recorder.sent == []
    assert (await http.send(Request("GET", "http://127.0.0.1:8123/"))).status == 200
