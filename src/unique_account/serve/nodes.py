"""The PBX nodes of a configuration: their adapters, their log-ins, and what each of them must carry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final

from attrs import frozen

from unique_account.adapters.asterisk import AsteriskPbx, Expected, ManagerLogin, Trunk
from unique_account.adapters.asterisk.fence.node_fence import COMMITS_WITHIN
from unique_account.adapters.memory import MemoryPbx
from unique_account.core.eligibility import MediaServer
from unique_account.core.errors import InvalidFields
from unique_account.core.user import User
from unique_account.ports.clock import Clock
from unique_account.ports.group_leases import Fence
from unique_account.ports.observer import Observer
from unique_account.ports.pbx import Pbx
from unique_account.serve.config import Config, NodeKind, NodeSettings

GREETS_WITHIN: Final = 1.0
"""How many seconds a manager interface may take to greet."""


@frozen(weakref_slot=False)
class NodeOwnership:
    """How a process of a group uses the nodes that it owns.

    Attributes:
        fence: Its ownership.
        is_handed_over: Whether the former owner gave the group up, so that none is left.
        pause: How many seconds the hints wait for a new owner after this process is gone.
    """

    fence: Fence
    is_handed_over: bool
    pause: float


def pbx(node: NodeSettings, clock: Clock, observer: Observer, owner: str, own: NodeOwnership | None) -> Pbx:
    """The adapter of a node.

    Args:
        node: The node.
        clock: Time, for a double.
        observer: Is notified of what happens there.
        owner: The name of the installation.
        own: How this process owns it; None where no other process uses it.
    """
    if node.kind is NodeKind.MEMORY or node.secret is None:
        return MemoryPbx(clock, node.name)
    alone = partial(AsteriskPbx, login(node), observer, node.name, controllable=node.controllable)
    if own is None:
        return alone(owner=owner)
    commits_within = 0 if own.is_handed_over else COMMITS_WITHIN
    return alone(owner=owner, fence=own.fence, commits_within=commits_within, watchdog_pause=own.pause)


def login(node: NodeSettings) -> ManagerLogin:
    """The log-in to a node's manager interface.

    Raises:
        ValueError: The node has no secret, or the secret is gone.
    """
    if node.secret is None:
        raise ValueError(f"the node {node.name} has no secret")
    return ManagerLogin(username=node.username, secret=node.secret.look_up(), host=node.host, port=node.port)


def connected(pbxs: Mapping[str, Pbx]) -> Mapping[str, bool]:
    """Which nodes are connected; one in memory always is."""
    return {name: pbx.connected if isinstance(pbx, AsteriskPbx) else True for name, pbx in pbxs.items()}


async def reaches_any(nodes: Iterable[NodeSettings]) -> bool:
    """Whether any of these nodes can be reached; one in memory always can."""
    probes = [asyncio.create_task(_answers(node)) for node in nodes]
    try:
        for answer in asyncio.as_completed(probes):
            if await answer:
                return True
    finally:
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)
    return False


async def _answers(node: NodeSettings) -> bool:
    """Whether a manager interface greets; nobody logs in, as that would look like an owner."""
    if node.kind is NodeKind.MEMORY:
        return True
    try:
        async with asyncio.timeout(GREETS_WITHIN):
            reader, writer = await asyncio.open_connection(node.host, node.port)
            try:
                return (await reader.readline()).startswith(b"Asterisk Call Manager")
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False


def expectations(config: Config, users: tuple[User, ...]) -> Iterator[tuple[NodeSettings, Expected]]:
    """What each Asterisk of this group must carry for these users.

    Raises:
        InvalidFields: A user's media server is none of the nodes; all such users are named.
    """
    _check_media_servers(config, users)
    nodes = [node for node in config.nodes if node.kind is NodeKind.ASTERISK]
    for node in nodes:
        if node not in config.own_nodes:
            continue
        yield node, _expected(node, [other for other in nodes if other is not node], users)


def _check_media_servers(config: Config, users: tuple[User, ...]) -> None:
    names = {node.name for node in config.nodes}
    if lost := [user for user in users if user.media_server not in names]:
        raise InvalidFields([f"{user.id}: {user.media_server} is none of the nodes" for user in lost])


def _expected(node: NodeSettings, others: list[NodeSettings], users: tuple[User, ...]) -> Expected:
    trunks = tuple(Trunk(name=other.name, address=other.sip) for other in others if other.sip)
    reached = {trunk.name for trunk in trunks}
    return Expected(
        media_server=node.name,
        users=tuple(user for user in users if user.media_server == node.name),
        away=tuple(user for user in users if user.media_server in reached),
        trunks=trunks,
        websocket=node.websocket,
        proxy_path=node.proxy_path,
        others=tuple(map(_server, others)),
    )


def _server(node: NodeSettings) -> MediaServer:
    """A node as another one sees it: only its name and its proxy path matter there."""
    path = node.proxy_path
    return MediaServer(name=node.name, webrtc_transport=True, certificate=True, ice=True, proxy_path=path)
