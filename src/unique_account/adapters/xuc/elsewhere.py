"""The WebSocket of a user whom another process serves, or none at the moment.

Our page is sent to the process that serves its user. Other clients know one address, so their frames are
passed through. While nobody serves the user, the socket waits for a while: a new owner is there within
seconds, and thousands of clients need not come again and again.
"""

from __future__ import annotations

import asyncio
from typing import Final

from attrs import frozen
from starlette.websockets import WebSocket

from unique_account.adapters.xuc.auth.tokens import Token
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.processes import Browsers, Processes
from unique_account.adapters.xuc.protocol.outgoing import HEARTBEAT, message
from unique_account.adapters.xuc.tab import CloseCode
from unique_account.adapters.xuc.transport.pass_through import PASSED, behind, pass_through
from unique_account.core.errors import Unreachable
from unique_account.ports.group_leases import GroupLease

WAITS: Final = 10.0
"""For how many seconds a client may wait for a process that serves its user."""

LOOK_EVERY: Final = 0.25
"""How many seconds lie between two looks."""


@frozen(weakref_slot=False)
class Elsewhere:
    """A client whose user is not served here.

    Attributes:
        hub: The users at this server.
        processes: The processes that share the users.
        socket: The client's WebSocket.
        token: The client's token.
    """

    hub: Hub
    processes: Processes
    socket: WebSocket
    token: Token

    async def serve(self) -> bool:
        """Serve the client until it is gone; True: by now, its user is served here."""
        lease = await self._awaited()
        if lease is None:
            if self.hub.serves(self.token.user):
                return True
            await self._refuse()
        elif self.token.dials and self.processes.browsers is Browsers.REDIRECT:
            await self._say_where()
            await self.socket.close(CloseCode.MOVED)
        elif PASSED in self.socket.headers:  # two processes that each take the other one for the owner
            await self._refuse()
        else:
            await self._pass_through(lease)
        return False

    async def _awaited(self) -> GroupLease | None:
        """The lease of the process that serves the user, once there is one; None: none does, or this one."""
        user, time = self.token.user, asyncio.get_running_loop().time
        until, said = time() + WAITS, time()
        if self.processes.elsewhere(user) is None and not self.hub.serves(user):
            await self._say_where()
        while (lease := self.processes.elsewhere(user)) is None and not self.hub.serves(user):
            if time() >= until:
                return None
            if time() - said >= self.processes.beat / 2:
                await self.socket.send_text(HEARTBEAT)  # so that the client sees that somebody is there
                said = time()
            await asyncio.sleep(LOOK_EVERY)
        return lease

    async def _say_where(self) -> None:
        content = self.processes.message(self.token.user)
        await self.socket.send_text(message("Processes", content))

    async def _refuse(self) -> None:
        """Say in XiVO's words that the client is not logged in, and may come back."""
        await self.socket.send_text(message("LoggedOnError", {"Error": "loggedOnFailed"}))
        await self.socket.close(CloseCode.COME_BACK)

    async def _pass_through(self, lease: GroupLease) -> None:
        def serves() -> bool:
            now = self.processes.elsewhere(self.token.user)
            return now is not None and (now.owner, now.epoch) == (lease.owner, lease.epoch)

        try:
            upstream = await behind(self.socket, lease.address)
        except Unreachable:
            await self._refuse()
        else:
            await self.socket.close(await pass_through(self.socket, upstream, serves))
