"""The Asterisk Manager Interface without I/O: bytes in, values out, and actions as bytes.

A message is a run of ``Name: value`` lines, each closed by CR LF, and a blank line after the last.
`Decoder` takes the byte stream in whatever pieces it comes and gives the same values for every way of
cutting it. What is wrong in the stream becomes a value as well, `Malformed`, so that one bad message
costs none of its neighbours; the stream goes on at the next blank line. A line without a colon is text that
continues the header above it. The module ``untrusted_text`` beside this one separates strangers' text in
an event from what Asterisk wrote: blank lines in it end no event, and headers in it are left out.
"""

from __future__ import annotations

import re
from typing import Final

from unique_account.adapters.asterisk.ami.event_layout import is_cut, is_sound, is_stamped, lacks_stamp
from unique_account.adapters.asterisk.ami.message import Greeting, Item, Malformed, Message
from unique_account.adapters.asterisk.ami.untrusted_text import settled
from unique_account.core.errors import UniqueAccountError

MAX_HEADERS: Final = 4096
"""A message with more headers is malformed, whatever its size."""

SMALLEST_LIMIT: Final = 128
"""A decoder takes messages of at least so many bytes, which leaves room for the greeting."""

LARGEST_CUT: Final = 8192
"""An event that a stranger's blank line cuts is put together again up to so many bytes."""

_EOL: Final = b"\r\n"
_EVENT: Final = b"Event: "
_BLANK: Final = b"\r\n\r\n"
_END: Final = re.compile(rb"\r\n\r\n|\r\n\n(?=Event: |Response: |Asterisk Call Manager/)")
"""The end of a message; some lists of Asterisk end with the second one."""

_PARTIAL_END: Final = len(b"\r\n\nAsterisk Call Manager/") - 1
_EXCERPT: Final = 60
_FEEDS: Final = re.compile(rb"\r\n\n+")
"""The end of a line with line feeds before the next name."""

_UNSTAMPED: Final = "it has no stamp, as all other events here have"
_BANNER: Final = re.compile(rb"(?:\r?\n)++|Asterisk Call Manager/([0-9A-Za-z.~+-]{1,64})\r\n")


class Decoder:
    """Cuts the byte stream of one connection into greetings, messages and malformed ones.

    It holds no more than one message's worth of bytes between two calls of `feed`, and takes time
    linear in the stream however finely that is cut. Bytes that are no UTF-8 come as U+FFFD.

    Inside of a list Asterisk writes nothing but the list. Texts of strangers stand there that no filter sees,
    and what an application is given may be of any length; so what is not of the list is malformed.

    Args:
        max_message: A message of more bytes than this, the blank line not counted, is malformed; one
            that never ends is reported once, and passed over without being kept.
        own: How the numbers of one's own actions begin, which strangers cannot know; the lists that answer
            them are looked after. Empty: none are.

    Raises:
        ValueError: ``max_message`` is under `SMALLEST_LIMIT`.
    """

    def __init__(self, max_message: int = 65536, *, own: str = "") -> None:
        if max_message < SMALLEST_LIMIT:
            raise ValueError(f"max_message is {max_message}; at least {SMALLEST_LIMIT} bytes")
        self._max_message = max_message
        self._own = own
        self._list_is_open = False
        self._buffer = bytearray()
        self._scanned = 0
        self._passing_over = False
        self._cut: list[bytes] = []
        self._stamps = False

    def feed(self, data: bytes) -> list[Item]:
        """The values that are complete with these further bytes of the stream."""
        items: list[Item] = []
        self._buffer += data
        if _END.search(self._buffer, self._scanned):
            *blocks, rest = _END.split(self._buffer)
            self._buffer = bytearray(rest)
            if self._passing_over:
                self._passing_over = False
                del blocks[0]
            for block in blocks:
                self._read(bytes(block), items)
        self._settle(items)
        return self._checked(items)

    @property
    def cut(self) -> bytes | None:
        """The beginning of an event that was cut, whose rest has not come; None where there is none."""
        return self._cut[0] if self._cut else None

    def release(self) -> list[Item]:
        """Wait no more for the rest of an event that was cut: what came behind it is read for itself."""
        items: list[Item] = []
        while self._cut:
            self._give_up(items)
        return self._checked(items)

    def _checked(self, items: list[Item]) -> list[Item]:
        """The items; a message that stands inside of a list, and is not of it, is malformed."""
        if not self._own:
            return items
        return [self._in_list(item) if isinstance(item, Message) else item for item in items]

    def _in_list(self, message: Message) -> Message | Malformed:
        if not message.get("ActionID", "").startswith(self._own):
            if not self._list_is_open:
                return message
            return _malformed("it stands inside of a list, and is not of it", message.text.encode(), True)
        place = message.get("EventList")
        if message.text.startswith("Response: ") or place == "Complete":
            self._list_is_open = place == "start"
        return message

    def close(self) -> list[Item]:
        """What the end of the stream leaves: a malformed message where it came inside of one."""
        items = self.release()
        rest, passing_over = bytes(self._buffer), self._passing_over
        self._buffer.clear()
        self._scanned, self._passing_over = 0, False
        if rest and not passing_over:
            items.append(_malformed("the stream ends inside of it", rest))
        return items

    def _read(self, block: bytes, items: list[Item]) -> None:
        """Read a block, unless it belongs to an event that was cut before, or is one."""
        if not self._cut and len(block) <= self._max_message and is_sound(block):
            self._stamps = True
            items.append(Message(block.decode("utf-8", "replace")))
            return
        if b"\r\n\n" in block or block.startswith((b"\r\n", b"\n", b"Asterisk")):
            block = block[_past_banners(block + _EOL, items) :]
            if len(block) <= self._max_message:
                block = _FEEDS.sub(_EOL, block)
        if not block:
            return
        self._cut.append(block)
        whole = _BLANK.join(self._cut) if len(self._cut) > 1 else block
        if not whole.startswith(_EVENT) or not is_cut(whole):
            self._cut.clear()
            self._take(whole, items)
        elif len(whole) > LARGEST_CUT:
            self._give_up(items)

    def _give_up(self, items: list[Item]) -> None:
        """Wait no more for the rest of a cut event; what came behind it is read for itself."""
        cut, *blocks = self._cut
        self._cut.clear()
        items.append(_malformed("it ends inside of a channel", cut, of_strangers=True))
        for block in blocks:
            self._read(block, items)

    def _take(self, block: bytes, items: list[Item]) -> None:
        if problem := self._problem(block):
            items.append(_malformed(problem, block))
            return
        if not block.startswith(_EVENT):  # only events hold strangers' text
            items.append(Message(block.decode("utf-8", "replace")))
            return
        text, problem = ("", _UNSTAMPED) if self._stamps and lacks_stamp(block) else settled(block)
        if problem:
            items.append(_malformed(problem, block, of_strangers=True))
        else:
            self._stamps = self._stamps or is_stamped(block)
        if text:
            items.append(Message(text))

    def _problem(self, block: bytes) -> str:
        """What keeps a block from being a message; empty for nothing."""
        if len(block) > self._max_message:
            return self._too_long()
        if block.count(_EOL) >= MAX_HEADERS:
            return f"it has more than {MAX_HEADERS} headers"
        if b"\0" in block:
            return "it holds a NUL"
        name, colon, _ = block.partition(_EOL)[0].partition(b":")
        if not colon:
            return f"line 1 has no colon: {_excerpt(name)!r}"
        return "" if name else "line 1 has no name before its colon"

    def _too_long(self) -> str:
        return f"it is longer than {self._max_message} bytes"

    def _settle(self, items: list[Item]) -> None:
        """See to what no blank line has closed yet: greetings are given, what is too long is not kept."""
        buffer = self._buffer
        if not self._passing_over:
            del buffer[: _past_banners(buffer, items)]
            if len(buffer) > self._max_message + _PARTIAL_END:
                items.append(_malformed(self._too_long(), buffer))
                self._passing_over = True
        if self._passing_over:
            del buffer[:-_PARTIAL_END]
        self._scanned = max(0, len(buffer) - _PARTIAL_END)


def _past_banners(data: bytes | bytearray, items: list[Item]) -> int:
    """Take the greetings with which the data begin; how many bytes these and the blank lines take up."""
    start = 0
    while banner := _BANNER.match(data, start):
        if banner[1] is not None:
            items.append(Greeting(banner[1].decode()))
        start = banner.end()
    return start


def _malformed(problem: str, block: bytes | bytearray, of_strangers: bool = False) -> Malformed:
    return Malformed(problem, _excerpt(block), of_strangers)


def _excerpt(block: bytes | bytearray) -> str:
    return bytes(block[:_EXCERPT]).decode("utf-8", "replace")


# -- actions -----------------------------------------------------------------------------------------


class InvalidAction(UniqueAccountError, ValueError):
    """An action cannot be written, since one of its lines would be read as something else.

    Its sentence never holds a value, which may be a secret, nor a name that cannot be written.
    """


def encode(action: str, *headers: tuple[str, str]) -> bytes:
    """The bytes of an action; a header may be given more than once, e.g. ``Variable``.

    Raises:
        InvalidAction: A line break or a NUL in a name or a value, an empty name, or one with a colon.
    """
    lines = [_line("Action", action)]
    for number, (name, value) in enumerate(headers, 1):
        if not name or name != name.strip() or _BREAKS_NAME.search(name):
            raise InvalidAction(
                f"the name of header {number} is empty, or holds a colon, a line break, a NUL or outer spaces"
            )
        lines.append(_line(name, value))
    return b"".join(lines) + _EOL


_BREAKS_NAME: Final = re.compile("[:\r\n\0]")
_BREAKS_VALUE: Final = re.compile("[\r\n\0]")


def _line(name: str, value: str) -> bytes:
    if _BREAKS_VALUE.search(value):
        raise InvalidAction(f"the value of {name} holds a line break or a NUL")
    try:
        return f"{name}: {value}\r\n".encode()
    except UnicodeEncodeError:
        # Not chained: the original error carries the whole line.
        raise InvalidAction(f"{name} holds a character that UTF-8 cannot write") from None
