"""Asterisk: its manager interface without I/O, recordings told again, and plans that it carries out."""

from unique_account.adapters.asterisk.ami import Decoder, Greeting, InvalidAction, Malformed, Message, encode
from unique_account.adapters.asterisk.dialplan import render
from unique_account.adapters.asterisk.harmless import NotForDialplan
from unique_account.adapters.asterisk.installed import plans
from unique_account.adapters.asterisk.login import ManagerLogin
from unique_account.adapters.asterisk.pbx import AsteriskPbx
from unique_account.adapters.asterisk.plan_entries import entries
from unique_account.adapters.asterisk.replay import Step, json_line, replay
from unique_account.adapters.asterisk.translation import Heard, Translation, Untranslatable

__all__ = [
    "AsteriskPbx",
    "Decoder",
    "Greeting",
    "Heard",
    "InvalidAction",
    "Malformed",
    "ManagerLogin",
    "Message",
    "NotForDialplan",
    "Step",
    "Translation",
    "Untranslatable",
    "encode",
    "entries",
    "json_line",
    "plans",
    "render",
    "replay",
]
