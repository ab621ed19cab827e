"""Guard: the process that downloads can open connections to the site, and to nothing else.

yt-dlp follows redirects and whatever addresses a page names. An audit hook sees every lookup,
connection and start of a process of the interpreter, also those of libraries, and cannot be taken off again.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Final

from runtime.media.links import Site

NOT_FOLLOWED: Final = "xfactor does not connect to"
#: The one program that may be started, for the site's scripts; without rights it has no files, no network.
RUNTIMES: Final = ("deno",)
_NAMES: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_STARTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.system", "os.startfile", "os.spawn", "pty.spawn"}
)
_UNICAST: Final = IPv6Network("2000::/3")
_MAPPED: Final = tuple(
    IPv6Network(n) for n in ("::ffff:0:0/96", "64:ff9b::/96")
)  # the last 32 bits are the address
_6TO4: Final = IPv6Network("2002::/16")


class ForbiddenError(OSError):
    """Somebody wanted to connect elsewhere."""


def confine(site: Site) -> None:
    """From now on this process reaches the site's domains over its port, and public addresses only.

    So neither a redirect nor a name that leads to this machine or its network (F03, F04) gets anywhere.
    """

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event in _NAMES:
            _check_name(args[0], site)
        elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            if args[1] is not None:  # None: to where it is connected
                _check_address(args[1], site)
        elif event == "socket.getnameinfo":
            _check_address(args[0], site)
        elif event in {"socket.bind", "socket.listen"}:
            raise ForbiddenError(f"{NOT_FOLLOWED} a port of its own")
        elif event in {"subprocess.Popen", "os.posix_spawn"}:
            _check_program(args[0], args[1])
        elif event in _STARTS:
            raise ForbiddenError(f"a download starts no other program ({event})")

    sys.addaudithook(watch)


def _check_name(host: object, site: Site) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = name.lower().rstrip(".")
    if not any(name == d or name.endswith(f".{d}") for d in site.domains):
        raise ForbiddenError(f"{NOT_FOLLOWED} {name[:80]}")


def _check_address(address: object, site: Site) -> None:
    if not isinstance(address, tuple):
        raise ForbiddenError(f"{NOT_FOLLOWED} a local socket")
    ip, port = str(address[0]), address[1]
    if port != site.port or not (_public(ip) or ip in site.private):
        raise ForbiddenError(f"{NOT_FOLLOWED} {ip[:60]} port {port}")


def _check_program(path: object, arguments: object) -> None:
    """Let the runtime for the site's scripts start, with no right to anything."""
    options = [str(a) for a in arguments] if isinstance(arguments, Iterable) else []
    rights = [o for o in options if o.startswith(("--allow", "-A"))]
    if PurePath(str(path)).stem not in RUNTIMES or rights:
        raise ForbiddenError(f"a download starts no other program ({str(path)[:60]})")


def _public(text: str) -> bool:
    """True for an address of the open Internet; one that carries another (NAT64, 6to4) counts as that one."""
    try:
        ip = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:  # a name: the connection would look it up unseen
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast
    if any(ip in network for network in _MAPPED):
        return _public_carried(ip, 0)
    if ip in _6TO4:
        return _public_carried(ip, 80)
    return ip in _UNICAST and ip.is_global and ip.teredo is None


def _public_carried(ip: IPv6Address, shift: int) -> bool:
    return _public(str(IPv4Address(int(ip) >> shift & 0xFFFFFFFF)))


def reach(site: Site, seconds: float) -> None:
    """Open and close one connection to the site, to know at once whether there is a network.

    Raises:
        OSError: there is none, or the site cannot be reached.
    """
    host = site.page.split("/")[2].split(":")[0]
    socket.create_connection((host, site.port), timeout=seconds).close()
