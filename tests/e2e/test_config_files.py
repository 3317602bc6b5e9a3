"""What ``unique-account asterisk render`` writes is enough: phones register with it, and calls ring."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab.ami import connect
from lab.asterisk import node
from lab.browser import browser
from lab.config import MODULES, modules_conf
from lab.phones import phone
from lab.processes import own_folder
from tests.e2e.fixtures.planned_node import install, planned
from tests.e2e.fixtures.rendered_node import SECRET, command, rendered_node, write_config
from tests.event_loop import in_loop
from unique_account import LoggedIn, User
from unique_account.adapters.asterisk.doctor import CHANNEL_EVENTS

pytestmark = pytest.mark.e2e

ALICE = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox="1001@default"
)


DOCTOR = ("doctor", "--config", "unique_account.toml")
MODULES_CONF = modules_conf(MODULES.split())
ACCOUNT = """
[unique_account]
secret = told to\\; nobody
read = system
write = system,command,reporting
"""
CEL = f"""
[general]
enable = yes
apps = queue
events = {CHANNEL_EVENTS.replace("PICKUP ", "").replace(" LINKEDID_END", "").replace(" ", ",")}
"""


LACKING = (
    "the manager account unique_account lacks read = call,user; "
    "add it in manager.conf, as unique_account_manager.conf has it",
    "the manager account unique_account lacks write = call,originate; "
    "add it in manager.conf, as unique_account_manager.conf has it",
    "modules are not loaded: func_md5; load them in modules.conf",
    "channel events are left out: PICKUP, LINKEDID_END; set events = ALL in cel.conf",
    "channel events leave out Dial; add dial to apps in cel.conf",
    "the manager interface sends no channel events; set enabled = yes under [manager] in cel.conf",
    "media server default has no WebRTC transport; configure SIP over secure WebSocket on it",
    "media server default has no certificate; install one that browsers accept",
    "media server default has no ICE; switch it on, with a STUN or TURN server where browsers need one",
    "the dialplan lacks unique-account; include unique_account.conf in extensions.conf",
    *(
        f"there is no endpoint {name}; include unique_account_pjsip.conf in pjsip.conf, or render it again"
        for name in ("alice", "alice_w", "bob", "bob_w")
    ),
    "there is no mailbox 1001@default; add it to voicemail.conf",
)


class TestRendered:
    """A1, A4: an Asterisk with the rendered files carries both devices of a Unique Account."""

    @in_loop
    async def test_both_devices_register_and_the_one_in_use_rings(self) -> None:
        async with (
            rendered_node() as at,
            phone(at.pbx, at.endpoint("alice")) as alice,
            phone(at.pbx, at.endpoint("bob")) as bob,
            browser() as chromium,
        ):
            start = time.monotonic()
            await bob.dial("1001")
            await alice.event("CALL_INCOMING", after=start)
            await bob.hang_up()
            await alice.event("CALL_CLOSED", after=start)

            tab = await chromium.tab(at.pbx, at.endpoint("alice_w"))
            await install(at.pbx.ami, planned(ALICE, LoggedIn("tab-1")))
            start = time.monotonic()
            await bob.dial("1001")
            ringing = await tab.event("ringing", after=start)
            assert ringing.what.detail == "1002"
            await tab.answer()
            await bob.event("CALL_ESTABLISHED", after=start)

    @in_loop
    async def test_the_manager_account_logs_in_and_may_write_plans(self) -> None:
        async with rendered_node() as at:
            ami = await connect(at.pbx.ports.ami, "unique_account", SECRET)
            try:
                await install(ami, planned(ALICE))
            finally:
                await ami.close()

    @in_loop
    async def test_asterisk_has_nothing_to_complain_of_in_the_files(self) -> None:
        async with rendered_node() as at:
            complaints = [
                line for line in at.pbx.log.splitlines() if " ERROR[" in line or " WARNING[" in line
            ]
            assert [line for line in complaints if "unique" in line or "alice" in line] == []
            shown = await at.pbx.cli("pjsip show endpoint alice_w")
            assert "rtp_timeout                        : 5" in shown
            assert await at.pbx.cli("pjsip show aor alice_w")


class TestDoctor:
    """A4: what a live PBX lacks is reported at once, each with its remedy."""

    @in_loop
    async def test_a_node_with_the_rendered_files_is_ready(self) -> None:
        async with rendered_node() as at:
            done = await asyncio.to_thread(command, *DOCTOR, folder=at.folder)
            assert (done.returncode, done.stdout, done.stderr) == (0, "default: ready for 2 users\n", "")

    @in_loop
    async def test_where_text_of_strangers_comes_in_is_noted(self) -> None:
        more = "\n[outside]\ninclude = further\n[further]\nexten = _0X.,1,Hangup()\nexten = _1X,1,Hangup()\n"
        trunk = "\n[carrier]\ntype = endpoint\ncontext = outside\ncallerid = x <1>\ntrust_id_inbound = yes\n"
        async with rendered_node(appended={"extensions.conf": more, "pjsip.conf": trunk}) as at:
            done = await asyncio.to_thread(command, *DOCTOR, folder=at.folder)
            ready, *notes = done.stdout.splitlines()
            assert (done.returncode, ready, done.stderr) == (0, "default: ready for 2 users", "")
            ids, wildcard = notes
            assert ids.startswith("default: note: callers choose their caller id on carrier, line breaks")
            assert wildcard.startswith(
                "default: note: whatever carrier dials matches _0X. of the context outside,"
            )

    @in_loop
    async def test_a_node_without_them_lacks_everything(self) -> None:
        with own_folder("bare") as folder:
            more = {"rtp.conf": "[general]\nicesupport = no\n"}
            more["cel.conf"] = CEL
            more["modules.conf"] = MODULES_CONF.replace("load = func_md5.so\n", "")
            async with node((), "[default]\n", more_files=more, appended={"manager.conf": ACCOUNT}) as pbx:
                write_config(folder, pbx.ports.ami, 1)
                config = folder / "unique_account.toml"
                config.write_text(config.read_text("utf-8").replace('"ws"', '"wss"'), "utf-8")
                done = await asyncio.to_thread(command, *DOCTOR, folder=folder)
        assert done.returncode == 1
        lacking = [f"default: {problem}" for problem in LACKING]
        assert done.stdout.splitlines()[: 1 + len(lacking)] == [
            f"default: {len(LACKING)} problems",
            *lacking,
        ]

    @in_loop
    async def test_a_node_without_channel_events(self) -> None:
        async with rendered_node({"cel.conf": "[general]\nenable = no\n"}) as at:
            done = await asyncio.to_thread(command, *DOCTOR, folder=at.folder)
        problem = "default: channel events are off; set enable = yes and events = ALL in cel.conf\n"
        assert done.stdout.startswith(f"default: 1 problem\n{problem}")

    @in_loop
    async def test_a_node_that_is_not_there(self) -> None:
        with own_folder("nobody") as folder:
            write_config(folder, 9, 1)
            done = await asyncio.to_thread(command, *DOCTOR, folder=folder)
        assert done.returncode == 1
        assert "default: 127.0.0.1:9: " in done.stdout
        assert "with enabled = yes in manager.conf" in done.stdout
