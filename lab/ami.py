"""A connection to a node's manager interface, read by the project's own decoder."""

from __future__ import annotations

import asyncio
from itertools import count

from lab.journal import Journal, JournalEntry
from lab.ports import LOOPBACK
from lab.waiting import PATIENCE
from unique_account.adapters.asterisk import Decoder, Malformed, Message, encode


class Ami:
    """One logged-in connection.

    Attributes:
        journal: Every message so far.
        malformed: What could not be read, which should be nothing.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.journal: Journal[Message] = Journal("the manager interface", _shown)
        self.malformed: list[Malformed] = []
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._listening = asyncio.create_task(self._listen())

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything received so far, in order."""
        return tuple(reported.what for reported in self.journal.reported)

    async def act(self, action: str, *headers: tuple[str, str]) -> Message:
        """Carry out an action; its response, whether success or error.

        Raises:
            TimeoutError: None came within `lab.waiting.PATIENCE`.
        """
        number = str(next(self._numbers))
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._writer.write(encode(action, ("ActionID", number), *headers))
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def event(self, name: str, *, after: float = 0.0, **headers: str) -> JournalEntry[Message]:
        """The first event of this name, with these headers, that was reported at an instant or later.

        Raises:
            NeverTold: None came within `lab.waiting.PATIENCE`.
        """
        wanted = headers.items()

        def fits(message: Message) -> bool:
            return message.event == name and all(message.get(header) == value for header, value in wanted)

        described = " ".join([name, *(f"{header}={value}" for header, value in wanted)])
        return await self.journal.wait(fits, described, after=after)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def _listen(self) -> None:
        decoder = Decoder()
        while data := await self._reader.read(65536):
            for item in decoder.feed(data):
                if isinstance(item, Message):
                    self._take(item)
                elif isinstance(item, Malformed):
                    self.malformed.append(item)

    def _take(self, message: Message) -> None:
        self.journal.write(message)
        answer = self._answers.pop(message.get("ActionID", ""), None) if "Response" in message else None
        if answer is not None and not answer.done():
            answer.set_result(message)


def _shown(message: Message) -> str:
    return message.event or f"Response {message.get('Response')}"


async def connect(port: int, user: str, secret: str) -> Ami:
    """Log in to the manager interface on a port of loopback.

    Raises:
        ConnectionError: It refuses.
    """
    ami = Ami(*await asyncio.open_connection(LOOPBACK, port))
    try:
        answer = await ami.act("Login", ("Username", user), ("Secret", secret))
    except BaseException:
        await ami.close()
        raise
    if answer.get("Response") != "Success":
        await ami.close()
        raise ConnectionError(f"the manager interface refuses the login: {answer.get('Message')}")
    return ami
