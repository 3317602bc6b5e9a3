"""Where a call rings, and where it goes instead (R)."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from unique_account.core.account import Account, LineStatus
from unique_account.core.device_in_use import device_in_use
from unique_account.core.events import (
    ContactsChanged,
    DeviceSelected,
    LineChanged,
    LoggedIn,
    UserChanged,
    apply,
    restore,
)
from unique_account.core.forwarding import (
    NO_FORWARDING,
    Extension,
    Fallbacks,
    Forward,
    Forwarding,
)
from unique_account.core.machine import Device, State
from unique_account.core.routing import Candidate, Facts, Plan, Route, facts, plan, resolve, ring, route
from unique_account.core.user import User
from unique_account.testing import strategies

BOX = "1001@default"
DID = "+33123450001"
ALICE = User(
    id="alice", extension="1001", dids=(DID,), deskphone="PJSIP/alice", webrtc="PJSIP/alice_w", mailbox=BOX
)
OUT = Account(ALICE)
IN = apply(OUT, LoggedIn("tab-1"))
REGISTERED = apply(IN, ContactsChanged(Device.WEBRTC, reachable=True))
ON_DESKPHONE = apply(REGISTERED, DeviceSelected(Device.DESKPHONE))
BOTH = frozenset(Device)
EVERYWHERE = Facts(reachable=BOTH)

accounts = strategies.accounts()


def away(account: Account, device: Device) -> Account:
    """The account after the last contact of a device went."""
    return apply(account, ContactsChanged(device, reachable=False))


def planned(user: User = ALICE, forwarding: Forwarding = NO_FORWARDING) -> Plan:
    """The plan of a logged-in user with this forwarding, however it came to be set."""
    return plan(restore(user, evolve(REGISTERED.kept, forwarding=forwarding)))


def rung(result: Route) -> Device | None:
    """The device that rings."""
    return result.ring.device if result.ring else None


class TestLoggedOut:
    """R1: logged out, the deskphone, whatever is saved."""

    @given(accounts)
    def test_no_account_without_a_session_rings_the_browser(self, account: Account) -> None:
        if not account.sessions:
            assert [candidate.device for candidate in plan(account).candidates] == [Device.DESKPHONE]

    def test_the_deskphone_rings_by_its_interface(self) -> None:
        came = route(apply(OUT, ContactsChanged(Device.WEBRTC, reachable=True)))
        assert came.ring is not None
        assert (came.ring.device, came.ring.interface) == (Device.DESKPHONE, "PJSIP/alice")


class TestWebrtc:
    """R2: logged in, WebRTC selected and registered: the UC Assistant, and the deskphone stays silent."""

    def test_the_browser_rings_alone(self) -> None:
        came = route(REGISTERED)
        assert came.ring is not None
        assert (came.ring.device, came.ring.interface) == (Device.WEBRTC, "PJSIP/alice_w")
        assert str(came) == "rings webrtc"


class TestDeskphone:
    """R3: logged in, deskphone selected: the deskphone, and the UC Assistant stays silent."""

    def test_the_deskphone_rings_beside_a_registered_browser(self) -> None:
        assert rung(route(ON_DESKPHONE)) is Device.DESKPHONE


class TestFallback:
    """R4: WebRTC selected but not registered: the deskphone; a selected deskphone never spills."""

    def test_the_deskphone_rings_for_a_browser_without_contact(self) -> None:
        assert rung(route(away(REGISTERED, Device.WEBRTC))) is Device.DESKPHONE

    def test_the_pbx_falls_back_by_itself_on_the_same_plan(self) -> None:
        assert rung(resolve(plan(REGISTERED), EVERYWHERE)) is Device.WEBRTC
        assert (
            rung(resolve(plan(REGISTERED), Facts(reachable=frozenset({Device.DESKPHONE}))))
            is Device.DESKPHONE
        )

    def test_a_selected_deskphone_that_is_away_does_not_ring_the_browser(self) -> None:
        assert rung(route(away(ON_DESKPHONE, Device.DESKPHONE))) is None

    @given(accounts)
    def test_what_rings_is_the_device_in_use(self, account: Account) -> None:
        assert rung(route(account)) in (None, device_in_use(account))


class TestInUse:
    """R5: a deskphone in a call does not change where the next call rings."""

    @pytest.mark.parametrize("account", [REGISTERED, ON_DESKPHONE])
    def test_the_route_is_the_same_before_during_and_after(self, account: Account) -> None:
        talking = apply(account, LineChanged(Device.DESKPHONE, LineStatus.IN_USE))
        assert talking.state is State.DESKPHONE_IN_USE
        assert route(talking) == route(account)


class TestNumbers:
    """R6: extension and every DID route alike; a DID's own ring time applies to calls by it."""

    USER = evolve(ALICE, dids=(DID, "+33123450002"), did_ring_seconds={DID: 45})

    def test_the_plan_answers_for_every_number(self) -> None:
        assert planned(self.USER).numbers == ("1001", DID, "+33123450002")

    @pytest.mark.parametrize(
        ("dialled", "seconds"), [("", 30), ("1001", 30), (DID, 45), ("+33123450002", 30)]
    )
    @pytest.mark.parametrize("reachable", [BOTH, frozenset({Device.DESKPHONE})])
    def test_a_did_rings_for_its_own_time(
        self, dialled: str, seconds: int, reachable: frozenset[Device]
    ) -> None:
        came = ring(planned(self.USER), Facts(reachable=reachable, dialled=dialled))
        assert came.ring is not None
        assert came.ring.seconds == seconds

    @given(accounts)
    def test_all_numbers_route_alike(self, account: Account) -> None:
        routes = [route(account, dialled=number) for number in account.user.numbers]
        assert len({(rung(came), came.destination, came.because) for came in routes}) == 1


class TestDialled:
    """R6: a DID's own ring time applies to calls by it, also in what an account says of itself."""

    def test_route_knows_the_number_that_was_dialled(self) -> None:
        user = evolve(ALICE, dids=("2001",), did_ring_seconds={"2001": 7})
        ring = route(Account(user), dialled="2001").ring
        assert ring is not None
        assert ring.seconds == 7
        assert route(Account(user)).ring == Candidate(Device.DESKPHONE, user.deskphone, user.ring_seconds)


class TestNextCall:
    """R7: a change counts for the next call; calls that ring or talk stay where they are."""

    @given(accounts, st.data())
    def test_no_choice_of_the_user_touches_a_live_call(self, account: Account, data: st.DataObject) -> None:
        held = apply(account, LoggedIn("another"))
        for event in (DeviceSelected(data.draw(strategies.devices())), UserChanged(account.user)):
            held = apply(held, event)
        assert held.calls is account.calls


class TestUsersRules:
    """R11: rules belong to the user; the same follow whichever device is in use. One ring time."""

    @given(accounts)
    def test_a_selection_changes_nothing_but_who_rings(self, account: Account) -> None:
        held = apply(account, LoggedIn("another"))
        on = {device: plan(apply(held, DeviceSelected(device))) for device in Device}
        alike = {evolve(made, version=0, candidates=(), because=()) for made in on.values()}
        assert len(alike) == 1

    @given(accounts)
    def test_every_device_rings_for_the_users_time(self, account: Account) -> None:
        seconds = {candidate.seconds for candidate in plan(account).candidates}
        assert seconds == {account.user.ring_seconds}


class TestUnreachable:
    """R12: no device reachable, the *unavailable* rule; what nothing is known of is tried."""

    USER = evolve(ALICE, fallbacks=Fallbacks(unavailable=Extension("3000"), no_answer=Extension("3001")))

    @pytest.mark.parametrize("account", [OUT, REGISTERED, ON_DESKPHONE])
    def test_the_unavailable_rule_applies(self, account: Account) -> None:
        gone = away(away(apply(account, UserChanged(self.USER)), Device.WEBRTC), Device.DESKPHONE)
        assert route(gone).destination == Extension("3000")

    @pytest.mark.parametrize("status", [LineStatus.UNAVAILABLE, LineStatus.INVALID])
    def test_a_deskphone_that_is_told_unavailable_is_written_off(self, status: LineStatus) -> None:
        assert rung(route(apply(OUT, LineChanged(Device.DESKPHONE, status)))) is None

    def test_a_deskphone_of_which_nothing_is_known_is_tried(self) -> None:
        assert rung(route(OUT)) is Device.DESKPHONE
        assert rung(route(IN)) is Device.DESKPHONE

    def test_a_contact_makes_it_reachable_whatever_its_status(self) -> None:
        reported = apply(OUT, LineChanged(Device.DESKPHONE, LineStatus.UNAVAILABLE))
        assert (
            rung(route(apply(reported, ContactsChanged(Device.DESKPHONE, reachable=True))))
            is Device.DESKPHONE
        )


class TestVanished:
    """R15: a browser that vanishes while it rings hands the call on to the deskphone."""

    def test_asked_again_without_it_the_deskphone_rings(self) -> None:
        first, second = ring(planned(), EVERYWHERE), ring(planned(), Facts(reachable=BOTH - {Device.WEBRTC}))
        assert rung(first) is Device.WEBRTC
        assert rung(second) is Device.DESKPHONE

    def test_the_gate_is_not_passed_a_second_time(self) -> None:
        made = planned(forwarding=Forwarding(do_not_disturb=True, unconditional=Forward("2000")))
        assert rung(ring(made, Facts(reachable=BOTH, calls=9))) is Device.WEBRTC

    def test_the_ring_time_of_both_counts_from_the_first(self) -> None:
        assert len({candidate.seconds for candidate in planned().candidates}) == 1

    def test_if_the_deskphone_cannot_be_rung_the_unavailable_rule_applies(self) -> None:
        made = planned(evolve(ALICE, fallbacks=Fallbacks(unavailable=Extension("3000"))))
        assert ring(made, Facts()).destination == Extension("3000")


class TestPlan:
    """R16: the plan rests on the user's choices only, and says for whom and from when it is."""

    @pytest.mark.parametrize("account", [OUT, REGISTERED, ON_DESKPHONE])
    def test_it_names_both_devices_for_the_limit_whichever_ring(self, account: Account) -> None:
        assert plan(account).interfaces == ("PJSIP/alice", "PJSIP/alice_w")

    @given(accounts, accounts)
    def test_whatever_is_observed_the_plan_is_the_same(self, account: Account, other: Account) -> None:
        elsewhere = restore(account.user, account.kept, account.lease, other.observed)
        assert plan(elsewhere) == plan(account)

    @given(accounts)
    def test_it_carries_user_version_owner_and_node(self, account: Account) -> None:
        made = plan(account, owner="another")
        assert (made.user, made.version, made.owner) == (account.user.id, account.version, "another")
        assert (made.media_server, made.context) == (account.user.media_server, account.user.context)

    @given(accounts)
    def test_a_route_is_the_plan_under_the_known_facts(self, account: Account) -> None:
        assert route(account) == resolve(plan(account), facts(account))
