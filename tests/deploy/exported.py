"""What the product exports: every metric with its labels, as a scrape of it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from unique_account import Account, DeviceSelected, LoggedIn, User
from unique_account.adapters.prometheus import PrometheusObserver
from unique_account.core.errors import Refused
from unique_account.core.machine import Device
from unique_account.ports.bus import BusStanding
from unique_account.ports.group_leases import Fence, GroupRole, GroupStanding, NodeTaken
from unique_account.ports.observer import PortRequest

ALICE: Final = Account(User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"))
OF_PROMETHEUS: Final = frozenset({"instance", "job"})
"""The labels that Prometheus adds to each."""


def exported() -> Mapping[str, frozenset[str]]:
    """The metrics of an owner with a bus, by name, each with its labels and those of Prometheus."""
    observer = PrometheusObserver()
    observer.applied(LoggedIn("tab"), ALICE, ALICE)
    observer.refused(
        DeviceSelected(Device.WEBRTC),
        ALICE,
        Refused(ALICE.state, "select_webrtc", "nobody is logged in", "log in"),
    )
    observer.failed(PortRequest("pbx", "hint", "default"), ConnectionError())
    observer.node_taken(NodeTaken(media_server="default", fence=Fence("paris", 7), ended=1, seconds=0.1))
    observer.watch(lambda: [ALICE], lambda: {"default": True}, lambda: True)
    observer.watch_bus(lambda: BusStanding(is_connected=True, waiting=0, dropped=0))
    observer.watch_group(
        lambda: GroupStanding(group="paris", name="one", role=GroupRole.OWNER, epoch=7, renewed=0.5)
    )
    families = text_string_to_metric_families(observer.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name: frozenset(sample.labels) | OF_PROMETHEUS
        for sample in samples
        if not sample.name.endswith("_created")
    } | {"up": OF_PROMETHEUS}
