"""Where calls go instead of a device: the gate, the outcomes, destinations and chains (R8, R9, R10, R13)."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, Call
from unique_account.core.events import (
    CallChanged,
    ContactsChanged,
    ForwardingChanged,
    LoggedIn,
    UserChanged,
    apply,
    restore,
)
from unique_account.core.forwarding import (
    NO_FORWARDING,
    Destination,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
    Mailbox,
    Outcome,
    Refusal,
)
from unique_account.core.machine import Device
from unique_account.core.routing import Facts, Plan, Route, after, facts, plan, resolve, route
from unique_account.core.user import User
from unique_account.testing import strategies

BOX = "1001@default"
ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox=BOX)
REGISTERED = apply(apply(Account(ALICE), LoggedIn("tab-1")), ContactsChanged(Device.WEBRTC, reachable=True))
BOTH = frozenset(Device)
EVERYWHERE = Facts(reachable=BOTH)


def planned(user: User = ALICE, forwarding: Forwarding = NO_FORWARDING) -> Plan:
    """The plan of a logged-in user with this forwarding, however it came to be set."""
    return plan(restore(user, evolve(REGISTERED.kept, forwarding=forwarding)))


def rung(result: Route) -> Device | None:
    """The device that rings."""
    return result.ring.device if result.ring else None


class TestGate:
    """R8: do-not-disturb, unconditional forward, limit, ring: the first match wins."""

    @pytest.mark.parametrize(
        ("dnd", "forwarded", "calls", "mailbox", "goes"),
        [
            (True, True, 5, BOX, f"goes to mailbox {BOX}"),
            (True, True, 5, None, "goes to refusal with cause 20"),
            (True, False, 0, BOX, f"goes to mailbox {BOX}"),
            (False, True, 5, BOX, "goes to extension 2000"),
            (False, True, 0, None, "goes to extension 2000"),
            (False, False, 5, BOX, f"goes to mailbox {BOX}"),
            (False, False, 6, None, "goes to refusal with cause 17"),
            (False, False, 5, None, "goes to refusal with cause 17"),
            (False, False, 4, None, "rings webrtc"),
            (False, False, 0, BOX, "rings webrtc"),
        ],
    )
    def test_the_first_match_wins(
        self, dnd: bool, forwarded: bool, calls: int, mailbox: str | None, goes: str
    ) -> None:
        made = planned(
            evolve(ALICE, mailbox=mailbox),
            Forwarding(do_not_disturb=dnd, unconditional=Forward("2000", enabled=forwarded)),
        )
        assert str(resolve(made, Facts(reachable=BOTH, calls=calls))) == goes

    def test_without_a_mailbox_do_not_disturb_follows_the_unavailable_rule(self) -> None:
        fallbacks = Fallbacks(unavailable=Extension("3000"))
        made = planned(evolve(ALICE, mailbox=None, fallbacks=fallbacks), Forwarding(do_not_disturb=True))
        assert resolve(made, EVERYWHERE).destination == Extension("3000")

    def test_with_a_mailbox_do_not_disturb_does_not(self) -> None:
        user = evolve(ALICE, fallbacks=Fallbacks(unavailable=Extension("3000")))
        made = planned(user, Forwarding(do_not_disturb=True))
        assert resolve(made, EVERYWHERE).destination == Mailbox(BOX)

    def test_at_the_limit_the_users_own_busy_forward_applies(self) -> None:
        made = planned(forwarding=Forwarding(busy=Forward("2000")))
        assert resolve(made, Facts(reachable=BOTH, calls=5)).destination == Extension("2000")

    @given(st.lists(strategies.calls(), unique_by=lambda call: call.id))
    def test_the_limit_counts_calls_over_both_devices_and_not_their_legs(self, calls: list[Call]) -> None:
        account = REGISTERED
        for call in calls:
            account = apply(account, CallChanged(call))
        assert facts(account).calls == len({call.linked_id or call.id for call in calls})


class TestNoAnswer:
    """R9: four outcomes have a rule each, and the other device never rings for that call."""

    @given(strategies.accounts(), st.sampled_from(Outcome), st.booleans())
    def test_no_outcome_rings_anything(self, account: Account, outcome: Outcome, up: bool) -> None:
        came = after(plan(account), outcome, Facts(reachable=BOTH if up else frozenset()))
        assert came.ring is None
        assert came.destination is not None

    def test_each_outcome_has_its_own_destination(self) -> None:
        names = {outcome.value: Extension(f"300{index}") for index, outcome in enumerate(Outcome)}
        made = planned(evolve(ALICE, fallbacks=Fallbacks(**names)))
        assert {o.value: after(made, o, EVERYWHERE).destination for o in Outcome} == names


FORWARDS = {
    "none": None,
    "disabled": Forward("2000", enabled=False),
    "number": Forward("20 00"),
    "voicemail": Forward("*98"),
    "stale": Forward("1001"),
}
ADMINISTERED = (None, Extension("3000"), Mailbox("reception@default"), Refusal(21))


class TestDestinations:
    """R10: the user's forward, the administrator's destination, voicemail, a refusal, in this order."""

    @pytest.mark.parametrize("mailbox", [None, BOX])
    @pytest.mark.parametrize("administered", ADMINISTERED)
    @pytest.mark.parametrize("forward", FORWARDS)
    @pytest.mark.parametrize("outcome", Outcome)
    def test_every_combination(
        self, outcome: Outcome, forward: str, administered: Destination | None, mailbox: str | None
    ) -> None:
        user = evolve(ALICE, mailbox=mailbox, fallbacks=Fallbacks(**{outcome.value: administered}))
        users_may = outcome in (Outcome.NO_ANSWER, Outcome.BUSY)
        own = Forwarding(no_answer=FORWARDS[forward], busy=FORWARDS[forward])
        cause = {"no_answer": 19, "busy": 17, "congestion": 34, "unavailable": 20}[outcome.value]

        if users_may and forward == "number":
            goes: Destination = Extension("2000")
        elif users_may and forward == "voicemail" and mailbox:
            goes = Mailbox(mailbox)
        elif administered is not None:
            goes = administered
        elif mailbox is not None:
            goes = Mailbox(mailbox)
        else:
            goes = Refusal(cause)
        assert after(planned(user, own), outcome, EVERYWHERE).destination == goes

    @pytest.mark.parametrize(
        ("name", "goes"),
        [
            ("voicemail", f"goes to mailbox {BOX}"),
            ("number", "goes to extension 2000"),
            ("none", "rings webrtc"),
            ("disabled", "rings webrtc"),
            ("stale", "rings webrtc"),
        ],
    )
    def test_an_unconditional_forward_leads_there_too_or_is_as_none(self, name: str, goes: str) -> None:
        made = planned(forwarding=Forwarding(unconditional=FORWARDS[name]))
        assert str(resolve(made, EVERYWHERE)) == goes

    def test_a_forward_to_voicemail_is_as_none_once_the_mailbox_is_gone(self) -> None:
        account = apply(REGISTERED, ForwardingChanged(Forwarding(unconditional=Forward("*98"))))
        assert route(account).destination == Mailbox(BOX)
        assert rung(route(apply(account, UserChanged(evolve(ALICE, mailbox=None))))) is Device.WEBRTC


class TestChains:
    """R13: after a set number of forwards a call is refused."""

    MADE = planned(
        evolve(ALICE, max_forwards=3, fallbacks=Fallbacks(congestion=Extension("3000"))),
        Forwarding(busy=Forward("2000"), no_answer=Forward("*98")),
    )

    @pytest.mark.parametrize("forwards", [0, 2])
    def test_below_the_limit_it_is_forwarded(self, forwards: int) -> None:
        came = after(self.MADE, Outcome.BUSY, Facts(forwards=forwards))
        assert came.destination == Extension("2000")

    @pytest.mark.parametrize("forwards", [3, 4])
    @pytest.mark.parametrize(("outcome", "cause"), [(Outcome.BUSY, 17), (Outcome.CONGESTION, 34)])
    def test_at_the_limit_it_is_refused_with_the_cause_of_the_outcome(
        self, outcome: Outcome, cause: int, forwards: int
    ) -> None:
        assert after(self.MADE, outcome, Facts(forwards=forwards)).destination == Refusal(cause)

    def test_a_mailbox_still_takes_the_call(self) -> None:
        assert after(self.MADE, Outcome.NO_ANSWER, Facts(forwards=3)).destination == Mailbox(BOX)

    def test_a_device_still_rings(self) -> None:
        assert rung(resolve(self.MADE, Facts(reachable=BOTH, forwards=3))) is Device.WEBRTC

    def test_an_unconditional_forward_is_refused_too(self) -> None:
        made = planned(forwarding=Forwarding(unconditional=Forward("2000")))
        assert resolve(made, Facts(forwards=9)).destination == Extension("2000")
        assert resolve(made, Facts(forwards=10)).destination == Refusal(20)

    def test_a_call_of_which_nothing_is_said_was_never_forwarded_and_is_the_first(self) -> None:
        made = planned(evolve(ALICE, max_forwards=1, simultaneous_calls=1), Forwarding(busy=Forward("2000")))
        assert after(made, Outcome.BUSY, Facts()).destination == Extension("2000")
        assert rung(resolve(made, EVERYWHERE)) is Device.WEBRTC

    def test_a_route_takes_the_count_along(self) -> None:
        account = apply(REGISTERED, ForwardingChanged(Forwarding(unconditional=Forward("2000"))))
        assert route(account, forwards=9).destination == Extension("2000")
        assert route(account, forwards=10).destination == Refusal(20)
