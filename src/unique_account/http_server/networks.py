"""What is counted of addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network, ip_address


def network(address: str) -> str:
    """What is counted of an address: all of IPv4; of IPv6 the /64, since one machine has all of that."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
