"""Who may ask: API keys, and no keyless service beyond the machine it runs on.

``MKT_API_KEY`` holds the key, or several separated by commas while an old one is being replaced.
Without a key the service answers on loopback only. That is checked three times, because each check
sees what the others cannot: by the command that starts the server, before a socket exists; by a
worker, from the socket that it was handed; and for every connection, from its local address.
"""

import hashlib
import hmac
import ipaddress
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

KEY_VARIABLE = "MKT_API_KEY"
_REFUSAL = (
    "mkt_models refuses to listen on {host}: without an API key it answers on this machine only. "
    f"Set {KEY_VARIABLE}, or serve with --host 127.0.0.1."
)


@dataclass(frozen=True)
class Access:
    """The keys that open the service; none means loopback only."""

    digests: tuple[bytes, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Access":
        """Read the keys; blanks between commas are no keys."""
        value = (os.environ if environment is None else environment).get(KEY_VARIABLE, "")
        keys = [key.strip() for key in value.split(",")]
        return cls(tuple(_digest(key.encode()) for key in keys if key))

    @property
    def keyless(self) -> bool:
        """Whether no key is set."""
        return not self.digests

    def opens(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request's headers carry one of the keys, compared in constant time."""
        found = False
        for key in _keys_in(headers):
            digest = _digest(key)
            for known in self.digests:
                found |= hmac.compare_digest(digest, known)
        return found


def is_loopback(host: str | None) -> bool:
    """Whether an address or name stands for this machine only; what is unknown does not.

    >>> [is_loopback(h) for h in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.7", None)]
    [True, True, True, False, False, False]
    """
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def refuse_open_command(access: Access) -> None:
    """End the command that starts a keyless server beyond loopback, before it opens a socket.

    Called in the process of ``bentoml serve``, whose host comes from its option, from
    ``BENTOML_HOST`` or from the service's own configuration.
    """
    context = click.get_current_context(silent=True)
    host = None if context is None else context.params.get("host")
    if host is not None and access.keyless and not is_loopback(str(host)):
        raise SystemExit(_REFUSAL.format(host=host))


def refuse_open_socket(access: Access, arguments: Sequence[str] | None = None) -> None:
    """End a worker that was handed the socket of a keyless server beyond loopback."""
    arguments = sys.argv if arguments is None else arguments
    if not access.keyless or "--fd" not in arguments:
        return
    number = arguments[arguments.index("--fd") + 1]
    if not number.isdigit():
        return
    with socket.socket(fileno=os.dup(int(number))) as listening:
        if listening.family == socket.AF_UNIX:
            return
        host = str(listening.getsockname()[0])
    if not is_loopback(host):
        raise SystemExit(_REFUSAL.format(host=host))


def _keys_in(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    keys = []
    for name, value in headers:
        if name.lower() == b"x-api-key":
            keys.append(value.strip())
        elif name.lower() == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                keys.append(key.strip())
    return keys


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
