"""SIP messages as text, for the parties of the lab: enough of it for one phone on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import md5
from secrets import token_hex
from typing import Final

from attrs import frozen

_PARAMETER: Final = re.compile(r'(\w+)="?([^",]*)"?')
_LINE: Final = "\r\n"


@frozen(weakref_slot=False)
class SipMessage:
    """A request or a response.

    Attributes:
        start: Its first line.
        headers: Every header with its name as it was written.
        body: What follows.
    """

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    def __getitem__(self, name: str) -> str:
        """The first value of a header; empty where there is none."""
        return next((value for header, value in self.headers if header.lower() == name.lower()), "")

    def all(self, name: str) -> tuple[tuple[str, str], ...]:
        """Every header of a name, as it was written."""
        return tuple(header for header in self.headers if header[0].lower() == name.lower())

    @property
    def method(self) -> str:
        """The method of a request; empty for a response."""
        return "" if self.start.startswith("SIP/2.0") else self.start.partition(" ")[0]

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    def __bytes__(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(self.body.encode())}", "", self.body]
        return _LINE.join(lines).encode()


def parse(data: bytes) -> SipMessage:
    """The message in a datagram."""
    head, _, body = data.decode("utf-8", "replace").partition(2 * _LINE)
    start, *lines = head.split(_LINE)
    pairs = (line.partition(":") for line in lines)
    return SipMessage(start, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)


def answer(
    request: SipMessage, status: str, tag: str, more: Iterable[tuple[str, str]] = (), body: str = ""
) -> SipMessage:
    """The response to a request, under a tag of one's own."""
    to = request["To"] if ";tag=" in request["To"] else f"{request['To']};tag={tag}"
    echoed = (*request.all("Via"), *request.all("Record-Route"), ("From", request["From"]), ("To", to))
    same = (("Call-ID", request["Call-ID"]), ("CSeq", request["CSeq"]))
    return SipMessage(f"SIP/2.0 {status}", (*echoed, *same, *more), body)


def digest(challenge: str, name: str, password: str, method: str, uri: str) -> str:
    """What answers a digest challenge."""
    asked = dict(_PARAMETER.findall(challenge))
    secret = _hash(f"{name}:{asked['realm']}:{password}")
    client, count = token_hex(8), "00000001"
    hashed = _hash(f"{secret}:{asked['nonce']}:{count}:{client}:auth:{_hash(f'{method}:{uri}')}")
    given = {"username": name, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    given |= {"response": hashed, "cnonce": client, "opaque": asked.get("opaque", "")}
    quoted = ", ".join(f'{parameter}="{value}"' for parameter, value in given.items())
    return f"Digest {quoted}, qop=auth, nc={count}, algorithm=MD5"


def _hash(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def offer(host: str, port: int, direction: str) -> str:
    """A session description of one audio stream that goes one way, or both."""
    lines = ("v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0")
    stream = (f"m=audio {port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", f"a={direction}")
    return _LINE.join((*lines, *stream, ""))
