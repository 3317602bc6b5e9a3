"""Numbers and devices belong to one user of a database, whoever writes it (A1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from unicodedata import category

import psycopg
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.adapters.postgresql import PostgresqlAccounts, schema
from unique_account.core.account import Kept
from unique_account.core.errors import Ineligible
from unique_account.core.number import Number
from unique_account.core.user import User
from unique_account.json_documents import to_json
from unique_account.ports.accounts import StaleVersion

ALICE = User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
BOB = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
CAROL = User(id="carol", extension="1003", deskphone="PJSIP/carol", webrtc="PJSIP/carol_w")
INSERT = "INSERT INTO unique_account.accounts VALUES (%s, %s, %s, %s)"
"""As releases wrote that did not know claims."""


def having(url: str, check: Callable[[PostgresqlAccounts], Awaitable[None]]) -> None:
    async def run() -> None:
        async with aclosing(PostgresqlAccounts(url)) as accounts:
            await check(accounts)

    asyncio.run(run())


async def stored(accounts: PostgresqlAccounts) -> list[str]:
    return [user.id async for user, _ in accounts.all()]


class TestClaims:
    """A1: what one user has, another cannot get, not even by another process."""

    @pytest.mark.parametrize(
        ("other", "problem"),
        [
            (evolve(BOB, extension="1001"), "number 1001 in default is already that of alice"),
            (evolve(BOB, dids=("+33 (0)1 23",)), "number +33123 in default is already that of alice"),
            (evolve(BOB, deskphone="PJSIP/alice_w"), "device PJSIP/alice_w is already that of alice"),
        ],
    )
    def test_what_another_user_has_is_refused(self, url: str, other: User, problem: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            await accounts.add([evolve(ALICE, dids=("+33\u202f1-23",))])
            with pytest.raises(Ineligible) as refused:
                await accounts.add([CAROL, other])
            assert refused.value.problems == (f"bob: {problem}",)
            assert await stored(accounts) == ["alice"]
            await accounts.add([BOB])
            with pytest.raises(Ineligible) as refused:
                await accounts.save(other, Kept(version=1), 0)
            assert refused.value.problems == (f"bob: {problem}",)
            assert await accounts.load("bob") == (BOB, Kept())

        having(url, check)

    def test_all_that_is_wrong_is_said_at_once(self, url: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            await accounts.add([ALICE])
            with pytest.raises(Ineligible) as refused:
                await accounts.add([evolve(ALICE, id="bob")])
            assert len(refused.value.problems) == 3

        having(url, check)

    def test_the_same_number_in_another_context_is_another(self, url: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            await accounts.add([ALICE, evolve(BOB, extension="1001", context="lyon")])
            assert await stored(accounts) == ["alice", "bob"]

        having(url, check)

    def test_what_is_given_up_can_be_had(self, url: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            await accounts.add([ALICE, BOB])
            await accounts.save(evolve(ALICE, extension="2001"), Kept(version=1), 0)
            await accounts.save(evolve(BOB, extension="1001"), Kept(version=1), 0)
            await accounts.remove("bob", 1)
            await accounts.save(last := evolve(ALICE, dids=("1002",)), Kept(version=2), 1)
            assert await accounts.load("alice") == (last, Kept(version=2))
            assert await stored(accounts) == ["alice"]

        having(url, check)

    def test_a_stale_save_claims_nothing(self, url: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            await accounts.add([ALICE, BOB])
            with pytest.raises(StaleVersion):
                await accounts.save(evolve(ALICE, extension="3001"), Kept(version=8), 7)
            await accounts.save(evolve(BOB, extension="3001"), Kept(version=1), 0)

        having(url, check)

    def test_of_many_who_claim_it_at_once_one_has_it(self, url: str) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            users = [
                User(id=f"user-{n}", extension="1000", deskphone=f"PJSIP/{n}", webrtc=f"PJSIP/{n}_w")
                for n in range(12)
            ]
            done = await asyncio.gather(*(accounts.add([user]) for user in users), return_exceptions=True)
            assert sorted(type(one).__name__ for one in done) == ["Ineligible"] * 11 + ["NoneType"]
            assert len(await stored(accounts)) == 1

        having(url, check)


class TestDialled:
    """R10: the database compares numbers as the core does."""

    def _compares(self, url: str, texts: list[str]) -> None:
        PostgresqlAccounts(url)
        with psycopg.connect(url) as connection:
            query = "SELECT unique_account.dialled(text) FROM unnest(%s::text[]) AS text"
            found = connection.execute(query, (texts,)).fetchall()
        assert [text for (text,) in found] == [str(Number(text)) for text in texts]

    def test_each_character(self, url: str) -> None:
        texts = [f"1{chr(code)}2" for code in range(1, 0x110000) if category(chr(code)) not in ("Cs", "Cn")]
        self._compares(url, texts)

    @given(texts=st.lists(st.text("0123+()-. /\u00ad\u202fa*#")))
    @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_text(self, url: str, texts: list[str]) -> None:
        self._compares(url, [*texts, "+33 (0)1 23", "(+33)(0)1", "00(0)", "(0)1"])


class TestMigration:
    """A1: collisions that are there already are reported, and stop nothing."""

    @pytest.fixture
    def collided(self, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """A database of a release that knew no claims, with a number of two users."""
        with monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:3])
            PostgresqlAccounts(url)
        with psycopg.connect(url) as connection:
            for user in (ALICE, evolve(BOB, extension="1001"), CAROL):
                connection.execute(INSERT, (user.id, 0, to_json(user), to_json(Kept())))
        return url

    def test_they_are_reported_and_left(self, collided: str, caplog: pytest.LogCaptureFixture) -> None:
        async def check(accounts: PostgresqlAccounts) -> None:
            assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
                "bob: number 1001 in default is already that of alice"
            ]
            bob = evolve(BOB, extension="1001")
            await accounts.save(bob, Kept(version=1), 0)
            await accounts.save(evolve(bob, ring_seconds=12), Kept(version=2), 1)
            with pytest.raises(Ineligible):
                await accounts.save(evolve(bob, dids=("1003",)), Kept(version=3), 2)
            await accounts.remove("alice", 0)
            await accounts.save(bob, Kept(version=3), 2)
            with pytest.raises(Ineligible):
                await accounts.save(evolve(CAROL, extension="1001"), Kept(version=1), 0)

        having(collided, check)

    def test_an_older_release_runs_on_the_newer_schema(
        self, collided: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It opens the database, and what it writes keeps the claims."""
        PostgresqlAccounts(collided)
        monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:3])
        PostgresqlAccounts(collided)
        update = "UPDATE unique_account.accounts SET administered = %s WHERE user_id = %s"
        dave = evolve(CAROL, id="dave", extension="1004", deskphone="PJSIP/d", webrtc="PJSIP/d_w")
        with psycopg.connect(collided, autocommit=True) as older:
            older.execute(update, (to_json(evolve(CAROL, extension="4003")), "carol"))
            older.execute(INSERT, ("dave", 0, to_json(dave), to_json(Kept())))
            older.execute("DELETE FROM unique_account.accounts WHERE user_id = 'dave'")
            with pytest.raises(psycopg.errors.UniqueViolation):
                older.execute(update, (to_json(evolve(CAROL, extension="1001")), "carol"))
            claims = older.execute(
                "SELECT kind, name FROM unique_account.claims WHERE user_id > 'c' ORDER BY 1, 2"
            ).fetchall()
        assert claims == [("device", "PJSIP/carol"), ("device", "PJSIP/carol_w"), ("number", "4003")]
