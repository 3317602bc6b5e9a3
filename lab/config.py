"""The configuration of a node: small functions, each giving the text of one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

from attrs import field, frozen

from lab.ports import LOOPBACK
from lab.programs import AsteriskFiles

MODULES: Final = (
    # What others stand on.
    "res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_crypto "
    "res_security_log res_rtp_asterisk res_srtp res_http_websocket res_speech res_agi "
    "res_mwi_devstate res_manager_devicestate res_clioriginate res_musiconhold "
    # SIP.
    "res_pjproject res_pjsip res_pjsip_session res_pjsip_authenticator_digest res_pjsip_caller_id "
    "res_pjsip_dtmf_info res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user "
    "res_pjsip_outbound_publish res_pjsip_exten_state res_pjsip_header_funcs res_pjsip_logger "
    "res_pjsip_diversion res_pjsip_mwi res_pjsip_mwi_body_generator res_pjsip_nat res_pjsip_notify "
    "res_pjsip_outbound_registration res_pjsip_outbound_authenticator_digest "
    "res_pjsip_dialog_info_body_generator res_pjsip_pidf_body_generator res_pjsip_pubsub res_pjsip_refer "
    "res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp res_pjsip_transport_websocket chan_pjsip "
    # The dialplan.
    "pbx_config func_callerid func_channel func_cut func_db func_devstate func_dialplan func_extstate "
    "func_global func_groupcount func_hangupcause func_lock func_logic func_math func_md5 func_pjsip_aor "
    "func_pjsip_contact func_pjsip_endpoint func_sprintf func_strings func_timeout func_uri "
    "app_cdr app_celgenuserevent app_channelredirect app_db app_dial app_directed_pickup app_echo app_exec "
    "app_milliwatt app_originate app_playback app_playtones app_read app_senddtmf app_softhangup app_stack "
    "app_system app_transfer app_userevent app_verbose app_voicemail app_waitforcond "
    # Media.
    "bridge_builtin_features bridge_builtin_interval_features bridge_holding bridge_native_rtp bridge_simple "
    "bridge_softmix codec_alaw codec_gsm codec_resample codec_ulaw "
    "format_gsm format_pcm format_sln format_wav "
    # What is told of calls.
    "cel_manager"
)
"""The modules of a node, in their order; with all that there are its log is full of errors."""

_SILENT: Final = "ccss features musiconhold pjproject udptl"


@frozen(weakref_slot=False, kw_only=True)
class Endpoint:
    """A SIP endpoint of a node, which one phone registers as, under the endpoint's own name.

    Attributes:
        name: ``alice`` for ``PJSIP/alice``.
        password: What the phone registers with; made anew if none is given; none is asked for
            if it is empty.
        webrtc: It is a browser's, over WebSocket, and several tabs may be registered at once.
        context: Where its calls enter the dialplan.
        caller_id: The number that it calls with; its name if empty.
        options: Further lines of its section, by name.
        aor_options: Further lines of the section of its address of record.
    """

    name: str
    password: str = field(factory=lambda: token_hex(8), repr=False)
    webrtc: bool = False
    context: str = "default"
    caller_id: str = ""
    options: Mapping[str, str] = {}
    aor_options: Mapping[str, str] = {}


@frozen(weakref_slot=False, kw_only=True)
class NodePorts:
    """The ports of a node, all on loopback but those for media.

    Attributes:
        address: Its own SIP address, on loopback as well.
    """

    sip: int
    http: int
    ami: int
    media: tuple[int, int]
    address: str = LOOPBACK


def section(name: str, options: Mapping[str, str]) -> str:
    """One section of a configuration file."""
    return "\n".join([f"[{name}]", *(f"{option} = {value}" for option, value in options.items()), ""])


def asterisk_conf(files: AsteriskFiles, folder: Path) -> str:
    """Where everything is: in the node's own folder, but for what is only read."""
    own = {
        "astetcdir": "etc",
        "astvarlibdir": "lib",
        "astdbdir": "db",
        "astkeydir": "keys",
        "astagidir": "agi",
        "astspooldir": "spool",
        "astrundir": "run",
        "astlogdir": "log",
    }
    directories = {name: str(folder / place) for name, place in own.items()}
    directories |= {"astmoddir": str(files.modules), "astdatadir": str(folder / "data")}
    options = {"nocolor": "yes", "hideconnect": "yes", "systemname": folder.name}
    return section("directories", directories) + section("options", options)


def modules_conf(names: Iterable[str]) -> str:
    """The modules to load, in order, and no others."""
    return "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in names)


def logger_conf() -> str:
    """Everything but debugging into one file."""
    return section("general", {"dateformat": "%F %T.%3q"}) + section(
        "logfiles", {"full": "notice,warning,error,verbose(3),security"}
    )


def manager_conf(port: int, user: str, secret: str) -> str:
    """The manager interface, open to one user who may do everything."""
    general = {"enabled": "yes", "bindaddr": LOOPBACK, "port": str(port), "timestampevents": "yes"}
    return section("general", general) + section(
        user, {"secret": secret, "read": "all", "write": "all", "writetimeout": "5000"}
    )


def http_conf(port: int) -> str:
    """The web server, for WebSockets."""
    return section("general", {"enabled": "yes", "bindaddr": LOOPBACK, "bindport": str(port)})


def rtp_conf(ports: tuple[int, int]) -> str:
    """The ports for media; ICE without any server."""
    first, last = ports
    return section("general", {"rtpstart": str(first), "rtpend": str(last), "icesupport": "yes"})


def cel_conf() -> str:
    """Channel events of every kind, told to the manager interface."""
    return section("general", {"enable": "yes", "apps": "dial", "events": "ALL"}) + section(
        "manager", {"enabled": "yes"}
    )


def quiet() -> dict[str, str]:
    """Files that say next to nothing, and without which Asterisk logs errors or leaves modules out."""
    texts = {f"{name}.conf": section("general", {}) for name in _SILENT.split()}
    texts["acl.conf"] = ""
    texts["cdr.conf"] = section("general", {"enable": "no"})
    tones = {
        "description": "-",
        "ringcadence": "2000,4000",
        "dial": "425",
        "ring": "425/1000,0/4000",
        "busy": "425/500,0/500",
    }
    texts["indications.conf"] = section("general", {"country": "eu"}) + section("eu", tones)
    # What a phone is told, so that it answers or holds by itself.
    texts["pjsip_notify.conf"] = "".join(section(event, {"Event": event}) for event in ("talk", "hold"))
    texts["voicemail.conf"] = section("general", {"format": "wav"})
    return texts


def pjsip_conf(endpoints: Iterable[Endpoint], sip: str) -> str:
    """The transports and the endpoints."""
    # By default Asterisk refuses calls while many device states wait to be told.
    overload = {"type": "global", "taskprocessor_overload_trigger": "pjsip_only"}
    udp = {"type": "transport", "protocol": "udp", "bind": sip}
    websocket = {"type": "transport", "protocol": "ws", "bind": LOOPBACK}
    fixed = section("global", overload) + section("udp", udp) + section("ws", websocket)
    return fixed + "".join(map(_endpoint, endpoints))


def _endpoint(endpoint: Endpoint) -> str:
    name = endpoint.name
    number = endpoint.caller_id or name
    options = {
        "type": "endpoint",
        "context": endpoint.context,
        "callerid": f"{name} <{number}>",
        "disallow": "all",
        "allow": "ulaw",
        "aors": name,
        **({"auth": name} if endpoint.password else {}),
        **(_BROWSER if endpoint.webrtc else _DESKPHONE),
        **endpoint.options,
    }
    auth = {"type": "auth", "auth_type": "userpass", "username": name, "password": endpoint.password}
    aor = {"type": "aor", **(_TABS if endpoint.webrtc else _ONE_PHONE), **endpoint.aor_options}
    asked = section(name, auth) if endpoint.password else ""
    return section(name, options) + asked + section(name, aor)


_DESKPHONE: Final = {"transport": "udp", "direct_media": "no", "rtp_symmetric": "yes"}
_BROWSER: Final = {"transport": "ws", "webrtc": "yes", "dtls_auto_generate_cert": "yes"}
_ONE_PHONE: Final = {"max_contacts": "1", "remove_existing": "yes"}
# With one contact only, a second tab takes the first one's place, and leaves none when it closes.
_TABS: Final = {"max_contacts": "3", "remove_existing": "yes", "remove_unavailable": "yes"}
