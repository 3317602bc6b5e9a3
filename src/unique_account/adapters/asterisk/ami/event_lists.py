"""The lists that come in a stream: inside of one, Asterisk writes nothing but the list.

Texts of strangers stand in them that no filter sees, and what an application is given may be of any length.
"""

from __future__ import annotations

from typing import Final

from unique_account.adapters.asterisk.ami.codec import Malformed, Message

_EXCERPT: Final = 60


class EventLists:
    """The lists that one's own actions ask for, one after the other.

    Args:
        name: How the numbers of these actions begin, which strangers cannot know.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_open = False

    def checked(self, message: Message) -> Message | Malformed:
        """A message; one that stands inside of a list, and is not of it, is malformed."""
        number = message.get("ActionID", "")
        if not number.startswith(self._name):
            if not self._is_open:
                return message
            problem = "it stands inside of a list, and is not of it"
            return Malformed(problem, message.text[:_EXCERPT], of_strangers=True)
        place = message.get("EventList")
        if message.text.startswith("Response: ") or place == "Complete":
            self._is_open = place == "start"
        return message
