"""How long the processes of a group wait for each other, in seconds of each one's own monotonic clock."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from attrs import Attribute, field, frozen

from unique_account.core.errors import InvalidFields


def _positive(_: object, __: Attribute[float], value: float) -> None:
    if not 0 < value < inf:
        raise ValueError(f"is {value:g}; more than 0")


@frozen(weakref_slot=False, kw_only=True)
class Times:
    """The times of a group; safety does not rest on them, only on the fences.

    Attributes:
        renew: How often an owner renews its lease.
        look: How often a standby reads the lease.
        stop: How long after an owner sent its last renewal that succeeded it takes no changes any more.
        takeover: How long a standby must see the lease unchanged before it takes over.
        dead: How long an owner with no connected node stays one.
        tenure: How long an owner keeps a group at least before it hands it back by itself.
        young: An ownership that ends by itself within this time was no success.
        rest: How long a process rests after its first one of those; each further one doubles it.
        longest_rest: How long it rests at most.
        close: How long the service may take to close.
    """

    renew: float = field(default=1.0, validator=_positive)
    look: float = field(default=0.25, validator=_positive)
    stop: float = field(default=3.5, validator=_positive)
    takeover: float = field(default=5.0, validator=_positive)
    dead: float = field(default=15.0, validator=_positive)
    tenure: float = field(default=10.0, validator=_positive)
    young: float = field(default=60.0, validator=_positive)
    rest: float = field(default=5.0, validator=_positive)
    longest_rest: float = field(default=60.0, validator=_positive)
    close: float = field(default=10.0, validator=_positive)

    def __attrs_post_init__(self) -> None:
        order = ("renew", "stop", "takeover")
        problems = [
            f"{longer}: is {getattr(self, longer):g}; needs to be more than {shorter}"
            for shorter, longer in pairwise(order)
            if getattr(self, shorter) >= getattr(self, longer)
        ]
        if problems:
            raise InvalidFields(problems)
