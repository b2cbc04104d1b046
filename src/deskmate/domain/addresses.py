"""Addresses of other machines: which of them a desk may be sent to by somebody who writes a URL."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP = 0x5EFE
_OWN = (IPv6Network("fc00::/7"), IPv6Network("::1/128"))


def refusal(text: str, *, private: bool) -> str | None:
    """Why nothing is sent to this address; None where it may be. With `private`, those of one's own networks and machine are
    let through. Link-local ones never are: that is where clouds keep the credentials of their machines.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "is no address"
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return "is link-local"
        inner = embedded(address)
        if inner is not None:
            # Which machine such an address ends at is decided by the one inside it.
            return _refusal4(inner, private=private)
        return _refusal6(address, private=private)
    return _refusal4(address, private=private)


def embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, compatible, 6to4, Teredo, NAT64 or ISATAP."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFFFFFF
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and low > 1):
        return IPv4Address(low)
    if (int(address) >> 32) & 0xFFFF == _ISATAP and (int(address) >> 48) & 0xFDFF == 0:
        return IPv4Address(low)
    return None


def _refusal4(address: IPv4Address, *, private: bool) -> str | None:
    never = _never(address)
    if never is not None:
        return never
    if address.is_loopback or not address.is_global:
        return None if private and (address.is_private or address.is_loopback) else "is private"
    return None


def _refusal6(address: IPv6Address, *, private: bool) -> str | None:
    if any(address in network for network in _OWN):
        return None if private else "is private"
    never = _never(address)
    if never is not None:
        return never
    return None if address in _GLOBAL_UNICAST and address.is_global else "is not of the public internet"


def _never(address: Address) -> str | None:
    if address.is_unspecified or (isinstance(address, IPv4Address) and int(address) >> 24 == 0):
        return "is no machine's"
    if address.is_link_local or (isinstance(address, IPv6Address) and address.is_site_local):
        return "is link-local"
    if address.is_multicast:
        return "is multicast"
    return "is reserved" if address.is_reserved else None
