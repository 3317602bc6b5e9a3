"""Mailboxes of a node: short tones as their prompts, and the messages in them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lab.sound import write_tone
from lab.waiting import until

_TONE: Final = 440
_SECONDS: Final = 0.1
_RATE: Final = 8000
_WORDS: Final = ("vm-intro", "vm-theperson", "vm-isunavail", "vm-isonphone", "vm-msgsaved", "beep")
_DIGITS: Final = tuple(f"digits/{digit}" for digit in range(10))
_SOME: Final = 1000
"""How many bytes long a message is in which anything was said."""


def write_prompts(data: Path, own: Path) -> None:
    """Make a folder of data like another one, but for its sounds, which are the prompts alone."""
    own.mkdir()
    for entry in data.iterdir():
        if entry.name != "sounds":
            (own / entry.name).symlink_to(entry)
    for name in (*_WORDS, *_DIGITS):
        prompt = own / f"sounds/en/{name}.wav"
        prompt.parent.mkdir(parents=True, exist_ok=True)
        write_tone(_TONE, prompt, seconds=_SECONDS, rate=_RATE)


async def message(node: Path, mailbox: str, folder: str) -> Path:
    """Wait until a message is in a folder of a mailbox: ``tmp`` while it is spoken, then ``INBOX``.

    Args:
        node: The folder of the node.
        mailbox: Which, e.g. ``1001@default``.
        folder: Where in it.

    Raises:
        TimeoutError: None is there within `lab.waiting.PATIENCE`.
    """
    number, _, context = mailbox.partition("@")
    place = node / f"spool/voicemail/{context}/{number}/{folder}"

    async def there() -> bool:
        return bool(_sounds(place))

    await until(there, f"a message in {place}")
    return _sounds(place)[0]


def _sounds(place: Path) -> list[Path]:
    return [file for file in place.glob("*.wav") if file.stat().st_size > _SOME]
