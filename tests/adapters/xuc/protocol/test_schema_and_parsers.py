"""Schema and parsers agree on every frame: what the one allows, the others understand, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.adapters.xuc.assistants import Installation, installation
from tests.adapters.xuc.protocol.schema_values import any_frames, edges
from tests.adapters.xuc.schema import COMMANDS as ALLOWED
from tests.adapters.xuc.schema import STATEFUL, allows
from tests.event_loop import in_loop
from unique_account.adapters.xuc.handlers.dispatch import COMMANDS
from unique_account.adapters.xuc.protocol.incoming import Heartbeat, InvalidMessage, read
from unique_account.core.errors import Refused
from unique_account.ports.inbound.commands import NoSuchCall
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.pbx import CommandFailed

UNDERSTOOD = (CommandFailed, NoSuchCall, Refused, UnknownUser)
"""Why a command that was understood may fail here, where there are no calls."""


async def refusal(at: Installation, frame: dict[str, Any]) -> str | None:
    """What the server says against a frame; None: it understands it."""
    (tab,) = at.cti._hub.tabs
    try:
        command = read(json.dumps(frame))
        if not isinstance(command, Heartbeat):
            await COMMANDS[command.command](at.cti._hub, tab, command)
    except InvalidMessage as error:
        return str(error)
    except KeyError:
        return f"command: {frame['command']!r} is not known here"
    except UNDERSTOOD:
        return None
    finally:
        await tab.queue.flush()
    return None


def check(frame: dict[str, Any], said: str | None) -> None:
    """Compare what the server says against a frame with the schema."""
    if said is None or not said.startswith(STATEFUL):
        assert allows(frame) is (said is None), (frame, said)


class TestFrames:
    """C1: a client can rely on the schema: what it allows is understood, and what is refused it forbids."""

    @in_loop
    async def test_schema_and_parsers_agree(self) -> None:
        async with installation() as at:
            await at.browser.tab("alice")
            loop = asyncio.get_running_loop()

            @settings(max_examples=300, suppress_health_check=list(HealthCheck))
            @given(any_frames())
            def compare(frame: dict[str, Any]) -> None:
                check(frame, asyncio.run_coroutine_threadsafe(refusal(at, frame), loop).result())

            await asyncio.to_thread(compare)

    @pytest.mark.parametrize("command", [name for name in ALLOWED if name != "logout"])
    @in_loop
    async def test_they_agree_at_every_bound(self, command: str) -> None:
        async with installation() as at:
            await at.browser.tab("alice")
            for frame in edges(command):
                check(frame, await refusal(at, frame))

    @pytest.mark.parametrize(("ref", "repeated"), [(17.0, 17), (2**53 - 1, 2**53 - 1), ("a" * 64, "a" * 64)])
    @in_loop
    async def test_a_reference_comes_back(self, ref: object, repeated: object) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.send({"claz": "web", "command": "getIceConfig", "ref": ref})
            await tab.until(lambda: tab.last("Done")["ref"] == repeated)
