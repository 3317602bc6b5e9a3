"""The designs that are compared: how a node decides which phone a call rings; each has its number.

All of them ring the same phone with the same ``Dial``. In the order in which the decision moves away from the
dialplan: it stands there; an installed plan is looked up; a server is asked over FastAGI or ARI; a script is
started that asks a database.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.open_channels import WAITING
from lab.ami import Ami
from lab.config import MODULES, Endpoint, modules_conf, rtp_conf, section
from lab.ports import LOOPBACK
from unique_account import Account, LoggedIn, User, apply, plan
from unique_account.adapters.asterisk import render
from unique_account.adapters.asterisk.plans.encode import entries

STATIC: Final = "bare static Dial"
DESKPHONE: Final = "installed plan, deskphone"
BROWSER: Final = "installed plan, browser"
FAST_AGI: Final = "FastAGI server"
ARI: Final = "ARI server"
AGI: Final = "AGI script with an SQL look-up"

NUMBERS: Final[Mapping[str, str]] = {
    STATIC: "9001",
    DESKPHONE: "1001",
    BROWSER: "1002",
    FAST_AGI: "9002",
    ARI: "9003",
    AGI: "9004",
}
"""Every design, and the number behind which it is."""

ALICE: Final = User(
    id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", simultaneous_calls=20
)
BOB: Final = User(
    id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w", simultaneous_calls=20
)
ARI_USER: Final = "bench"
ARI_APPLICATION: Final = "route"

MEDIA: Final = (20000, 24999)
"""Ports for media: enough for all the calls at a time."""

_ARI_MODULES: Final = (
    "res_websocket_client res_stasis res_stasis_answer res_stasis_playback res_stasis_recording "
    "res_stasis_snoop res_ari_model res_ari res_ari_events res_ari_channels app_stasis"
)


def endpoints(phone: int) -> list[Endpoint]:
    """Who calls, and the phone, which is registered for good under every name that is rung."""
    contact = {"contact": f"sip:phone@{LOOPBACK}:{phone}", "max_contacts": "1"}
    names = ("phone", "alice", "bob", "bob_w")
    rung = [Endpoint(name=name, password="", aor_options=contact) for name in names]
    return [Endpoint(name="caller", password=""), *rung, Endpoint(name="alice_w", password="")]


def extensions(fast_agi: int, script: Path) -> str:
    """The dialplan with every design."""
    return f"""
#include unique_account.conf
[default]
include = unique-account-numbers-default
exten = {NUMBERS[STATIC]},1,Dial(PJSIP/phone,30)
exten = {NUMBERS[FAST_AGI]},1,AGI(agi://{LOOPBACK}:{fast_agi}/route)
 same = n,Dial(${{DEVICE}},30)
exten = {NUMBERS[ARI]},1,Stasis({ARI_APPLICATION})
 same = n,Dial(${{DEVICE}},30)
exten = {NUMBERS[AGI]},1,AGI({script})
 same = n,Dial(${{DEVICE}},30)
{WAITING}"""


def files(ari_password: str) -> dict[str, str]:
    """The node's other files."""
    ari = section("general", {"enabled": "yes"}) + section(
        ARI_USER, {"type": "user", "password": ari_password, "read_only": "no"}
    )
    return {
        "unique_account.conf": render([ALICE, BOB]),
        "modules.conf": modules_conf([*MODULES.split(), *_ARI_MODULES.split()]),
        "ari.conf": ari,
        "rtp.conf": rtp_conf(MEDIA),
    }


async def install(ami: Ami) -> None:
    """Install the plans: Alice's calls ring the deskphone, Bob's the browser."""
    for account in (Account(ALICE), apply(Account(BOB), LoggedIn("tab-1"))):
        for family, key, value in entries(plan(account)):
            await ami.act("DBPut", ("Family", family), ("Key", key), ("Val", value))


def write_script(folder: Path) -> Path:
    """Write the AGI script, and the database that it asks."""
    database, script = folder / "phones.db", folder / "route.py"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE phones (number TEXT PRIMARY KEY, device TEXT)")
        connection.execute("INSERT INTO phones VALUES (?, 'PJSIP/phone')", (NUMBERS[AGI],))
    script.write_text(
        f"""#!{sys.executable} -I
import sqlite3
import sys

given = dict(line.rstrip("\\n").split(": ", 1) for line in iter(sys.stdin.readline, "\\n") if ": " in line)
look_up = "SELECT device FROM phones WHERE number = ?"
device, = sqlite3.connect({str(database)!r}).execute(look_up, (given["agi_extension"],)).fetchone()
print("SET VARIABLE DEVICE", device, flush=True)
sys.stdin.readline()
""",
        "utf-8",
    )
    script.chmod(0o755)
    return script
