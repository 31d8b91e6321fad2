"""Keys, and no keyless service beyond loopback."""

import socket

import click
import pytest

from mkt_models.serving.access import (
    Access,
    is_loopback,
    refuse_open_command,
    refuse_open_socket,
)

KEYED = Access.from_environment({"MKT_API_KEY": "old-key, new-key"})
KEYLESS = Access.from_environment({})


def test_any_of_the_keys_opens_in_either_header() -> None:
    for key in (b"old-key", b"new-key"):
        assert KEYED.opens([(b"x-api-key", key)])
        assert KEYED.opens([(b"Authorization", b"Bearer " + key)])
        assert KEYED.opens([(b"authorization", b"bearer  " + key)])


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"old-key, new-key")],
        [(b"x-api-key", b"OLD-KEY")],
        [(b"x-api-key", b"\xff\xfe")],
        [(b"authorization", b"old-key")],
        [(b"authorization", b"Basic old-key")],
        [(b"cookie", b"old-key")],
    ],
)
def test_nothing_else_opens(headers: list[tuple[bytes, bytes]]) -> None:
    assert not KEYED.opens(headers)


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_blanks_are_no_keys(value: str) -> None:
    access = Access.from_environment({"MKT_API_KEY": value})
    assert access.keyless
    assert not access.opens([(b"x-api-key", b"")])


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("::ffff:10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback(host: str | None, local: bool) -> None:
    assert is_loopback(host) is local


def test_a_command_that_would_open_the_service_ends() -> None:
    @click.command()
    @click.option("--host")
    def start(host: str | None) -> None:
        refuse_open_command(KEYLESS)
        refuse_open_command(KEYED)

    for allowed in ([], ["--host", "127.0.0.1"], ["--host", "::1"]):
        start.main(allowed, standalone_mode=False)
    with pytest.raises(SystemExit, match=r"refuses to listen on 0\.0\.0\.0.*MKT_API_KEY"):
        start.main(["--host", "0.0.0.0"], standalone_mode=False)


@pytest.mark.parametrize(("host", "refused"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_worker_looks_at_the_socket_that_it_was_handed(host: str, refused: bool) -> None:
    with socket.socket() as listening:
        listening.bind((host, 0))
        arguments = ["worker", "--fd", str(listening.fileno()), "--backlog", "8"]
        refuse_open_socket(KEYED, arguments)
        if refused:
            with pytest.raises(SystemExit, match="refuses to listen"):
                refuse_open_socket(KEYLESS, arguments)
        else:
            refuse_open_socket(KEYLESS, arguments)
        assert listening.getsockname()[0] == host
