"""The web proxy of the page on deployment: its text, on a real nginx, before the service and Asterisk."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import httpx
import pytest
from attrs import frozen
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from lab import sip
from lab.certificates import Certificate, self_signed
from lab.nginx import nginx
from lab.ports import LOOPBACK, port
from lab.sip import SipMessage
from tests.adapters.xuc.schema import check_event
from tests.e2e.fixtures.full_system import WEBRTC, FullSystem, full_system
from tests.event_loop import in_loop
from tests.paths import ROOT

pytestmark = pytest.mark.e2e

PAGE: Final = (ROOT / "docs/deployment.md").read_text("utf-8")
NONE: Final[Mapping[str, str]] = {}


def documented() -> str:
    """The server of the page, with the location for a media server that the page adds."""
    server, media_server = re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert server.endswith("}\n")
    return f"{server[:-2]}{media_server}}}\n"


def adapted(text: str, changes: Mapping[str, str]) -> str:
    """The text with what each installation has of its own; all that is to be changed is there."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@frozen
class Proxied:
    """The whole system behind nginx.

    Attributes:
        at: The system.
        number: The port of the proxy.
        trust: Trusts the proxy's certificate.
        folder: Where its logs are.
    """

    at: FullSystem
    number: int
    trust: ssl.SSLContext
    folder: Path

    @property
    def origin(self) -> str:
        """The origin of the page, as a browser sends it."""
        return f"https://{LOOPBACK}:{self.number}"

    def url(self, path: str) -> str:
        """The address of a WebSocket."""
        return f"wss://{LOOPBACK}:{self.number}{path}"

    def client(self) -> httpx.AsyncClient:
        """A client over TLS."""
        return httpx.AsyncClient(base_url=self.origin, verify=self.trust, trust_env=False)

    async def log_in(self) -> str:
        """Log in as the page does; returns the token."""
        async with self.client() as client:
            body = {"login": "alice", "password": "alice"}
            answer = await client.post("/xuc/api/2.0/auth/login", json=body, headers={"Origin": self.origin})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    @asynccontextmanager
    async def cti(self) -> AsyncIterator[ClientConnection]:
        """The WebSocket of a page that logs in."""
        url = self.url(f"/xuc/api/2.0/cti?token={await self.log_in()}")
        async with connect(url, ssl=self.trust, origin=_origin(self.origin), proxy=None) as socket:
            yield socket

    @property
    def logs(self) -> str:
        """Everything that the proxy logged."""
        return "".join(file.read_text("utf-8") for file in self.folder.glob("*.log"))


def _origin(text: str) -> Any:
    """An origin in the type of websockets, which is a text."""
    return text


@asynccontextmanager
async def proxied(folder: Path, changes: Mapping[str, str] = NONE) -> AsyncIterator[Proxied]:
    """The system behind nginx, which has the page's server, with some changes of its text."""
    number, certificate = port(), self_signed(folder)
    async with full_system() as at:
        text = adapted(documented(), {**_own(at, number, certificate, folder), **changes})
        at.lines.url = f"wss://{LOOPBACK}:{number}/wssip"
        trust = ssl.create_default_context(cafile=str(certificate.chain))
        async with nginx(text, folder, number):
            yield Proxied(at, number, trust, folder)


def _own(at: FullSystem, number: int, certificate: Certificate, folder: Path) -> dict[str, str]:
    """Where an installation has its ports and files, in the order in which the page names them."""
    service = at.address.removesuffix("/")
    asterisk = f"http://{LOOPBACK}:{at.pbx.ports.http}"
    return {
        "listen 443 ssl;": f"listen {LOOPBACK}:{number} ssl;",
        "/etc/ssl/pbx.example.org.pem": str(certificate.chain),
        "/etc/ssl/pbx.example.org.key": str(certificate.key),
        "/var/log/nginx/": f"{folder}/",
        "http://127.0.0.1:8090": service,
        "http://127.0.0.1:8088": asterisk,
        "http://mds1.example.org:8088": asterisk,
    }


async def reported(socket: ClientConnection, kind: str) -> Any:
    """What the next message of a kind says."""
    while True:
        frame = json.loads(await socket.recv())
        check_event(frame)
        if frame.get("msgType") == kind:
            return frame["ctiMessage"]


async def register(proxy: Proxied, path: str, password: str) -> SipMessage:
    """Register the browser's line over a WebSocket; returns the last answer."""
    me, tag, call = f"sip:{WEBRTC.name}@{LOOPBACK}", token_hex(4), token_hex(8)
    uri = f"sip:{LOOPBACK}"

    def request(number: int, *more: tuple[str, str]) -> str:
        headers = (
            ("Via", f"SIP/2.0/WSS {tag}.invalid;branch=z9hG4bK{token_hex(8)}"),
            ("Max-Forwards", "70"),
            ("From", f"<{me}>;tag={tag}"),
            ("To", f"<{me}>"),
            ("Call-ID", call),
            ("CSeq", f"{number} REGISTER"),
            ("Contact", f"<sip:{WEBRTC.name}@{tag}.invalid;transport=ws>"),
            ("Expires", "60"),
            *more,
        )
        return bytes(SipMessage(f"REGISTER {uri} SIP/2.0", headers)).decode()

    async with connect(proxy.url(path), ssl=proxy.trust, subprotocols=[_origin("sip")], proxy=None) as socket:
        await socket.send(request(1))
        challenge = await _answer(socket)
        assert challenge.status == 401
        given = sip.digest(challenge["WWW-Authenticate"], WEBRTC.name, password, "REGISTER", uri)
        await socket.send(request(2, ("Authorization", given)))
        answer = await _answer(socket)
        if answer.status == 200:
            assert WEBRTC.name in await proxy.at.pbx.cli("pjsip show contacts")
        return answer


async def _answer(socket: ClientConnection) -> SipMessage:
    """The next response; requests, such as one that qualifies a contact, are left alone."""
    while True:
        frame = await socket.recv()
        message = sip.parse(frame.encode() if isinstance(frame, str) else frame)
        if message.status:
            return message


class TestProxy:
    """A5: the documented proxy carries the page, the CTI and the browsers' SIP, over TLS."""

    @in_loop
    async def test_page_log_in_and_sip_go_through_it(self, tmp_path: Path) -> None:
        async with proxied(tmp_path) as proxy:
            async with proxy.client() as client:
                assert "<html" in (await client.get("/")).text
            async with proxy.cti() as socket:
                await reported(socket, "LoggedOn")
                await socket.send('{"claz": "web", "command": "getConfig", "objectType": "line"}')
                line = await reported(socket, "LineConfig")
                # XiVO's client makes the address of these, and knows no other path.
                assert (line["xivoIp"], line["sipPort"]) == (LOOPBACK, proxy.number)
                token = await proxy.log_in()
                registered = await register(proxy, f"/wssip?token={token}", line["password"])
                assert registered.status == 200
            for path in ("/ws", f"/wssip-mds1?token={token}"):
                assert (await register(proxy, path, WEBRTC.password)).status == 200
            assert (await register(proxy, "/wssip", "wrong")).status == 401
            assert token not in proxy.logs
            assert "GET /xuc/api/2.0/cti" in proxy.logs

    @in_loop
    async def test_another_server_may_have_the_pages(self, tmp_path: Path) -> None:
        async with proxied(tmp_path, {"location / {": "location /xuc/api/2.0/ {"}) as proxy:
            async with proxy.client() as client:
                assert (await client.get("/")).status_code == 404
            async with proxy.cti() as socket:
                await reported(socket, "LoggedOn")
            url = proxy.url(f"/xuc/api/2.0/cti?token={await proxy.log_in()}")
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, ssl=proxy.trust, origin=_origin("https://evil.example"), proxy=None)
            assert refused.value.response.status_code == 403

    @in_loop
    async def test_errors_of_the_proxy_log_no_token(self, tmp_path: Path) -> None:
        async with proxied(tmp_path) as proxy:
            token = await proxy.log_in()
            await proxy.at.pbx.kill()
            with pytest.raises(InvalidStatus):
                await connect(proxy.url(f"/wssip?token={token}"), ssl=proxy.trust, proxy=None)
            assert token not in proxy.logs
            await proxy.at.pbx.start()
