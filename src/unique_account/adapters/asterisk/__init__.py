"""Asterisk: its manager interface without I/O, replay of recordings, and plans that it carries out."""

from unique_account.adapters.asterisk.ami.codec import Decoder, InvalidAction, encode
from unique_account.adapters.asterisk.ami.login import MANAGER_PORT, ManagerLogin
from unique_account.adapters.asterisk.ami.message import Greeting, Malformed, Message
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
from unique_account.adapters.asterisk.fence.epoch import epoch_at_node
from unique_account.adapters.asterisk.node.call_control import CONTROLLABLE_PHONES
from unique_account.adapters.asterisk.pbx import AsteriskPbx
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.adapters.asterisk.replay import ReplayStep, json_line, replay
from unique_account.adapters.asterisk.translation.results import TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.asterisk.webrtc_lines import NodeCredentials, RenderedCredentials

__all__ = [
    "CONTROLLABLE_PHONES",
    "MANAGER_PORT",
    "AsteriskPbx",
    "Decoder",
    "Expected",
    "Greeting",
    "InvalidAction",
    "Malformed",
    "ManagerLogin",
    "Message",
    "NodeCredentials",
    "NotForDialplan",
    "RenderedCredentials",
    "ReplayStep",
    "Secrets",
    "TranslatedEvent",
    "Translator",
    "Trunk",
    "Untranslatable",
    "WebSocket",
    "completed",
    "encode",
    "endpoints",
    "entries",
    "epoch_at_node",
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
