"""Asterisk: its manager interface without I/O, recordings told again, and plans that it carries out."""

from unique_account.adapters.asterisk.ami.codec import (
    Decoder,
    Greeting,
    InvalidAction,
    Malformed,
    Message,
    encode,
)
from unique_account.adapters.asterisk.ami.login import MANAGER_PORT, ManagerLogin
from unique_account.adapters.asterisk.config_files.dialplan import render
from unique_account.adapters.asterisk.config_files.manager_conf import manager_secret, render_manager
from unique_account.adapters.asterisk.config_files.pjsip import (
    Secrets,
    Trunk,
    WebSocket,
    completed,
    endpoints,
    read_secrets,
    render_phones,
    secrets_text,
)
from unique_account.adapters.asterisk.dialplan_text import NotForDialplan
from unique_account.adapters.asterisk.doctor import Expected, examine
from unique_account.adapters.asterisk.exposure import exposures
from unique_account.adapters.asterisk.node.call_control import PHONES_THAT_OBEY
from unique_account.adapters.asterisk.pbx import AsteriskPbx
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.adapters.asterisk.replay import Step, json_line, replay
from unique_account.adapters.asterisk.translation.results import Heard, Untranslatable
from unique_account.adapters.asterisk.translation.translator import Translation
from unique_account.adapters.asterisk.webrtc_lines import LinesOfNode, RenderedLines

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
