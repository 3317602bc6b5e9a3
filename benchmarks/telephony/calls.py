"""Calls made and taken by SIPp, and the processor time that others spend on them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from lab.asterisk import Node
from lab.ports import LOOPBACK, port
from lab.processes import running
from lab.programs import program

CALLER: Final = """<?xml version="1.0"?>
<scenario name="caller">
  <send retrans="500"><![CDATA[
    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:caller@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=- 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [local_ip]
    t=0 0
    m=audio 9 RTP/AVP 0
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="180"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
    ACK [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <send retrans="500"><![CDATA[
    BYE [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 2 BYE
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <recv response="200"/>
</scenario>
"""
"""Calls, is rung, is answered, and hangs up; a response that is no 180 or 200 is a failed call."""


class CallsFailed(Exception):
    """Calls failed that should not; the sentence says what SIPp said."""


@frozen
class Made:
    """Calls that were made.

    Attributes:
        delays: From the dialling to the ringing, in seconds, of each.
        seconds: How long all of them took.
        processor: The processor time that Asterisk spent, with what it started.
        server: That of the server that was asked.
    """

    delays: Sequence[float]
    seconds: float
    processor: float
    server: float


@asynccontextmanager
async def phone(sip: int, folder: Path) -> AsyncIterator[None]:
    """A phone that rings and answers at once, on a port, whoever calls."""
    command = (program("sipp"), "-sn", "uas", "-i", LOOPBACK, "-p", str(sip), "-nostdin")
    async with running(*command, log=folder / "phone"):
        yield


async def make(pbx: Node, server: int, folder: Path, number: str, calls: int, *limits: str) -> Made:
    """Make calls to a number, as fast as the limits, which are options of SIPp, allow.

    Args:
        pbx: The node.
        server: The process of the server that is asked.
        folder: Where SIPp's files go.
        number: What is dialled.
        calls: How many calls.
        limits: Such as ``-r 20``: twenty a second.

    Raises:
        CallsFailed: One failed.
    """
    scenario, trace = folder / "caller.xml", folder / "messages"
    scenario.write_text(CALLER, "utf-8")
    trace.unlink(missing_ok=True)
    command = (
        *(program("sipp"), "-sf", str(scenario), "-s", number, pbx.sip, "-i", LOOPBACK, "-p", str(port())),
        *("-m", str(calls), *limits, "-nostdin", "-trace_shortmsg", "-shortmessage_file", str(trace)),
        *("-timeout", "60"),
    )
    before, server_before, start = _processor(pbx.pid), _processor(server), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    seconds = time.monotonic() - start
    if process.returncode != 0:
        raise CallsFailed(f"{trace.read_text('utf-8')}\n{printed.decode('utf-8', 'replace')}")
    return Made(_delays(trace), seconds, _processor(pbx.pid) - before, _processor(server) - server_before)


def _delays(trace: Path) -> list[float]:
    """From each INVITE to the first 180 of its call, as SIPp noted them."""
    dialled: dict[str, float] = {}
    delays: dict[str, float] = {}
    for line in trace.read_text("utf-8").splitlines():
        _, _, at, way, call, *rest = line.split("\t")
        if way == "S" and rest[-1].startswith("INVITE"):
            dialled.setdefault(call, float(at))
        elif way == "R" and rest[-1].startswith("SIP/2.0 180"):
            delays.setdefault(call, float(at) - dialled[call])
    return list(delays.values())


_TICK: Final = os.sysconf("SC_CLK_TCK")


def _processor(process: int) -> float:
    """The processor time of a process and its ended children so far, in seconds; none of no process."""
    if not process:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK
