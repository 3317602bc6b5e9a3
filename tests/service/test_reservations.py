from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.close_users import close_users
from unique_account.adapters.asterisk.cel.owners import Owners
from unique_account.adapters.asterisk.config_files.dialplan import render
from unique_account.adapters.asterisk.dialplan_text import NotForDialplan
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.core.errors import Ineligible, InvalidFields
from unique_account.core.uniqueness import ClaimKind, claims_of, collisions
from unique_account.core.user import User
from unique_account.json_documents import InvalidDocument
from unique_account.service.reservations import Reservations

TABLE = """
[[users]]
id = "{0.id}"
extension = "{0.extension}"
dids = [{dids}]
deskphone = "{0.deskphone}"
webrtc = "{0.webrtc}"
context = "{0.context}"
"""


def written(users: list[User]) -> str:
    tables = (TABLE.format(user, dids=", ".join(f'"{did}"' for did in user.dids)) for user in users)
    return "".join(tables)


def sentences(users: list[User]) -> tuple[str, ...]:
    return tuple(collisions((user.id, user) for user in users))


class TestEveryJudge:
    """A1: all who judge whose a number or a device is judge alike."""

    @given(st.lists(close_users(), min_size=1, max_size=3, unique_by=lambda user: user.id))
    def test_judges_alike(self, tmp_path_factory: pytest.TempPathFactory, users: list[User]) -> None:
        found = sentences(users)
        path = tmp_path_factory.getbasetemp() / "users.toml"
        path.write_text(written(users))
        assert _problems(lambda: render(users)) == found
        assert _problems(lambda: Owners(users)) == found
        assert len(_problems(lambda: read_users_file(path))) == len(found)
        reservations = Reservations()
        judged: list[str] = []
        for user in users:
            judged += reservations.problems(user)
            reservations.move(None, user)
        assert tuple(judged) == found

    @given(st.lists(close_users(), min_size=2, max_size=2))
    def test_a_node_judges_ids_and_devices(self, users: list[User]) -> None:
        first, second = (
            {claim for claim in claims_of(user) if claim.kind is not ClaimKind.NUMBER} for user in users
        )
        assert bool(_problems(lambda: Translator(users))) is bool(first & second)


def _problems(judge: object) -> tuple[str, ...]:
    assert callable(judge)
    try:
        judge()
    except (NotForDialplan, Ineligible, InvalidFields, InvalidDocument) as error:
        return tuple(error.problems)
    return ()


ALICE = User(id="alice", extension="1", deskphone="PJSIP/a", webrtc="PJSIP/a_w")
BOB = User(id="bob", extension="1", deskphone="PJSIP/b", webrtc="PJSIP/b_w")


class TestReserved:
    """A1: what a change claims is reserved while it is stored."""

    def test_a_change_that_fails_releases_what_it_reserved(self) -> None:
        reservations = Reservations()

        def fail() -> None:
            assert reservations.problems(BOB) == ("bob: number 1 in default is already that of alice",)
            raise OSError("store")

        with pytest.raises(OSError, match="store"), reservations.reserved(lambda: None, ALICE):
            fail()
        assert reservations.problems(BOB) == ()

    def test_what_another_user_reserved_is_refused(self) -> None:
        reservations = Reservations()
        reservations.move(None, ALICE)
        with pytest.raises(Ineligible), reservations.reserved(lambda: None, BOB):
            pass
