"""Every target by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fuzz import calls, clients, configurations, conversations, rosters, stored, streams
from fuzz.target import Target

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for module in (streams, calls, rosters, configurations, stored, clients, conversations)
    for target in module.TARGETS
}
