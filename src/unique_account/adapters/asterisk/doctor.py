"""What a live Asterisk lacks to carry Unique Accounts, each with what to do about it (A4).

Nothing is changed but one entry of AstDB, which is written and taken away again. What the manager account
may not do is a problem like any other, and the rest is examined all the same.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.login import ManagerLogin, connect
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.config_files.manager_conf import MANAGER_FILE, READ, WRITE
from unique_account.adapters.asterisk.config_files.pjsip import PJSIP_FILE, Trunk, WebSocket, endpoint
from unique_account.adapters.asterisk.fence.manager_sessions import SHOWN_OF_NAME, manager_sessions
from unique_account.adapters.asterisk.wire_names import (
    CODE_KEY,
    CODES_CONTEXT,
    HINT_CONTEXTS,
    HINTS_CONTEXT,
    NUMBERS_CONTEXT,
)
from unique_account.core.eligibility import MediaServer, prerequisite_problems
from unique_account.core.user import User
from unique_account.ports.pbx import NodeDown

MODULES: Final = (
    "app_celgenuserevent app_channelredirect app_db app_dial app_exec app_originate app_stack "
    "app_userevent app_waitforcond cel_manager chan_pjsip func_channel func_cut func_db func_devstate "
    "func_dialplan func_logic func_md5 func_pjsip_contact func_strings pbx_config res_http_websocket "
    "res_manager_devicestate res_pjsip res_pjsip_authenticator_digest "
    "res_pjsip_dialog_info_body_generator res_pjsip_exten_state res_pjsip_header_funcs res_pjsip_mwi "
    "res_pjsip_notify res_pjsip_pidf_body_generator res_pjsip_pubsub res_pjsip_refer res_pjsip_registrar "
    "res_pjsip_sdp_rtp res_pjsip_session res_pjsip_transport_websocket res_rtp_asterisk res_srtp"
)
"""What has to be loaded, app_voicemail beside it where users have mailboxes."""

CHANNEL_EVENTS: Final = (
    "CHAN_START CHAN_END HANGUP ANSWER APP_START BRIDGE_ENTER BRIDGE_EXIT BLINDTRANSFER ATTENDEDTRANSFER "
    "PICKUP USER_DEFINED LINKEDID_END"
)
"""The channel events without which a history lacks parts (H1, H6, H7)."""


@frozen(weakref_slot=False, kw_only=True)
class Expected:
    """What a node is expected to carry.

    Attributes:
        media_server: The node's name.
        users: Those whose devices it carries.
        away: Those whose devices the other nodes carry, and whom it calls through the trunks.
        trunks: The other nodes.
        websocket: How browsers reach it.
        proxy_path: The path under which the web proxy reaches it.
        others: The other media servers.
    """

    media_server: str
    users: tuple[User, ...]
    away: tuple[User, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    websocket: WebSocket = WebSocket.WSS
    proxy_path: str = ""
    others: tuple[MediaServer, ...] = ()


async def examine(login: ManagerLogin, expected: Expected) -> tuple[str, ...]:
    """What a node lacks, a sentence each, with what to do; none if it is ready.

    Returns or raises within a time that is bounded for each question.
    """
    try:
        async with connect(login) as connection:
            return tuple([problem async for problem in _Examination(connection, login, expected)])
    except NodeDown as error:
        reason = "Asterisk stopped, or a new owner has just taken the node and ended all sessions"
        return (f"{error}: {reason} of the account; examine it again",)
    except ConnectionError as error:
        return (f"{error}; is Asterisk up, with enabled = yes in manager.conf, and {MANAGER_FILE} included?",)


class _Examination:
    """One examination of one node."""

    def __init__(self, connection: Connection, login: ManagerLogin, expected: Expected) -> None:
        self._connection = connection
        self._login = login
        self._expected = expected

    async def __aiter__(self) -> AsyncIterator[str]:
        checks: tuple[Callable[[], Awaitable[Iterable[str]]], ...] = (
            self._account,
            self._sessions,
            self._settings,
            self._modules,
            self._channel_events,
            self._prerequisites,
            self._dialplan,
            self._database,
            self._endpoints,
            self._mailboxes,
        )
        for check in checks:
            try:
                for problem in await check():
                    yield problem
            except ActionRefused as error:
                what = check.__name__.removeprefix("_")
                yield f"{what}: {error}; compare the account's rights with {MANAGER_FILE}"

    async def _command(self, command: str) -> list[str]:
        """What a command of the console prints, by lines."""
        return list((await self._connection.act("Command", ("Command", command))).all("Output"))

    async def _context(self, name: str) -> str:
        """A context of the dialplan as the console shows it; nothing if it is not there."""
        try:
            return "\n".join(await self._command(f"dialplan show {name}"))
        except ActionRefused as error:
            _expect_permission(error)
            return ""

    async def _listed(self, action: str, *headers: tuple[str, str]) -> Sequence[Message]:
        """What an action lists; nothing if there is nothing."""
        try:
            return await self._connection.collect(action, *headers)
        except ActionRefused as error:
            _expect_permission(error)
            return ()

    async def _account(self) -> list[str]:
        """Whether the manager account may read and do what the service needs."""
        shown = "\n".join(await self._command(f"manager show user {self._login.username}"))
        problems = []
        for kind, needed in (("read", READ), ("write", WRITE)):
            found = re.search(rf"{kind} perm: *(\S*)", shown)
            held = set(found[1].split(",") if found else ())
            if lacking := [one for one in needed if one not in held and "all" not in held]:
                problems.append(
                    f"the manager account {self._login.username} lacks {kind} = {','.join(lacking)}; "
                    f"add it in manager.conf, as {MANAGER_FILE} has it"
                )
        return problems

    async def _sessions(self) -> list[str]:
        """Whether a new owner of the node can log in beside an earlier one, and end that one's sessions."""
        name = self._login.username
        problems = []
        if re.search(r"allowmultiplelogin: *no", "\n".join(await self._command(f"manager show user {name}"))):
            problems.append(
                f"{name} may log in only once; set allowmultiplelogin = yes, as {MANAGER_FILE} has it"
            )
        shown = "\n".join(await self._command("core show help manager kick session"))
        if "Usage: manager kick session" not in shown:
            problems.append(
                "the console has no command manager kick session, so only one process can use the node"
            )
        await manager_sessions(self._connection, name)
        users = {line.strip() for line in await self._command("manager show users")}
        if alike := [user for user in users - {name} if user[:SHOWN_OF_NAME] == name[:SHOWN_OF_NAME]]:
            problems.append(
                f"Asterisk lists sessions of {', '.join(sorted(alike))} as those of {name}, by "
                f"{SHOWN_OF_NAME} characters, so a new owner ends them too; name it otherwise"
            )
        return problems

    async def _settings(self) -> list[str]:
        shown = "\n".join(await self._command("manager show settings"))
        if re.search(r"Timestamp events: *Yes", shown):
            return []
        return ["events have no timestamps; set timestampevents = yes in the section general of manager.conf"]

    async def _modules(self) -> list[str]:
        running = {
            line.split()[0].removesuffix(".so")
            for line in await self._command("module show")
            if " Running " in line
        }
        needed = [
            *MODULES.split(),
            *(["app_voicemail"] if any(u.mailbox for u in self._expected.users) else []),
        ]
        lacking = [name for name in needed if name not in running]
        if not lacking:
            return []
        return [f"modules are not loaded: {', '.join(lacking)}; load them in modules.conf"]

    async def _channel_events(self) -> list[str]:
        """Whether Asterisk reports what history is made from, and which calls are one on two nodes."""
        shown = await self._command("cel show status")
        if "CEL Logging: Enabled" not in shown:
            return ["channel events are off; set enable = yes and events = ALL in cel.conf"]
        problems = []
        if lacking := [one for one in CHANNEL_EVENTS.split() if f"CEL Tracking Event: {one}" not in shown]:
            problems.append(
                f"channel events are left out: {', '.join(lacking)}; set events = ALL in cel.conf"
            )
        if "CEL Tracking Application: dial" not in shown:
            problems.append("channel events leave out Dial; add dial to apps in cel.conf")
        if "CEL Event Subscriber: Manager Event Logging" not in shown:
            problems.append(
                "the manager interface sends no channel events; set enabled = yes under [manager] in cel.conf"
            )
        return problems

    async def _prerequisites(self) -> tuple[str, ...]:
        """What A4 asks of every media server."""
        wanted = self._expected.websocket
        transports = await self._command("pjsip show transports")
        http = "\n".join(await self._command("http show status"))
        rtp = "\n".join(await self._command("rtp show settings"))
        secure = "HTTPS Server Enabled and Bound" in http
        served = secure if wanted is WebSocket.WSS else "Server Enabled and Bound" in http
        server = MediaServer(
            name=self._expected.media_server,
            webrtc_transport="/ws =>" in http
            and served
            and any(re.match(rf"Transport: +\S+ +{wanted} ", line) for line in transports),
            certificate=secure or wanted is WebSocket.WS,
            ice=bool(re.search(r"ICE support: *Yes", rtp)),
            proxy_path=self._expected.proxy_path,
        )
        return prerequisite_problems(server, self._expected.others)

    async def _dialplan(self) -> list[str]:
        problems = []
        if not await self._context("unique-account"):
            return ["the dialplan lacks unique-account; include unique_account.conf in extensions.conf"]
        if CODE_KEY not in await self._context(CODES_CONTEXT):
            problems.append("the dialplan is an older one, whose codes are not believed; render it again")
        hints = "".join([await self._context(context) for context in HINT_CONTEXTS])
        for context in sorted({user.context for user in self._expected.users}):
            users = [user for user in self._expected.users if user.context == context]
            ours = f"{NUMBERS_CONTEXT}-{context}"
            doors = await self._context(ours)
            if f"'{ours}'" not in await self._context(context):
                problems.append(f"the context {context} lacks: include = {ours}; add it in extensions.conf")
            numbers = [number for user in users for number in user.numbers]
            problems += _unknown(numbers, doors, "number", f"in the dialplan of {context}")
            problems += _unknown(numbers, hints, "number", f"among the hints of {HINTS_CONTEXT}")
        return problems

    async def _database(self) -> list[str]:
        """Whether AstDB takes entries and gives them back."""
        place = (("Family", "unique_account_doctor"), ("Key", "probe"))
        try:
            await self._connection.act("DBPut", *place, ("Val", "1"))
            await self._connection.act("DBDel", *place)
        except ActionRefused as error:
            return [f"AstDB cannot be written: {error}; may Asterisk write astdb.sqlite3? Is the disk full?"]
        return []

    async def _endpoints(self) -> list[str]:
        """Whether each phone and each trunk is known, and browsers' endpoints are made for browsers."""
        known = {one["ObjectName"] for one in await self._listed("PJSIPShowEndpoints")}
        users = self._expected.users
        wanted = [endpoint(interface) for user in users for interface in (user.deskphone, user.webrtc)]
        wanted += [trunk.endpoint for trunk in self._expected.trunks]
        problems = [
            f"there is no endpoint {name}; include {PJSIP_FILE} in pjsip.conf, or render it again"
            for name in wanted
            if name not in known
        ]
        for user in users:
            if (name := endpoint(user.webrtc)) in known:
                (shown, *_) = await self._listed("PJSIPShowEndpoint", ("Endpoint", name))
                if shown.get("Webrtc") != "yes":
                    problems.append(f"the endpoint {name} is not for browsers; set webrtc = yes on it")
        return problems

    async def _mailboxes(self) -> list[str]:
        wanted = {user.mailbox for user in self._expected.users if user.mailbox}
        if not wanted:
            return []
        boxes = await self._listed("VoicemailUsersList")
        known = {f"{box['VoiceMailbox']}@{box['VMContext']}" for box in boxes}
        return [
            f"there is no mailbox {box}; add it to voicemail.conf"
            for box in sorted(wanted)
            if (box if "@" in box else f"{box}@default") not in known
        ]


def _expect_permission(error: ActionRefused) -> None:
    """Go on where Asterisk says by an error that it has nothing; for want of rights, raise it again."""
    if "permission" in error.reason.lower():
        raise error


def _unknown(numbers: Sequence[str], shown: str, what: str, where: str) -> Iterator[str]:
    for number in numbers:
        if f"'{number}' =>" not in shown:
            yield f"the {what} {number} is not {where}; render the dialplan again, and reload it"
