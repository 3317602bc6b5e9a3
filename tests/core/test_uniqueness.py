from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tests.core.close_users import NAMES, close_users
from unique_account.core.uniqueness import Claim, ClaimKind, Claims, claims_of, collisions, number_claim
from unique_account.core.user import User


def have_in_common(one: User, other: User) -> bool:
    """The rule in plain words, for comparison."""
    devices = {one.deskphone, one.webrtc} & {other.deskphone, other.webrtc}
    numbers = {number.replace(" ", "") for number in one.numbers}
    same = numbers & {number.replace(" ", "") for number in other.numbers}
    return bool(one.id == other.id or devices or (same and one.context == other.context))


class TestCollisions:
    """A1: an id, a device, and a number in its context belong to one user."""

    @given(st.lists(close_users(), max_size=4))
    def test_users_collide_exactly_if_two_of_them_have_something_in_common(self, users: list[User]) -> None:
        named = [(str(index), user) for index, user in enumerate(users)]
        expected = any(have_in_common(*pair) for pair in combinations(users, 2))
        assert bool(list(collisions(named))) is expected

    @given(st.lists(close_users(), max_size=4))
    def test_whoever_claims_again_is_named_with_the_first_owner(self, users: list[User]) -> None:
        named = [(str(index), user) for index, user in enumerate(users)]
        first: dict[Claim, int] = {}
        expected = [
            f"{index}: {claim} is already that of {first[claim]}"
            for index, user in enumerate(users)
            for claim in claims_of(user)
            if first.setdefault(claim, index) != index
        ]
        assert list(collisions(named)) == expected

    def test_the_sentence(self) -> None:
        alice = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
        bob = User(id="bob", extension="10-01", deskphone="PJSIP/bob", webrtc="PJSIP/alice")
        assert list(collisions((user.id, user) for user in (alice, bob))) == [
            "bob: device PJSIP/alice is already that of alice",
            "bob: number 1001 in default is already that of alice",
        ]


class TestClaims:
    """A1: who claims first has it, until it is released."""

    @given(st.lists(st.tuples(st.booleans(), NAMES, st.lists(NAMES, max_size=3)), max_size=12))
    def test_a_claim_has_one_owner(self, steps: list[tuple[bool, str, list[str]]]) -> None:
        claims: Claims[str] = Claims()
        owners: dict[str, str] = {}
        for takes, owner, names in steps:
            some = [Claim(ClaimKind.ID, name) for name in names]
            if takes:
                taken = claims.take(some, owner)
                owners = {**dict.fromkeys(names, owner), **owners}
                assert [(one.claim.name, one.owner) for one in taken] == [
                    (name, owners[name]) for name in names if owners[name] != owner
                ]
            else:
                claims.release(some, owner)
                owners = {name: has for name, has in owners.items() if name not in names or has != owner}
        everything = [Claim(ClaimKind.ID, name) for name in "abc"]
        assert {one.claim.name: one.owner for one in claims.collisions(everything)} == owners

    def test_a_number_is_the_same_however_it_is_written(self) -> None:
        assert number_claim("10-01", "default") == number_claim("1001", "default")
        assert number_claim("1001", "default") != number_claim("1001", "other")
