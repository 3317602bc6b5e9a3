"""A user's UC Assistant: it looks for the owner, asks for changes, and notes what it is answered."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from lab.ports import LOOPBACK
from tests.cluster.checker.history import (
    Accepted,
    Change,
    Command,
    Frame,
    Outcome,
    Presence,
    Record,
    SessionIs,
)
from tests.cluster.schedules.members import PASSWORD, Member

HEARTBEAT: Final = 0.3
SILENT: Final = 1.2
"""After so many seconds without a frame it takes the connection for lost."""
ENTERS_WITHIN: Final = 2.5
ANSWERS_WITHIN: Final = 3.0
LOGGED_OUT: Final = 4002
BAD_TOKEN: Final = 4001
_NOT_STORED: Final = frozenset({"not_stored", "logout_not_stored"})
_marks = count(1)


class Client:
    """One user's tab, as long as `live` runs.

    Attributes:
        user: The user.
        epoch: Of the process that it is connected to; 0 while it is to none.
        account: The account as it was shown last.
        answered: When a change was acknowledged, and by the owner of which epoch.
        is_away: Whether the tab is closed for a while.
        session: Its session.
        left: The sessions that it asked to end.
        misled: The sessions with which it was connected to an owner after another one came.
    """

    def __init__(
        self,
        user: str,
        members: Sequence[Member],
        note: Callable[[Record], object],
        random: Random,
    ) -> None:
        self.user = user
        self.epoch = 0
        self.account: dict[str, Any] = {}
        self.answered: list[tuple[float, int]] = []
        self.is_away = False
        self.left: set[str] = set()
        self.misled: set[str] = set()
        self._members = list(members)
        self._note = note
        self._random = random
        self.session = ""
        self._token = ""
        self._forgets = False
        self._socket: ClientConnection | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._refs = count(1)
        self._shown: dict[str, tuple[int, int]] = {}
        self._frames = 0
        self._heard = 0.0
        self._http = httpx.AsyncClient(timeout=2.0, trust_env=False)

    @property
    def is_in(self) -> bool:
        """Whether it is logged in."""
        return self.epoch > 0

    # -- its connection ------------------------------------------------------------------------------

    async def live(self) -> None:
        """Be connected, and again whenever the connection is lost, until cancelled."""
        try:
            while True:
                for member in list(self._members):
                    if self._forgets:
                        self._token, self._forgets = "", False
                    if not self.is_away and await self._served_by(member):
                        self._members.remove(member)
                        self._members.insert(0, member)
                        break
                await asyncio.sleep(0.05)
        finally:
            await self._http.aclose()

    async def _served_by(self, member: Member) -> bool:
        """Whether a member served it, until the connection was lost."""
        if not self._token and not await self._log_in(member):
            return False
        begun, before = time.monotonic(), member.epoch
        url = f"ws://{LOOPBACK}:{member.port}/xuc/api/2.0/cti?token={self._token}"
        with suppress(OSError, TimeoutError, WebSocketException):
            async with connect(
                url, open_timeout=1.0, close_timeout=0.2, proxy=None, ping_interval=None
            ) as socket:
                if not await self._enters(socket):
                    return False
                self._is(Presence.CONNECTED)
                self._note(Accepted(session=self.session, begun=begun))
                self.epoch, self._socket = max(member.epoch, before), socket
                await self._use(socket)
                return True
        return False

    async def _log_in(self, member: Member) -> bool:
        body = {"login": self.user, "password": PASSWORD, "applicationType": "unique-account"}
        with suppress(httpx.HTTPError):
            url = f"http://{LOOPBACK}:{member.port}/xuc/api/2.0/auth/login"
            answer = await self._http.post(url, json=body)
            if answer.status_code == 200:
                self._token = answer.json()["token"]
                self.session = _session(self._token)
        return bool(self._token)

    async def _enters(self, socket: ClientConnection) -> bool:
        try:
            async with asyncio.timeout(ENTERS_WITHIN):
                async for text in socket:
                    frame = json.loads(text)
                    if frame.get("msgType") == "LoggedOn":
                        return True
                    if frame.get("msgType") == "LoggedOnError":
                        break
                await socket.wait_closed()
        except (ConnectionClosed, TimeoutError):
            pass
        if socket.close_code == BAD_TOKEN:
            self._is(Presence.LOGGED_OUT)
            self._token = ""
        return False

    async def _use(self, socket: ClientConnection) -> None:
        beating = asyncio.create_task(self._beat(socket))
        self._heard = time.monotonic()
        try:
            async for text in socket:
                self._heard = time.monotonic()
                self._take(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            beating.cancel()
            if max(member.epoch for member in self._members) > self.epoch:
                self.misled.add(self.session)
            self.epoch, self._socket = 0, None
            for answer in self._answers.values():
                answer.cancel()
            self._answers.clear()
            if socket.close_code == LOGGED_OUT:
                self._is(Presence.LOGGED_OUT)
                self._token = ""
            elif self._token:
                self._is(Presence.LOST, self._heard if self._is_silent else None)

    @property
    def _is_silent(self) -> bool:
        return time.monotonic() - self._heard >= SILENT

    async def _beat(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while not self._is_silent and not self.is_away:
                await socket.send('{"claz": "ping"}')
                await asyncio.sleep(HEARTBEAT)
        socket.transport.abort()

    def _is(self, presence: Presence, at: float | None = None) -> None:
        when = time.monotonic() if at is None else at
        self._note(SessionIs(user=self.user, session=self.session, presence=presence, at=when))

    def go_on(self) -> None:
        """Note that it is connected, at the beginning of a run."""
        if self.is_in:
            self._is(Presence.CONNECTED)

    # -- frames --------------------------------------------------------------------------------------

    def _take(self, frame: dict[str, Any]) -> None:
        kind, content = frame.get("msgType"), frame.get("ctiMessage") or {}
        if kind in ("Done", "Error"):
            answer = self._answers.pop(content.get("ref", 0), None)
            if answer is not None and not answer.done():
                answer.set_result(frame)
        elif kind == "UniqueAccount":
            self._show(self.user, frame, content)

    def _show(self, subject: str, frame: dict[str, Any], content: dict[str, Any]) -> None:
        """Show what came, unless what is shown is newer, as the page does."""
        self._frames += 1
        _, epoch, sequence = frame.get("stamp") or ("", self.epoch, self._frames)
        if (epoch, sequence) < self._shown.get(subject, (0, 0)):
            return
        self._shown[subject] = epoch, sequence
        self.account = content
        self._note(
            Frame(
                tab=f"tab of {self.user}",
                subject=subject,
                epoch=self.epoch,
                sequence=sequence,
                at=time.monotonic(),
            )
        )

    # -- what it asks for ----------------------------------------------------------------------------

    async def _ask(self, command: str, **fields: object) -> dict[str, Any] | None:
        """What a command is answered; None: nothing, or it was not even sent."""
        socket = self._socket
        if socket is None:
            return None
        ref = next(self._refs)
        self._answers[ref] = answer = asyncio.get_running_loop().create_future()
        try:
            await socket.send(json.dumps({"claz": "web", "command": command, "ref": ref, **fields}))
            async with asyncio.timeout(ANSWERS_WITHIN):
                found: dict[str, Any] = await answer
                return found
        except (ConnectionClosed, TimeoutError):
            return None
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return None
        finally:
            self._answers.pop(ref, None)

    async def forward(self) -> None:
        """Ask for a forward to a number that nobody else ever asks for."""
        if (epoch := self.epoch) == 0:
            return
        mark, begun = f"7{next(_marks):06d}", time.monotonic()
        outcome = _outcome(await self._ask("uncFwd", state=True, destination=mark))
        ended = time.monotonic()
        if outcome is Outcome.ACKNOWLEDGED:
            self.answered.append((ended, epoch))
        self._note(Change(user=self.user, mark=mark, begun=begun, ended=ended, outcome=outcome))

    async def select(self) -> None:
        """Select one of the devices."""
        await self._ask("selectDevice", device=self._random.choice(("webrtc", "deskphone")))

    async def dial(self) -> None:
        """Dial a number that nobody else ever dials."""
        if self.epoch == 0:
            return
        number, begun = f"8{next(_marks):06d}", time.monotonic()
        outcome = _outcome(await self._ask("dial", destination=number), definite=frozenset({"refused"}))
        self._note(Command(id=number, begun=begun, ended=time.monotonic(), outcome=outcome))

    async def log_out(self) -> None:
        """Log out, and try whether the token is of use after that."""
        token, session = self._token, self.session
        if not self.is_in:
            return
        self.left.add(session)
        answer = await self._ask("logout")
        if _outcome(answer) is not Outcome.ACKNOWLEDGED and self._token == token:
            return
        await asyncio.sleep(self._random.uniform(0, 1.0))
        for member in self._members:
            begun = time.monotonic()
            if await self._admits(member, token):
                self._note(Accepted(session=session, begun=begun))

    async def _admits(self, member: Member, token: str) -> bool:
        """Whether a member still takes a token."""
        url = f"ws://{LOOPBACK}:{member.port}/xuc/api/2.0/cti?token={token}"
        with suppress(OSError, TimeoutError, WebSocketException):
            async with connect(url, open_timeout=1.0, close_timeout=0.2, proxy=None) as socket:
                async with asyncio.timeout(ENTERS_WITHIN):
                    async for text in socket:
                        if json.loads(text).get("msgType") in ("LoggedOn", "LoggedOnError"):
                            return bool(json.loads(text)["msgType"] == "LoggedOn")
        return False

    async def abandon(self) -> None:
        """Close the tab for good, and open another one, which logs in."""
        self._forgets = True
        await self.go_away(0.1)

    async def go_away(self, seconds: float) -> None:
        """Close the tab, and open it again later."""
        self.is_away = True
        await asyncio.sleep(seconds)
        self.is_away = False


def _session(token: str) -> str:
    """The session of a token."""
    body = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims["sid"]


def _outcome(answer: Mapping[str, Any] | None, definite: frozenset[str] = frozenset()) -> Outcome:
    if answer is None:
        return Outcome.UNKNOWN
    if answer["msgType"] == "Done":
        return Outcome.ACKNOWLEDGED
    content = answer["ctiMessage"]
    if definite and content["Error"] not in definite:
        return Outcome.UNKNOWN
    return Outcome.UNKNOWN if content["id"] in _NOT_STORED else Outcome.REFUSED
