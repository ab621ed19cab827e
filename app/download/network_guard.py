"""Guard: the process that downloads can open connections to the site, and to nothing else.

yt-dlp follows redirects and whatever addresses a page names. An audit hook sees every lookup and every
connection of the interpreter, also those of libraries, and cannot be taken off again.
"""

from __future__ import annotations

import ipaddress
import socket
import sys

from runtime.media.links import Site

NOT_FOLLOWED = "xfactor does not connect to"


class ForbiddenError(OSError):
    """Somebody wanted to connect elsewhere."""


def confine(site: Site) -> None:
    """From now on this process reaches the site's domains over its port, and public addresses only.

    So neither a redirect nor a name that leads to this machine or its network (F03, F04) gets anywhere.
    """

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            _check_name(args[0], site)
        elif event in {"socket.connect", "socket.sendto"}:
            _check_address(args[1], site)
        elif event in {"socket.bind", "socket.listen"}:
            raise ForbiddenError(f"{NOT_FOLLOWED} a port of its own")

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


def _public(text: str) -> bool:
    try:
        ip = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:  # a name: the connection would look it up unseen
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_global


def reach(site: Site, seconds: float) -> None:
    """Open and close one connection to the site, to know at once whether there is a network.

    Raises:
        OSError: there is none, or the site cannot be reached.
    """
    host = site.page.split("/")[2].split(":")[0]
    socket.create_connection((host, site.port), timeout=seconds).close()
