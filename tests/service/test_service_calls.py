"""What the service believes a call would do is what the call does at the PBX."""

from __future__ import annotations

from contextlib import suppress

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.event_loop import in_loop
from tests.service.installation import Installation
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.forwarding import Outcome
from unique_account.core.routing import route
from unique_account.core.user import User
from unique_account.testing import strategies

Deed = tuple[str, str]
"""What a phone or a caller does, and where."""


@st.composite
def scenes(draw: st.DrawFn) -> tuple[User, list[Event | Deed], str]:
    """A user, what happens, and the number by which somebody calls then."""
    user = draw(strategies.users())
    user = evolve(user, media_server="default", simultaneous_calls=draw(st.sampled_from((1, 2, 5))))
    actions = st.tuples(
        st.sampled_from(("register", "unregister", "dials", "picks up", "refuses", "hangs up", "calls")),
        st.sampled_from((user.deskphone, user.webrtc)),
    )
    happens = st.lists(strategies.choices(user) | actions, max_size=15)
    return user, draw(happens), draw(st.sampled_from(user.numbers))


async def do(at: Installation, user: User, action: Deed) -> None:
    """Let a phone or a caller do something."""
    what, interface = action
    calls = at.pbx.calls
    if what == "register":
        await at.pbx.register(interface)
    elif what == "unregister":
        await at.pbx.unregister(interface)
    elif what == "dials":
        await at.pbx.call("3000", caller=user.extension, interface=interface)
    elif what == "calls":
        await at.pbx.call(user.extension, caller="3000")
    elif calls and what == "picks up":
        await at.pbx.pick_up(calls[0])
    elif calls and what == "refuses":
        await at.pbx.ends_with(calls[-1], Outcome.BUSY)
    elif calls:
        await at.pbx.end(calls[0])


class TestCalls:
    """R1 to R12: `route` under the facts that were heard, and the call itself, come to the same."""

    @given(scene=scenes())
    def test_a_call_does_what_the_account_says(self, scene: tuple[User, list[Event | Deed], str]) -> None:
        user, happens, number = scene

        @in_loop
        async def play() -> None:
            at = Installation()
            async with at.running(user) as service:
                for action in happens:
                    if isinstance(action, tuple):
                        await do(at, user, action)
                    else:
                        with suppress(Refused):
                            await service.handle(user.id, action)
                expected = route(service.account(user.id), dialled=number)
                call = await at.pbx.call(number, caller="4000")
                if expected.ring is None:
                    assert (call.rung, call.destination) == ([], expected.destination)
                else:
                    assert call.rung == [(user.id, expected.ring.device)]
                    assert call.callee_leg is not None
                    assert call.callee_leg.interface == expected.ring.interface
                    assert call.rings_until is not None
                    assert (call.rings_until - call.started).seconds == expected.ring.seconds
                assert [reason.rule for reason in call.because] == [
                    reason.rule for reason in expected.because
                ]
                assert at.failures == []

        play()
