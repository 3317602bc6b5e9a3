"""A live connection to Asterisk's manager interface: actions with their answers, and the stream of the rest.

One task reads. The answer to an action goes to the caller that gave it, by ``ActionID``. Everything else
waits, in the order of the node, until it is taken from `Connection.stream`. Where too much waits, nothing
more is read, so that the node has to wait as well; but never while an action is unanswered, since the code
that handles the stream gives actions. An action that is not answered in time fails. If the node sends nothing
else either, it hangs, and that ends the connection, as a ping without an answer does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Any, Final

from unique_account.adapters.asterisk.ami.codec import Decoder, encode
from unique_account.adapters.asterisk.ami.message import Greeting, Item, Malformed, Message
from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.ports.pbx import NodeDown

ANSWERS_WITHIN: Final = 5.0
"""How many seconds an action may take; a list, for each of its items."""

PING_EVERY: Final = 5.0
"""After how many seconds the node is asked whether it is still there."""

REST_WITHIN: Final = 1.0
"""How many seconds the rest of an event that was cut may take; Asterisk writes an event at once."""

ENOUGH_WAITING: Final = 10_000
"""How many messages may wait before nothing more is read."""

TOO_MUCH_WAITING: Final = 100_000
"""With how many messages waiting the connection is given up, though actions are unanswered."""

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
    """One connection; made, and logged in, by `unique_account.adapters.asterisk.ami.login.connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = token_hex(16)  # so that no stranger can pose as an answer
        self._reader = reader
        self._decoder = Decoder(own=self._name)
        self._cut: bytes | None = None
        self._rest_due: float | None = None
        self._writer = writer
        self._unwritten: list[bytes] = []
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._lists: dict[str, list[Message]] = {}
        self._expected: dict[asyncio.Future[Message], Callable[[Message], bool]] = {}
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
            Unreachable: The connection is lost, or there was no response in time.
            InvalidAction: A header cannot be written.
        """
        return await self.start(action, *headers)()

    def start(self, action: str, *headers: tuple[str, str]) -> Callable[[], Awaitable[Message]]:
        """Give an action at once, before any that is given later.

        Returns:
            Awaits its response, as `act` does and with the same errors.

        Raises:
            Unreachable: The connection is lost.
            InvalidAction: A header cannot be written.
        """
        return partial(self._answered, action, self._write(action, headers))

    async def collect(self, action: str, *headers: tuple[str, str]) -> list[Message]:
        """Carry out an action that is answered with a list.

        Returns:
            The events of the list, without the one that completes it.

        Raises:
            ActionRefused: The response is an error.
            Unreachable: The connection is lost, or the list was not complete in time.
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
            Unreachable: The connection is lost.
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

    def _unanswered(self, action: str) -> Unreachable:
        """The error of an action that was not answered in time; a node that hangs is lost."""
        error = Unreachable(f"{action} was not answered within {ANSWERS_WITHIN:g} s")
        if asyncio.get_running_loop().time() - self._last_read < ANSWERS_WITHIN:
            return error
        self._lose(error)
        return NodeDown(str(error))

    async def _in_time(self, number: str) -> Message:
        """Await an answer."""
        answer = self._answers[number]
        if number in self._lists:
            return await _growing(answer, self._lists[number])
        # Half the price of `asyncio.timeout`, and every hint pays it.
        timer = asyncio.get_running_loop().call_later(ANSWERS_WITHIN, _expire, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    def _write(self, action: str, headers: tuple[tuple[str, str], ...]) -> str:
        if self._lost is not None:
            raise NodeDown(str(self._lost))
        number = f"{self._name}-{next(self._numbers)}"
        encoded = encode(action, ("ActionID", number), *headers)
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unwritten.append(encoded)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._room.set()
        return number

    def _flush(self) -> None:
        """Write what was given since the last time, at once: a system call costs as much as the action."""
        if self._unwritten:
            self._writer.write(b"".join(self._unwritten))
            self._unwritten.clear()

    # -- reading -------------------------------------------------------------------------------------

    async def stream(self) -> AsyncIterator[Message | Malformed]:
        """What answers no action, in the order of the node.

        Raises:
            Unreachable: The connection is lost, and all that came before was taken.
        """
        while True:
            while self._waiting:
                yield self._waiting.popleft()
                if len(self._waiting) < ENOUGH_WAITING:
                    self._room.set()
            if self._lost is not None:
                raise Unreachable(str(self._lost))
            self._news.clear()
            await self._news.wait()

    async def _keep(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one of the connection's own tasks, which fails when the connection is lost."""
        try:
            await task()
        except OSError as error:
            self._lose(error if isinstance(error, ConnectionError) else Unreachable(str(error)))

    async def _read(self) -> None:
        while True:
            for item in await self._received():
                if not isinstance(item, Greeting):
                    self._take(item)
            while len(self._waiting) >= ENOUGH_WAITING and not (self._answers or self._expected):
                self._room.clear()
                await self._room.wait()
            if len(self._waiting) >= TOO_MUCH_WAITING:
                raise Unreachable(f"{len(self._waiting)} messages wait to be handled")

    async def _received(self) -> list[Item]:
        """What the next bytes complete, or what was kept behind an event whose rest does not come."""
        cut, now = self._decoder.cut, asyncio.get_running_loop().time
        if cut is not self._cut:
            self._cut, self._rest_due = cut, None if cut is None else now() + REST_WITHIN
        try:
            async with asyncio.timeout_at(self._rest_due):
                data = await self._reader.read(_CHUNK)
        except TimeoutError:
            return self._decoder.release()
        if not data:
            raise Unreachable("the node closed the connection")
        self._last_read = now()
        return self._decoder.feed(data)

    def _take(self, item: Message | Malformed) -> None:
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
                    answer.exception()  # so that nothing is logged where nobody awaits it any more
            self._news.set()

    # -- life ----------------------------------------------------------------------------------------

    def keep_alive(self) -> None:
        """Ping the node from now on; one that does not answer is lost."""
        self._tasks.append(asyncio.create_task(self._keep(self._ping)))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY)
            with suppress(ActionRefused):
                await self.act("Ping")

    async def aclose(self) -> None:
        """Close the connection; whatever waits for it fails."""
        # Before anything is awaited: the caller may be cancelled at that.
        self._flush()
        self._lose(Unreachable("the connection was closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()


async def _growing(answer: asyncio.Future[Message], items: list[Message]) -> Message:
    """Await the answer that completes a list; while the list grows, it is on its way."""
    before = -1
    while len(items) > before:
        before = len(items)
        await asyncio.wait([answer], timeout=ANSWERS_WITHIN)
        if answer.done():
            return answer.result()
    raise TimeoutError


def _expire(answer: asyncio.Future[Message]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
