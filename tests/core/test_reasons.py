"""Why a decision came out as it did (R17)."""

from __future__ import annotations

import re
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account
from unique_account.core.device_in_use import fallen_back
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    LoggedIn,
    apply,
    restore,
)
from unique_account.core.forwarding import (
    NO_FORWARDING,
    Forward,
    Forwarding,
    Outcome,
)
from unique_account.core.machine import Device
from unique_account.core.reasons import Reason
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


def away(account: Account, device: Device) -> Account:
    """The account after the last contact of a device went."""
    return apply(account, ContactsChanged(device, reachable=False))


class TestReasons:
    """R17: every decision can say why, by rules that exist and facts that it rests on."""

    @staticmethod
    def is_explained(came: Route) -> None:
        assert came.because
        assert (came.ring is None) != (came.destination is None)
        for reason in came.because:
            assert re.fullmatch(r"R([1-9]|1[0-7])", reason.rule)
            assert reason.text
            assert reason.facts
            assert all(re.fullmatch(r"[a-z_.]+=.+", fact) for fact in reason.facts)
            assert str(reason).startswith(f"{reason.rule}: {reason.text}")
        last = came.because[-1]
        if came.destination is not None and last.rule != "R13":
            assert (last.rule, last.text) == ("R10", f"the call goes to {came.destination}")

    @given(strategies.accounts(), st.integers(0, 11), st.sampled_from(Outcome))
    def test_every_route_is_explained(self, account: Account, forwards: int, outcome: Outcome) -> None:
        self.is_explained(route(account, forwards=forwards))
        self.is_explained(after(plan(account), outcome, facts(account, forwards=forwards)))

    @given(strategies.accounts())
    def test_what_rings_is_explained_by_its_rule(self, account: Account) -> None:
        came = route(account)
        if came.ring is not None:
            saved = "R2" if account.selection is Device.WEBRTC else "R3"
            chosen = saved if account.sessions else "R1"
            assert came.because[-1].rule == ("R4" if fallen_back(account) else chosen)

    def test_a_fallback_tells_the_whole_way(self) -> None:
        known = apply(REGISTERED, ContactsChanged(Device.DESKPHONE, reachable=True))
        assert [str(reason) for reason in route(away(known, Device.WEBRTC)).because] == [
            "R2: WebRTC is selected (logged_in=true, selection=webrtc)",
            "R4: the WebRTC line is not registered (webrtc.reachable=false)",
            "R4: so the deskphone rings (deskphone.reachable=true)",
        ]

    def test_what_was_never_reported_is_unknown(self) -> None:
        account = apply(Account(ALICE), LoggedIn("tab-1"))
        assert [str(reason) for reason in route(account).because] == [
            "R2: WebRTC is selected (logged_in=true, selection=webrtc)",
            "R4: nothing is known of the WebRTC line (webrtc.reachable=unknown)",
            "R4: nothing is known of the deskphone, so it is tried (deskphone.reachable=unknown)",
        ]

    def test_a_refusal_for_too_many_forwards_tells_the_counts(self) -> None:
        last = resolve(
            planned(forwarding=Forwarding(unconditional=Forward("2000"))), Facts(forwards=10)
        ).because[-1]
        assert str(last) == "R13: the call was forwarded too often (forwards=10, max_forwards=10)"

    def test_the_limit_tells_the_counts(self) -> None:
        first = resolve(planned(), Facts(reachable=BOTH, calls=7)).because[0]
        assert str(first) == "R8: the user has no call left (calls=7, limit=5)"

    @pytest.mark.parametrize(("device", "reachable"), list(product(Device, [True, False])))
    def test_a_destination_reads_as_a_sentence(self, device: Device, reachable: bool) -> None:
        up = frozenset({device}) if reachable else frozenset()
        assert str(resolve(planned(), Facts(reachable=up))) in (f"rings {device}", f"goes to mailbox {BOX}")


class TestSentences:
    """R17: each reason reads as a sentence with its rule and its facts."""

    @staticmethod
    def said(came: Route) -> list[str]:
        return [str(reason) for reason in came.because]

    def test_without_facts_it_ends_after_the_text(self) -> None:
        assert str(Reason("R1", "so it is")) == "R1: so it is"

    def test_the_browser_rings(self) -> None:
        assert self.said(route(REGISTERED)) == [
            "R2: WebRTC is selected (logged_in=true, selection=webrtc)",
            "R2: the WebRTC line is registered, so the browser rings (webrtc.reachable=true)",
        ]

    def test_nobody_logged_in(self) -> None:
        assert self.said(route(Account(ALICE))) == [
            "R1: nobody is logged in, so the deskphone rings (logged_in=false, selection=webrtc)",
        ]

    def test_the_deskphone_selected(self) -> None:
        assert self.said(route(apply(REGISTERED, DeviceSelected(Device.DESKPHONE)))) == [
            "R3: the deskphone is selected (logged_in=true, selection=deskphone)",
        ]

    def test_no_device_at_all_names_every_step_down_to_the_destination(self) -> None:
        assert self.said(route(away(away(REGISTERED, Device.WEBRTC), Device.DESKPHONE))) == [
            "R2: WebRTC is selected (logged_in=true, selection=webrtc)",
            "R4: the WebRTC line is not registered (webrtc.reachable=false)",
            "R12: the deskphone is not registered (deskphone.reachable=false)",
            "R12: no device can be rung (reachable=none)",
            "R9: the unavailable rule applies (outcome=unavailable)",
            "R10: the call goes to mailbox 1001@default (forwards=0)",
        ]

    def test_nobody_answered(self) -> None:
        assert self.said(after(planned(), Outcome.NO_ANSWER, EVERYWHERE)) == [
            "R9: the no answer rule applies (outcome=no_answer)",
            "R10: the call goes to mailbox 1001@default (forwards=0)",
        ]

    def test_do_not_disturb(self) -> None:
        quiet = planned(forwarding=Forwarding(do_not_disturb=True))
        assert self.said(resolve(quiet, EVERYWHERE)) == [
            "R8: do-not-disturb is on (do_not_disturb=true)",
            "R10: the call goes to mailbox 1001@default (forwards=0)",
        ]

    def test_an_unconditional_forward(self) -> None:
        away_to = planned(forwarding=Forwarding(unconditional=Forward("3000")))
        assert self.said(resolve(away_to, EVERYWHERE)) == [
            "R8: an unconditional forward is on (forward=extension 3000)",
            "R10: the call goes to extension 3000 (forwards=0)",
        ]

    def test_forwards_that_went_on_too_long_name_what_was_tried(self) -> None:
        away_to = planned(forwarding=Forwarding(unconditional=Forward("3000")))
        assert self.said(resolve(away_to, evolve(EVERYWHERE, forwards=10))) == [
            "R8: an unconditional forward is on (forward=extension 3000)",
            "R13: the call was forwarded too often (forwards=10, max_forwards=10)",
        ]
