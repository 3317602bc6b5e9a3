"""Asterisk: its manager interface without I/O, recordings told again, and plans that it carries out."""

from unique_account.adapters.asterisk.ami import Decoder, Greeting, InvalidAction, Malformed, Message, encode
from unique_account.adapters.asterisk.dialplan import render
from unique_account.adapters.asterisk.harmless import NotForDialplan
from unique_account.adapters.asterisk.installed import plans
from unique_account.adapters.asterisk.login import MANAGER_PORT, ManagerLogin
from unique_account.adapters.asterisk.manager import manager, manager_secret
from unique_account.adapters.asterisk.pbx import AsteriskPbx
from unique_account.adapters.asterisk.pjsip import (
    Secrets,
    Trunk,
    WebSocket,
    completed,
    endpoints,
    pjsip,
    read_secrets,
    secrets_text,
)
from unique_account.adapters.asterisk.plan_entries import entries
from unique_account.adapters.asterisk.replay import Step, json_line, replay
from unique_account.adapters.asterisk.translation import Heard, Translation, Untranslatable

__all__ = [
    "MANAGER_PORT",
    "AsteriskPbx",
    "Decoder",
    "Greeting",
    "Heard",
    "InvalidAction",
    "Malformed",
    "ManagerLogin",
    "Message",
    "NotForDialplan",
    "Secrets",
    "Step",
    "Translation",
    "Trunk",
    "Untranslatable",
    "WebSocket",
    "completed",
    "encode",
    "endpoints",
    "entries",
    "json_line",
    "manager",
    "manager_secret",
    "pjsip",
    "plans",
    "read_secrets",
    "render",
    "replay",
    "secrets_text",
]
