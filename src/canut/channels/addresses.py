"""Which addresses a client may make us call: public ones, and only those we looked up.

A URL that a client gave is resolved once, every address it has is checked, and the request goes
to the address that was checked: a name that answers differently the second time (DNS rebinding)
gains nothing.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from canut.errors import Invalid, Unavailable

URL_LENGTH_MAX = 2_000


class Pinned(Struct, frozen=True):
    """A URL with the addresses its request may go to."""

    #: with each address in the place of the name, in the order to try them
    urls: list[str]
    #: the name and port, as the Host header says them
    host: str
    #: the name alone, for TLS
    name: str


def check_url(url: str, *, private: bool) -> None:
    """Whether the URL may be called at all, without looking the name up. Raises `Invalid`."""
    parts = _split(url)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise Invalid(
            f"{url[:100]} is not https.", mend="give an address that starts with https://"
        )
    if parts.username or parts.password:
        raise Invalid("The address holds a password.", mend="the signature proves who calls")
    address = _literal(parts.hostname or "")
    if address is not None and not private and not _public(address):
        raise Invalid(f"{parts.hostname} is not a public address.", mend="give one that is")


def pin(url: str, *, private: bool) -> Pinned:
    """Look the name up and fix the addresses. Raises `Invalid` for an address that is not public
    (unless `private`), `Unavailable` when the name is not known."""
    check_url(url, private=private)
    parts = _split(url)
    name = _ascii(parts.hostname or "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"The name {name} is not known: {error}.") from error
    addresses = [str(place[4][0]) for place in found]
    # one private address among public ones is a trap, not an oversight
    if not private and not all(_public(ipaddress.ip_address(address)) for address in addresses):
        raise Invalid(f"{name} leads to an address that is not public.")
    literals = [f"[{address}]" if ":" in address else address for address in addresses]
    urls = [parts._replace(netloc=f"{literal}:{port}").geturl() for literal in literals]
    shown = f"[{name}]" if ":" in name else name
    host = f"{shown}:{parts.port}" if parts.port else shown
    return Pinned(urls, host, name)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole or len(url) > URL_LENGTH_MAX or not url.isprintable() or " " in url:
        raise Invalid(f"{url[:100]!r} is not a web address.", mend="write https://name/path")
    return parts


def _ascii(name: str) -> str:
    """The name as DNS, TLS and HTTP write it."""
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError as error:
        raise Invalid(f"{name[:100]!r} is not the name of a host.") from error


def _literal(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        # addresses of version 4 in the clothes of version 6
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None or (inner is not None and not _public(inner)):
            return False
        # 64:ff9b::/96 is translated to version 4 on the way
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return _public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast
