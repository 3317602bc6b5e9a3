"""A live connection to Asterisk's manager interface: actions with their answers, and the stream of the rest.

One task reads. What answers an action goes to whoever gave it, by ``ActionID``; everything else waits, in
the order of the node, until it is taken from `Connection.stream`. Where too much waits, nothing more is read,
so that the node has to wait as well; but never while an action is unanswered, since those who work the stream
off give actions. An action that is not answered in time fails; where the node says nothing else either, it
hangs, and that ends the connection, as a ping without an answer does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import md5
from itertools import count
from random import Random
from secrets import token_hex
from typing import Any, Final

from unique_account.adapters.asterisk.ami.codec import Decoder, Greeting, Item, Malformed, Message, encode
from unique_account.adapters.asterisk.ami.event_lists import EventLists
from unique_account.adapters.asterisk.ami.event_rest import PendingEvent
from unique_account.adapters.asterisk.ami.login import ManagerLogin
from unique_account.core.errors import UniqueAccountError
from unique_account.ports.pbx import NodeDown

CONNECTS_WITHIN: Final = 5.0
"""How many seconds it may take to connect and to log in."""

ANSWERS_WITHIN: Final = 5.0
"""How many seconds an action may take; a list, for each of its items."""

PING_EVERY: Final = 5.0
"""After how many seconds the node is asked whether it is still there."""

ENOUGH_WAITING: Final = 10_000
"""How many messages may wait before nothing more is read."""

TOO_MUCH_WAITING: Final = 100_000
"""With how many messages waiting the connection is given up, though actions are unanswered."""

LONGEST_DELAY: Final = 30.0
"""At least so often, in seconds, it is tried to connect again."""

_CHUNK: Final = 65536


class ActionRefused(UniqueAccountError):
    """Asterisk answers an action with an error.

    Attributes:
        action: The action's name.
        reason: What Asterisk says.
    """

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(action, reason)
        self.action = action
        self.reason = reason

    def __str__(self) -> str:
        return f"Asterisk refuses {self.action}: {self.reason}"


class Connection:
    """One connection, logged in; made by `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._name = token_hex(16)  # so that no stranger can pose as an answer
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._lists: dict[str, list[Message]] = {}
        self._expected: dict[asyncio.Future[Message], Callable[[Message], bool]] = {}
        self._open_lists = EventLists(self._name)
        self._waiting: deque[Message | Malformed] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._lost: ConnectionError | None = None
        self._last_read = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._keep(self._read))]

    def __repr__(self) -> str:
        state = "up" if self._lost is None else f"lost: {self._lost}"
        return f"<Connection {state}, {len(self._waiting)} messages waiting>"

    # -- asking --------------------------------------------------------------------------------------

    async def act(self, action: str, *headers: tuple[str, str]) -> Message:
        """Carry out an action.

        Returns:
            Its response, which is a success.

        Raises:
            ActionRefused: The response is an error.
            ConnectionError: The connection is lost, or there was no response in time.
            InvalidAction: A header cannot be written.
        """
        return await self._answered(action, self._write(action, headers))

    async def collect(self, action: str, *headers: tuple[str, str]) -> list[Message]:
        """Carry out an action that is answered with a list.

        Returns:
            The events of the list, without the one that completes it.

        Raises:
            ActionRefused: The response is an error.
            ConnectionError: The connection is lost, or the list was not complete in time.
        """
        number = self._write(action, headers)
        items = self._lists[number] = []
        try:
            await self._answered(action, number)
        finally:
            del self._lists[number]
        return items

    def send(self, action: str, *headers: tuple[str, str]) -> str:
        """Give an action whose response, list included, comes in its place in the stream.

        Returns:
            The ``ActionID`` that these will bear.

        Raises:
            ConnectionError: The connection is lost.
        """
        number = self._write(action, headers)
        del self._answers[number]
        return number

    @contextmanager
    def expecting(self, fits: Callable[[Message], bool]) -> Iterator[asyncio.Future[Message]]:
        """A future of the first event from now on that fits; the stream has it as well."""
        expected: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._expected[expected] = fits
        try:
            yield expected
        finally:
            del self._expected[expected]
            expected.cancel()

    async def _answered(self, action: str, number: str) -> Message:
        try:
            answer = await self._in_time(number)
        except TimeoutError:
            raise self._unanswered(action) from None
        finally:
            del self._answers[number]
        if answer.get("Response") != "Success":
            raise ActionRefused(action, answer.get("Message", "without a reason").strip())
        return answer

    def _unanswered(self, action: str) -> ConnectionError:
        """What to say of an action that was not answered in time, and of a node that hangs."""
        error = ConnectionError(f"{action} was not answered within {ANSWERS_WITHIN:g} s")
        if asyncio.get_running_loop().time() - self._last_read < ANSWERS_WITHIN:
            return error
        self._lose(error)
        return NodeDown(str(error))

    async def _in_time(self, number: str) -> Message:
        """Await an answer; while a list grows, it is on its way."""
        answer, items, before = self._answers[number], self._lists.get(number, []), -1
        while len(items) > before:
            before = len(items)
            await asyncio.wait([answer], timeout=ANSWERS_WITHIN)
            if answer.done():
                return answer.result()
        raise TimeoutError

    def _write(self, action: str, headers: tuple[tuple[str, str], ...]) -> str:
        if self._lost is not None:
            raise NodeDown(str(self._lost))
        number = f"{self._name}-{next(self._numbers)}"
        self._writer.write(encode(action, ("ActionID", number), *headers))
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._room.set()
        return number

    # -- hearing -------------------------------------------------------------------------------------

    async def stream(self) -> AsyncIterator[Message | Malformed]:
        """What nobody asked for, in the order of the node.

        Raises:
            ConnectionError: The connection is lost, and all that came before was taken.
        """
        while True:
            while self._waiting:
                yield self._waiting.popleft()
                if len(self._waiting) < ENOUGH_WAITING:
                    self._room.set()
            if self._lost is not None:
                raise ConnectionError(str(self._lost))
            self._news.clear()
            await self._news.wait()

    async def _keep(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do one of the connection's own tasks, which fails when the connection is lost."""
        try:
            await task()
        except OSError as error:
            self._lose(error if isinstance(error, ConnectionError) else ConnectionError(str(error)))

    async def _read(self) -> None:
        decoder = Decoder()
        rest = PendingEvent(decoder)
        while data := await self._received(decoder, rest):
            self._last_read = asyncio.get_running_loop().time()
            for item in decoder.feed(data):
                self._take(item)
            while len(self._waiting) >= ENOUGH_WAITING and not (self._answers or self._expected):
                self._room.clear()
                await self._room.wait()
            if len(self._waiting) >= TOO_MUCH_WAITING:
                raise ConnectionError(f"{len(self._waiting)} messages wait to be worked off")
        raise ConnectionError("the node closed the connection")

    async def _received(self, decoder: Decoder, rest: PendingEvent) -> bytes:
        """The next bytes; an event whose rest does not come in time keeps its neighbours no longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(rest.due):
                return await self._reader.read(_CHUNK)
        for item in decoder.release():
            self._take(item)
        return await self._reader.read(_CHUNK)

    def _take(self, item: Item) -> None:
        if isinstance(item, Greeting):
            return
        if isinstance(item, Message):
            item = self._open_lists.checked(item)
        if isinstance(item, Message):
            number = item.get("ActionID", "")
            if number in self._answers and self._take_answer(number, item):
                return
            for expected, fits in self._expected.items():
                if not expected.done() and fits(item):
                    expected.set_result(item)
        self._waiting.append(item)
        self._news.set()

    def _take_answer(self, number: str, message: Message) -> bool:
        """Take what answers an action; False for an event that only bears its number."""
        answer, items = self._answers[number], self._lists.get(number)
        if answer.done():
            return False
        if message.text.startswith("Response: "):
            if items is None or message.get("EventList") != "start":
                answer.set_result(message)
            return True
        if items is None:
            return False
        if message.get("EventList") == "Complete":
            answer.set_result(Message("Response: Success"))
        else:
            items.append(message)
        return True

    def _lose(self, error: ConnectionError) -> None:
        if self._lost is None:
            self._lost = error
            self._writer.close()
            for answer in (*self._answers.values(), *self._expected):
                if not answer.done():
                    answer.set_exception(NodeDown(str(error)))
                    answer.exception()  # so that one whom nobody awaits any more says nothing
            self._news.set()

    # -- life ----------------------------------------------------------------------------------------

    async def log_in(self, login: ManagerLogin, events: str) -> None:
        """Log in without sending the secret, and ask for events of some classes."""
        challenge = (await self.act("Challenge", ("AuthType", "MD5")))["Challenge"]
        key = md5(f"{challenge}{login.secret}".encode(), usedforsecurity=False).hexdigest()
        headers = (("AuthType", "MD5"), ("Username", login.username), ("Key", key), ("Events", events))
        await self.act("Login", *headers)
        self._tasks.append(asyncio.create_task(self._keep(self._ping)))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY)
            with suppress(ActionRefused):
                await self.act("Ping")

    async def aclose(self) -> None:
        """Close the connection; whoever waits for it is told that it is lost."""
        # Before anything is waited for: whoever closes may be cancelled at that.
        self._lose(ConnectionError("the connection was closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()


@asynccontextmanager
async def connect(login: ManagerLogin, events: str = "off") -> AsyncIterator[Connection]:
    """A connection that is logged in; closed when the context is left.

    Args:
        login: Where to, and as whom.
        events: The classes of events to hear, as ``manager.conf`` names them.

    Raises:
        ConnectionError: There is none within `CONNECTS_WITHIN`, or the log-in is refused.
    """
    where = f"{login.host}:{login.port}"
    try:
        async with asyncio.timeout(CONNECTS_WITHIN):
            connection = Connection(*await asyncio.open_connection(login.host, login.port))
            try:
                await connection.log_in(login, events)
            except BaseException:
                await connection.aclose()
                raise
    except ActionRefused as error:
        raise ConnectionError(f"{where}: {error}; log-in as {login.username}") from None
    except TimeoutError:
        raise ConnectionError(f"{where} did not answer within {CONNECTS_WITHIN:g} s") from None
    except OSError as error:
        raise ConnectionError(f"{where}: {error}") from error
    try:
        yield connection
    finally:
        await connection.aclose()


def delays(random: Random) -> Iterator[float]:
    """How many seconds to wait before each further attempt to connect: none at first, then longer and longer.

    Each is drawn anew, so that nodes that come back together are not all asked at once.
    """
    yield 0.0
    delay = 0.5
    while True:
        yield delay * random.uniform(0.5, 1.0)
        delay = min(2 * delay, LONGEST_DELAY)
