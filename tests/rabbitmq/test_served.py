"""What a configuration for ``serve`` says of the bus is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from lab.rabbitmq import RabbitmqBroker
from tests.event_loop import in_loop
from tests.rabbitmq.drivers import Exchanges, listening, publish, until
from unique_account.core.account import LineStatus
from unique_account.core.events import LineChanged
from unique_account.core.forwarding import Forward
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.serve.config import Config, read_config
from unique_account.serve.lifecycle import Running
from unique_account.serve.wiring import running

TALKS: Final = LineChanged(Device.DESKPHONE, LineStatus.IN_USE)
USER: Final = """
[[users]]
id = "{id}"
extension = "{extension}"
deskphone = "PJSIP/{id}"
webrtc = "PJSIP/{id}_w"
"""
CONFIG: Final = """
users.file = "users.toml"
accounts.file = "accounts.sqlite"
monitor.port = 0
[bus]
url = "amqp://lab@127.0.0.1:{port}/"
password.file = "bus.secret"
group = "{group}"
exchange = "{exchange}"
presences = "{presences}"
[[nodes]]
kind = "memory"
"""


def written(folder: Path, broker: RabbitmqBroker, config: str, user: str, extension: str) -> Config:
    """A configuration that was written to a folder; the password is beside it only."""
    folder.mkdir(exist_ok=True)
    (folder / "users.toml").write_text(USER.format(id=user, extension=extension), "utf-8")
    (folder / "bus.secret").write_text(f"{broker.password}\n", "utf-8")
    (folder / "unique_account.toml").write_text(config, "utf-8")
    read = read_config(folder / "unique_account.toml")
    assert broker.password not in repr(read)
    return read


@asynccontextmanager
async def serving(
    broker: RabbitmqBroker, exchanges: Exchanges, folder: Path, group: str = "paris", extension: str = "1001"
) -> AsyncIterator[Running]:
    """A service of one group with one user, whose id is the group's name."""
    names = {"exchange": exchanges.xivo, "presences": exchanges.presences, "group": group}
    config = written(folder, broker, CONFIG.format(port=broker.port, **names), group, extension)
    async with running(config) as at:
        await at.enrolment.agree()
        yield at


async def health(at: Running) -> dict[str, Any]:
    """What the monitor says."""
    return dict(json.loads(await asyncio.to_thread(_get, f"{at.monitor}/health")))


def _get(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


async def until_bus(at: Running, word: str) -> None:
    """Wait until the monitor says so of the bus."""
    async with asyncio.timeout(60):
        while (await health(at))["bus"] != word:  # noqa: ASYNC110 - a page sets no events
            await asyncio.sleep(0.05)


class TestServed:
    """One process with a bus."""

    @in_loop
    async def test_it_announces_and_takes_over(self, broker: RabbitmqBroker, tmp_path: Path) -> None:
        exchanges = Exchanges()
        async with listening(broker, exchanges.xivo) as listener, serving(broker, exchanges, tmp_path) as at:
            await at.service.handle("paris", TALKS)
            await until_bus(at, "connected")
            await until(lambda: "status.unique_account.1001" in dict(listener.messages))
            assert await listener.presence("1001") is Presence.IN_USE
            data = {"user_uuid": "paris", "enabled": True, "destination": "3000"}
            forward = {"name": "users_forwards_busy_updated", "origin_uuid": None, "data": data}
            await publish(broker, exchanges.xivo, ("config.users.paris.forwards.busy.updated", forward))
            await until(lambda: at.service.account("paris").forwarding.busy == Forward("3000"))
            metrics = (await asyncio.to_thread(_get, f"{at.monitor}/metrics")).decode()
            assert "unique_account_bus_connected 1.0" in metrics
            assert "unique_account_bus_dropped_total 0.0" in metrics

    @in_loop
    async def test_users_are_read_again_when_xivo_says_so(
        self, broker: RabbitmqBroker, tmp_path: Path
    ) -> None:
        exchanges = Exchanges()
        async with serving(broker, exchanges, tmp_path) as at:
            await until_bus(at, "connected")
            users = "".join(
                USER.format(id=one, extension=f"100{n}") for n, one in enumerate(("paris", "bob"))
            )
            (tmp_path / "users.toml").write_text(users, "utf-8")
            await asyncio.sleep(0.5)  # until the queue is there
            for _ in range(3):
                await publish(broker, exchanges.xivo, ("config.user.created", {"name": "user_created"}))
            await until(lambda: "bob" in at.service.users)

    @in_loop
    async def test_two_groups_show_each_others_numbers(self, broker: RabbitmqBroker, tmp_path: Path) -> None:
        exchanges = Exchanges()
        async with serving(broker, exchanges, tmp_path / "paris") as paris:
            await paris.service.handle("paris", TALKS)
            async with serving(broker, exchanges, tmp_path / "lyon", "lyon", "2001") as lyon:
                await lyon.service.handle("lyon", TALKS)
                await until(lambda: shown(paris, "2001") is Presence.IN_USE)
                await until(lambda: shown(lyon, "1001") is Presence.IN_USE)
                assert paris.service.users == ("paris",)
                await lyon.service.remove("lyon")
                await until(lambda: shown(paris, "2001") in (None, Presence.UNEXISTING))

    @in_loop
    async def test_it_starts_and_goes_on_without_a_broker(
        self, broker: RabbitmqBroker, tmp_path: Path
    ) -> None:
        exchanges = Exchanges()
        broker.stop()
        try:
            async with serving(broker, exchanges, tmp_path) as at:
                await at.service.handle("paris", TALKS)
                report = await health(at)
                assert (report["status"], report["bus"]) == ("ok", "disconnected")
                broker.start()
                await until_bus(at, "connected")
        finally:
            if broker.stopped:
                broker.start()


def shown(at: Running, number: str) -> Presence | None:
    """What the phones of a group's node show."""
    pbx: Any = at.service._pbxs["default"]
    presence: Presence | None = pbx.hints.get(number)
    return presence
