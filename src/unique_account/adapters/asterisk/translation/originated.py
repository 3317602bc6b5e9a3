"""Local channels that a program originates, so that a user's phone rings and then dials.

The second half of such a channel calls the phone; once that is up, the first half dials the number. So the
phone's call is an outgoing one, although the phone is called.
"""

from __future__ import annotations

from attrs import evolve

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.core.account import Call, Direction

_UP = "6"


class OriginatedLocals:
    """The Local channels that began a call and whose phone is not up yet."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()

    def note(self, message: Message) -> None:
        """Note what a message says of such a channel; other messages are ignored."""
        channel = message.get("Uniqueid", "")
        if not message.get("Channel", "").startswith("Local/"):
            return
        if message.event == "Newchannel" and channel and channel == message.get("Linkedid"):
            self._waiting.add(channel)
        elif message.event == "Hangup" or message.get("ChannelState") == _UP:
            self._waiting.discard(channel)

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()

    def directed(self, call: Call) -> Call:
        """The call of a channel that is new: an outgoing one if it rings to dial."""
        return evolve(call, direction=Direction.OUTGOING) if call.linked_id in self._waiting else call
