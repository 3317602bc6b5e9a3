"""Asterisk: its manager interface without I/O, what its messages mean, and recordings told again."""

from unique_account.adapters.asterisk.ami import Decoder, Greeting, InvalidAction, Malformed, Message, encode
from unique_account.adapters.asterisk.replay import Step, json_line, replay
from unique_account.adapters.asterisk.translation import Heard, Translation, Untranslatable

__all__ = [
    "Decoder",
    "Greeting",
    "Heard",
    "InvalidAction",
    "Malformed",
    "Message",
    "Step",
    "Translation",
    "Untranslatable",
    "encode",
    "json_line",
    "replay",
]
