"""Whether nodes have found each other."""

from __future__ import annotations

from lab.asterisk import Node
from lab.waiting import until


async def answers(pbx: Node, endpoint: str) -> bool:
    """Whether a node has had an answer of an endpoint that it asks again and again.

    A contact of which nothing is known yet can be called, and goes if the first question finds the other node
    still starting; the state of the endpoint is unavailable until an answer came.
    """
    variable = ("Variable", f"DEVICE_STATE(PJSIP/{endpoint})")
    return (await pbx.ami.act("Getvar", variable))["Value"] != "UNAVAILABLE"


async def found(pbx: Node, endpoint: str) -> None:
    """Wait until a node has had an answer of an endpoint."""

    async def answered() -> bool:
        return await answers(pbx, endpoint)

    await until(answered, f"an answer of {endpoint}")
