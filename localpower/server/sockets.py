"""Where a server listens: every way in which that fails is one line, before a model is loaded."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from localpower.errors import UsageProblem, UserError
from localpower.server.settings import Access

_BACKLOG = 128
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port as a user gives them; port 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = 8080

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host == "localhost" or _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_access(address: Address, access: Access, *, insecure: bool) -> Access:
    """Who may ask at an address. Raises UsageProblem where anybody could, unless that is meant.

    Without a key the names of this machine are the only ones that a request may call the server by: else a web page
    whose name is bent to this address could ask.
    """
    for origin in access.origins:
        if not re.fullmatch(r"\*|https?://[^/\s]+", origin):
            raise UsageProblem(f"--cors takes an origin such as http://localhost:3000, or *, got {origin!r}")
    if not address.host:
        raise UsageProblem("--host is empty", "127.0.0.1 is this machine alone")
    if not address.local and not access.keys and not insecure:
        raise UsageProblem(
            f"--host {address.host} can be reached from other machines and needs a key",
            "set LOCALPOWER_API_KEY or --api-key-file, or say --insecure",
        )
    if access.keys or not address.local:
        return access
    return Access(access.keys, _LOCAL | {address.host.strip("[]")}, access.origins)


def listen(address: Address) -> socket.socket:
    """A socket that listens. Raises UserError for an address that cannot be had."""
    place = f"{address.host}:{address.port}"
    try:
        found = socket.getaddrinfo(
            address.host.strip("[]"), address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError, OverflowError):
        raise UserError(
            f"--host {address.host!r} is no address of this machine", "127.0.0.1 is this machine alone"
        ) from None
    family, kind, protocol, _, target = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(target)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise _told(error, place) from None
    return made


def _told(error: OSError, place: str) -> UserError:
    if error.errno == errno.EADDRINUSE:
        return UserError(f"{place} is in use", "another server may run there; --port chooses another")
    if error.errno in (errno.EACCES, errno.EPERM):
        return UserError(f"{place} may not be used by this user", "ports from 1024 on need no permission")
    if error.errno == errno.EADDRNOTAVAIL:
        return UserError(f"{place} is no address of this machine", "127.0.0.1 is this machine alone")
    return UserError(f"{place} cannot be listened to: {error.strerror or error}")


def url(made: socket.socket) -> str:
    """What a client on this machine calls it."""
    host, port = made.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
