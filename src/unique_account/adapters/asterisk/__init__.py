"""Asterisk: its manager interface without I/O, recordings told again, and plans that it carries out."""

from unique_account.adapters.asterisk.commands import PHONES_THAT_OBEY
from unique_account.adapters.asterisk.doctor import Expected, examine
from unique_account.adapters.asterisk.exposure import exposures
from unique_account.adapters.asterisk.hearing.meaning import Heard, Untranslatable
from unique_account.adapters.asterisk.hearing.replay import Step, json_line, replay
from unique_account.adapters.asterisk.hearing.translation import Translation
from unique_account.adapters.asterisk.installing.installed import plans
from unique_account.adapters.asterisk.installing.plan_entries import entries
from unique_account.adapters.asterisk.lines import LinesOfNode, RenderedLines
from unique_account.adapters.asterisk.manager.ami import (
    Decoder,
    Greeting,
    InvalidAction,
    Malformed,
    Message,
    encode,
)
from unique_account.adapters.asterisk.manager.login import MANAGER_PORT, ManagerLogin
from unique_account.adapters.asterisk.pbx import AsteriskPbx
from unique_account.adapters.asterisk.rendered.dialplan import render
from unique_account.adapters.asterisk.rendered.harmless import NotForDialplan
from unique_account.adapters.asterisk.rendered.manager_conf import manager_secret, render_manager
from unique_account.adapters.asterisk.rendered.pjsip import (
    Secrets,
    Trunk,
    WebSocket,
    completed,
    endpoints,
    read_secrets,
    render_phones,
    secrets_text,
)

__all__ = [
    "MANAGER_PORT",
    "PHONES_THAT_OBEY",
    "AsteriskPbx",
    "Decoder",
    "Expected",
    "Greeting",
    "Heard",
    "InvalidAction",
    "LinesOfNode",
    "Malformed",
    "ManagerLogin",
    "Message",
    "NotForDialplan",
    "RenderedLines",
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
    "examine",
    "exposures",
    "json_line",
    "manager_secret",
    "plans",
    "read_secrets",
    "render",
    "render_manager",
    "render_phones",
    "replay",
    "secrets_text",
]
