"""Several processes of one group on one database: one serves, the others stand by."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from lab.postgresql import PostgresqlServer
from tests.postgresql.group_processes import GroupProcess, processes, seconds_of, until_owner
from tests.serve.serve_process import ALICE, USER, wait

Group = Callable[..., AbstractContextManager[list[GroupProcess]]]

AUDIT = """
    CREATE TABLE audit (at timestamptz DEFAULT clock_timestamp(), user_id text, epoch bigint);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit (user_id, epoch) SELECT coalesce(NEW.user_id, OLD.user_id), max(epoch)
            FROM unique_account.group_leases;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON unique_account.accounts
        FOR EACH ROW EXECUTE FUNCTION note();
"""
CAROL = USER.format("carol", "1003")


@pytest.fixture
def group(server: PostgresqlServer, url: str, tmp_path: Path) -> Group:
    return partial(processes, tmp_path, url, server.password)


def stored(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        query = "SELECT user_id FROM unique_account.accounts ORDER BY user_id"
        return [user for (user,) in connection.execute(query)]


class TestGroup:
    def test_one_serves_and_the_others_say_who(self, group: Group) -> None:
        with group("one", "two") as (one, two):
            assert one.page("ready")[0] == 200
            assert one.page("health")[0] == 200
            status, _ = two.page("ready")
            assert status == 503
            assert two.page("health") == (200, '{"status":"ok","role":"standby"}')
            standing = two.standing
            assert standing.pop("since") is not None
            assert standing == {
                "role": "standby",
                "group": "paris",
                "name": "two",
                "owner": "one",
                "address": "https://one.example.org",
                "epoch": 1,
            }
            assert (one.metric("is_owner"), one.metric("epoch"), one.metric("takeovers_total")) == (1, 1, 1)
            assert one.metric("renewal_age_seconds") < 1.2
            assert (two.metric("is_owner"), two.metric("epoch"), two.metric("takeovers_total")) == (0, 1, 0)
            assert 'unique_account_accounts{state="logged_out"} 2.0' in one.page("metrics")[1]

    def test_an_owner_that_is_killed_is_followed(self, group: Group) -> None:
        with group("one", "two") as (one, two):
            one.signal(signal.SIGKILL)
            assert seconds_of(lambda: until_owner(two, epoch=2)) < 8
            assert 'unique_account_accounts{state="logged_out"} 2.0' in two.page("metrics")[1]

    def test_a_planned_stop_hands_over_in_about_a_second(self, group: Group) -> None:
        with group("one", "two", times="look = 0.25") as (one, two):
            one.signal(signal.SIGTERM)
            assert seconds_of(lambda: until_owner(two, epoch=2)) < 2.5
            assert one.ends() == 0
            assert "gave the group paris up: a planned stop" in one.log

    def test_of_three_exactly_one_serves_through_many_ends(self, group: Group) -> None:
        with group("one", "two", "three") as running:
            for epoch in (2, 3):
                owner = until_owner(*running, epoch=epoch - 1)
                owner.signal(signal.SIGKILL)
                running.remove(owner)
                until_owner(*running, epoch=epoch)
                assert [one.role for one in running].count("owner") == 1


class TestPause:
    def test_an_owner_that_was_paused_writes_nothing_any_more(self, group: Group, url: str) -> None:
        with group("one", "two") as (one, two):
            one.signal(signal.SIGSTOP)
            until_owner(two, epoch=2)
            with psycopg.connect(url) as connection:
                connection.execute(AUDIT.encode())
            # What it finds to do as soon as it goes on: users that are new, and one that is gone.
            (one._log.parent / "users.toml").write_text(ALICE + CAROL, "utf-8")
            one.signal(signal.SIGHUP)
            one.signal(signal.SIGCONT)
            wait(lambda: one.role == "standby" and one.standing["owner"] == "two", "a standby")
            assert "has an owner of epoch 2, this process had epoch 1" in one.log
            assert stored(url) == ["alice", "bob"]
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT * FROM audit").fetchall() == []
            two.signal(signal.SIGTERM)
            until_owner(one, epoch=3)
            assert two.ends() == 0

    def test_a_standby_that_was_paused_takes_nothing_over(self, group: Group) -> None:
        with group("one", "two") as (one, two):
            two.signal(signal.SIGSTOP)
            time.sleep(3)
            two.signal(signal.SIGCONT)
            time.sleep(1)
            assert (one.role, two.role, one.standing["epoch"]) == ("owner", "standby", 1)


class TestDatabase:
    def test_an_owner_goes_on_when_the_database_is_back(self, group: Group, server: PostgresqlServer) -> None:
        with group("one", "two") as (one, two):
            server.stop()
            try:
                wait(lambda: one.role == "unsure", "an owner that takes no changes")
                assert one.page("ready")[0] == 503
                assert two.page("health")[0] == 200
            finally:
                server.start()
            wait(lambda: one.role == "owner", "the owner again")
            time.sleep(2.5)
            assert (one.role, two.role, one.standing["epoch"]) == ("owner", "standby", 1)

    def test_it_needs_a_database(self, group: Group, tmp_path: Path) -> None:
        with group("one") as (one,):
            home = one._log.parent
            text = (home / "unique_account.toml").read_text("utf-8")
            before, _, after = text.partition("[accounts.postgresql]")
            (home / "unique_account.toml").write_text(
                f'accounts.file = "a.db"\n{before}{after[after.index("[[nodes]]") :]}', "utf-8"
            )
            refused = GroupProcess(home, "one")
            assert refused.ends() == 1
            assert "cluster: needs the table accounts.postgresql" in refused.log
