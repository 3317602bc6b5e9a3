"""Two nodes in two groups, each with an owner of its own, over one PostgreSQL and one RabbitMQ."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

from lab.parties import Party, party
from lab.ports import LOOPBACK
from lab.postgresql import postgresql_server
from lab.processes import own_folder
from lab.rabbitmq import RabbitmqBroker, rabbitmq_broker
from lab.waiting import until
from lab.watcher import watcher
from tests.e2e.drivers.agreement import held
from tests.e2e.drivers.selections import Selections
from tests.e2e.drivers.trunks import found
from tests.e2e.fixtures.group_member import GroupMember
from tests.e2e.fixtures.group_nodes import write_people
from tests.e2e.fixtures.two_nodes import LAMP, Pair, people, rendered_pair
from tests.event_loop import in_loop
from unique_account.adapters.asterisk import plans

pytestmark = pytest.mark.e2e

HOME: Final = {"alice": "default", "bob": "default", "carol": "mds1"}
GROUPS: Final = {"paris": "default", "lyon": "mds1"}
"""The node of each group."""

BUS: Final = """
[bus]
url = "amqp://lab@127.0.0.1:{port}/"
password.file = "bus.secret"
"""


@frozen(weakref_slot=False)
class TwoGroups:
    """Both groups.

    Attributes:
        pair: The nodes.
        owners: The process of each group.
        alice: The deskphone of a user of paris.
        carol: The deskphone of a user of lyon.
    """

    folder: Path
    pair: Pair
    owners: Mapping[str, GroupMember]
    alice: Party
    carol: Party

    def selections(self, group: str, user: str) -> Selections:
        """A program that selects by the UC Assistant of a group."""
        return Selections(f"http://{LOOPBACK}:{self.owners[group].assistant}/xuc/api/2.0", user)

    def move(self, user: str, node: str) -> None:
        """Let the users' file say that a user is on a node, and have both groups read it."""
        (self.folder / "users.toml").write_text(people({**HOME, user: node}), "utf-8")
        for owner in self.owners.values():
            owner.signal(signal.SIGHUP)

    async def planned(self, user: str, node: str, device: str) -> None:
        """Wait until this node has a plan of a user that begins with a device, and the other one has none."""

        async def only() -> bool:
            held_there = {name: plans(await held(pbx.ami)).get(user) for name, pbx in self.pair.pbxs.items()}
            first = {name: str(it.candidates[0].device) for name, it in held_there.items() if it is not None}
            return first == {node: device}

        await until(only, f"a plan of {user} on {node} only")


@asynccontextmanager
async def two_groups() -> AsyncIterator[TwoGroups]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_folder("groups"))
        database = stack.enter_context(postgresql_server())
        broker = stack.enter_context(rabbitmq_broker())
        write_people(folder, "alice", "carol")
        pair = await stack.enter_async_context(rendered_pair(folder, people(HOME)))
        owners = {}
        for group, node in GROUPS.items():
            owners[group] = GroupMember(folder, group, database)
            _configure(owners[group], group, node, pair, broker, folder)
            await owners[group].start()
            stack.push_async_callback(owners[group].stop)
        for owner in owners.values():
            await owner.stands(role="owner")
        phones = []
        for user in ("alice", "carol"):
            line = pair.line(user, HOME[user])
            made = await stack.enter_async_context(party(pair.pbxs[HOME[user]], line))
            await made.register()
            phones.append(made)
        for here, there in (("default", "mds1"), ("mds1", "default")):
            await found(pair.pbxs[here], f"unique-account-{there}")
        yield TwoGroups(folder, pair, owners, *phones)


def _configure(
    owner: GroupMember, group: str, home: str, pair: Pair, broker: RabbitmqBroker, folder: Path
) -> None:
    (folder / "bus.secret").write_text(broker.password, "utf-8")
    (folder / "bus.secret").chmod(0o600)
    nodes = [
        pair.tables[node]
        .replace(f'proxy_path = "/{home}"\n', "")
        .replace("[[nodes]]\n", f'[[nodes]]\ngroup = "{of}"\n')
        for of, node in GROUPS.items()
    ]
    more = BUS.format(port=broker.port)
    owner.configure("".join(nodes), pair.pbxs[home].websocket, group=group, home=home, more=more)


class TestMove:
    """S2, P1: groups show each other's numbers, and who moves keeps the selection."""

    @in_loop
    async def test_a_user_who_moves_to_a_node_of_another_group(self) -> None:
        async with (
            two_groups() as at,
            watcher(at.pair.pbxs["default"], LAMP, "1003") as far,
            watcher(at.pair.pbxs["mds1"], LAMP, "1003") as near,
        ):
            for lamp in (far, near):
                await lamp.shows("Ready")
            await at.selections("lyon", "carol").select("deskphone")
            await _is_called(at.alice, at.carol)

            begun = time.monotonic()
            at.move("carol", "default")
            await at.planned("carol", "default", "deskphone")
            await far.shows("Unavailable", after=begun)  # no phone of carol's is on that node
            async with watcher(at.pair.pbxs["mds1"], LAMP, "1003") as again:
                await again.shows("Unavailable")
            await at.selections("paris", "carol").select("webrtc")
            await at.planned("carol", "default", "webrtc")


async def _is_called(caller: Party, called: Party) -> None:
    start = time.monotonic()
    call = caller.dial("1003")
    await called.wait_for("ringing", after=start)
    await caller.hang_up(call)
    await called.wait_for("over", after=start)
