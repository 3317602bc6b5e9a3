"""``unique-account serve`` as a process, on a PBX double: its pages, its signals, its log."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import pytest
from attrs import frozen
from click.testing import CliRunner
from websockets.sync.client import connect

from tests.adapters.xuc.schema import check_event
from tests.serve.serve_process import ALICE, BOB, CONFIG, PATIENCE, Serve
from unique_account.adapters.people_file import hash_password
from unique_account.cli import command

ASSISTANT = """
[assistant]
people.file = "people.toml"
key.file = "tokens.key"
passwords.file = "secrets.conf"
sip = "wss://pbx.example.org/ws"
port = {}
{}
"""
MDS1 = """
[[nodes]]
name = "mds1"
kind = "memory"
proxy_path = "/ws-mds1"
passwords.file = "mds1.conf"
"""
PERSON = '[[people]]\nlogin = "alice"\nuser = "alice"\nname = "Alice"\npassword = "{}"\n'


def write_people(folder: Path, password: str) -> None:
    (folder / "people.toml").write_text(PERSON.format(hash_password(password)), "utf-8")


def serves_assistants(folder: Path, port: int, more: str = "") -> None:
    """Let a folder's configuration serve the UC Assistant too."""
    (folder / "unique_account.toml").write_text(CONFIG + ASSISTANT.format(port, more), "utf-8")
    (folder / "tokens.key").write_text("k" * 32, "utf-8")
    (folder / "secrets.conf").write_text("[alice_w-auth](+)\npassword = secret\n", "utf-8")
    for secret in ("tokens.key", "secrets.conf"):
        (folder / secret).chmod(0o600)
    write_people(folder, "sésame")


@frozen
class Cti:
    """The CTI server of a process."""

    port: int

    def ask(self, method: str, path: str, token: str) -> int:
        return self._answer(method, path, headers={"Authorization": f"Bearer {token}"}).status_code

    def log_in(self) -> str:
        answer = self._answer("POST", "auth/login", json={"login": "alice", "password": "sésame"})
        return str(answer.json()["token"])

    def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(
            method, f"http://127.0.0.1:{self.port}/xuc/api/2.0/{path}", trust_env=False, **more
        )

    def prefer(self, token: str, key: str, value: str) -> None:
        self._command(token, "Done", command="setUserPreference", key=key, value=value, value_type="String")

    def preference(self, token: str) -> tuple[str, str]:
        said = self._command(token, "UserPreference", command="getUserPreferences")
        return said["key"], said["value"]

    def line(self, token: str) -> dict[str, str]:
        return self._command(token, "SipLine", command="getConfig", objectType="line")

    def _command(self, token: str, answer: str, **fields: str) -> dict[str, str]:
        url = f"ws://127.0.0.1:{self.port}/xuc/api/2.0/cti?token={token}"
        with connect(url, proxy=None) as socket:
            socket.send(json.dumps({"claz": "web", "ref": 1, **fields}))
            while True:
                frame = json.loads(socket.recv(PATIENCE))
                check_event(frame)
                if frame.get("msgType") == answer:
                    content: dict[str, str] = frame["ctiMessage"]
                    return content


@contextmanager
def cti(folder: Path, port: int) -> Iterator[Cti]:
    """A process that serves the UC Assistant, and is stopped in order in the end."""
    (folder / "log").unlink(missing_ok=True)  # which says that an earlier one was ready
    running = Serve(folder)
    try:
        assert running.url
        yield Cti(port)
        running.process.send_signal(signal.SIGTERM)
        assert running.ends() == 0
    finally:
        running.process.kill()
        running.process.wait()


def page(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class TestPages:
    """Health and metrics are served on loopback."""

    def test_health_names_each_node(self, serve: Serve) -> None:
        status, said = page(f"{serve.url}/health")
        assert (status, json.loads(said)) == (
            200,
            {"status": "ok", "nodes": {"default": "connected"}, "store": "connected"},
        )

    def test_metrics_count_accounts_and_name_nobody(self, serve: Serve) -> None:
        _, said = page(f"{serve.url}/metrics")
        assert 'unique_account_accounts{state="logged_out"} 1.0\n' in said
        assert 'unique_account_node_connected{node="default"} 1.0\n' in said
        assert "alice" not in said

    def test_nothing_else_is_there(self, serve: Serve) -> None:
        assert page(f"{serve.url}/")[0] == 404


class TestUsers:
    """Users are read at the start and at SIGHUP; what cannot be read changes nothing."""

    def test_sighup_reads_them_again(self, serve: Serve, folder: Path) -> None:
        url = serve.url
        (folder / "users.toml").write_text(ALICE.replace("1001", "1009") + BOB, "utf-8")
        serve.process.send_signal(signal.SIGHUP)
        serve.logs("users: 1 added, 1 changed")
        assert 'unique_account_accounts{state="logged_out"} 2.0\n' in page(f"{url}/metrics")[1]

    @pytest.mark.parametrize(
        ("broken", "said"),
        [
            ("nonsense", r"users\.toml: is not TOML"),
            (ALICE + "ring_seconds = " + "9" * 5000, r"users\.toml: is not TOML"),
            (ALICE + "dids = " + "[" * 100_000, r"users\.toml: is nested too deeply"),
            (".".join("a" * 5000) + " = 1", r"users\.toml: is nested too deeply"),
            (
                ALICE + "ring_seconds = 0x" + "f" * 5000,
                r"users\.toml: users\[0\]\.ring_seconds: is a number of more than 18",
            ),
        ],
        ids=["no TOML", "a number of 5,000 digits", "nested lists", "nested tables", "a huge number"],
    )
    def test_a_broken_file_changes_nothing_and_the_next_good_one_counts(
        self, serve: Serve, folder: Path, broken: str, said: str
    ) -> None:
        url = serve.url
        (folder / "users.toml").write_text(broken, "utf-8")
        serve.process.send_signal(signal.SIGHUP)
        serve.logs(f"ERROR   users: read failed: {said}")
        assert 'unique_account_accounts{state="logged_out"} 1.0\n' in page(f"{url}/metrics")[1]
        (folder / "users.toml").write_text(BOB, "utf-8")
        serve.process.send_signal(signal.SIGHUP)
        serve.logs("users: 1 added, 1 removed")

    def test_a_broken_file_at_the_start_does_not_keep_stored_accounts_from_being_served(
        self, serve: Serve, folder: Path
    ) -> None:
        assert serve.url
        serve.process.send_signal(signal.SIGTERM)
        assert serve.ends() == 0
        (folder / "users.toml").write_text("nonsense", "utf-8")
        again = Serve(folder)
        try:
            again.logs("(?s)users: read failed.*ready: 1 account;")
        finally:
            again.process.kill()
            again.process.wait()

    def test_with_nobody_stored_it_is_refused(self, folder: Path) -> None:
        (folder / "users.toml").write_text("nonsense", "utf-8")
        serve = Serve(folder)
        assert serve.ends() == 1
        assert "\nError: users.toml: is not TOML: Expected '='" in serve.log


class TestRights:
    """What is kept is the owner's alone, and what lies open beside it is named."""

    def test_the_store_is_its_owners(self, serve: Serve, folder: Path) -> None:
        assert serve.url
        stored = list(folder.glob("accounts.sqlite*"))
        assert len(stored) >= 1
        assert {file.stat().st_mode & 0o077 for file in stored} == {0}
        assert "open to others" not in serve.log

    def test_a_folder_and_a_secret_that_others_can_get_at_are_named(self, folder: Path) -> None:
        folder.chmod(0o755)
        (folder / "ami.secret").write_text("geheim", "utf-8")
        (folder / "ami.secret").chmod(0o644)
        config = CONFIG + 'secret.file = "ami.secret"\n'
        (folder / "unique_account.toml").write_text(config, "utf-8")
        serve = Serve(folder)
        try:
            assert serve.url
            serve.logs(f"WARNING the folder {folder} of a store is open to others: chmod 0700 {folder}")
            serve.logs(r"WARNING \S+ami\.secret holds a secret and is open to everybody: chmod o= ")
            assert "geheim" not in serve.log
            assert folder.stat().st_mode & 0o777 == 0o755
        finally:
            serve.process.kill()
            serve.process.wait()


class TestSignals:
    """A stop is in order, and a second signal does not wait for it."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_stops_in_order(self, serve: Serve, number: signal.Signals) -> None:
        assert serve.url
        serve.process.send_signal(number)
        assert serve.ends() == 0
        assert f"{number.name}: stopping; once more stops at once" in serve.log
        assert serve.log.endswith("INFO    stopped\n")
        assert "Traceback" not in serve.log

    def test_a_second_signal_stops_at_once(self, serve: Serve) -> None:
        assert serve.url
        serve.process.send_signal(signal.SIGSTOP)
        serve.process.send_signal(signal.SIGTERM)
        serve.process.send_signal(signal.SIGINT)
        serve.process.send_signal(signal.SIGCONT)
        assert serve.ends() == 0
        assert "stopping at once" in serve.log
        assert "Traceback" not in serve.log


class TestLog:
    """The log is for people, or one JSON object on each line."""

    def test_lines_for_people(self, serve: Serve) -> None:
        assert serve.url
        for line in serve.log.splitlines():
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO    \S.*", line)

    def test_lines_of_json(self, folder: Path) -> None:
        serve = Serve(folder, "--json-log")
        try:
            serve.logs("ready: ")
            said = [json.loads(line) for line in serve.log.splitlines()]
            assert said[0]["message"] == "users: 1 added"
            assert said[0]["level"] == "info"
        finally:
            serve.process.kill()
            serve.process.wait()


class TestDescriptors:
    """The process may open as many files and sockets as it is let."""

    def test_the_soft_limit_is_raised(self, serve: Serve) -> None:
        assert serve.url
        limits = Path(f"/proc/{serve.process.pid}/limits").read_text("utf-8")
        found = re.search(r"Max open files +(\d+) +(\d+)", limits)
        assert found
        assert found[1] == found[2]


class TestRefusals:
    """What is wrong is said in sentences, with exit code 1."""

    def test_every_problem_of_the_configuration(self, folder: Path) -> None:
        (folder / "unique_account.toml").write_text(CONFIG + "port = 0\nnmae = 1\n[log]\njson = 3\n", "utf-8")
        serve = Serve(folder)
        assert serve.ends() == 1
        assert serve.log == (
            "Error: unique_account.toml cannot be used:\n"
            "  nodes[0].port: is 0; from 1 to 65535\n"
            "  nodes[0]: has no field named nmae; did you mean name?\n"
            "  log.json: is a whole number, not true or false\n"
        )

    def test_a_port_that_somebody_else_has(self, serve: Serve, folder: Path) -> None:
        port = serve.url.rpartition(":")[2]
        config = CONFIG.replace("port = 0", f"port = {port}").replace("accounts.sqlite", "others.sqlite")
        (folder / "unique_account.toml").write_text(config, "utf-8")
        other = Serve(folder)
        assert other.ends() == 1
        assert f"Error: 127.0.0.1:{port} cannot be listened on: Address already in use" in serve.log

    def test_a_port_of_the_assistant_that_somebody_else_has(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            serves_assistants(folder, port)
            serve = Serve(folder)
            assert serve.ends() == 1
        assert serve.log == f"Error: 127.0.0.1:{port} cannot be listened on: Address already in use\n"

    def test_a_store_of_the_assistant_that_is_none(self, folder: Path) -> None:
        serves_assistants(folder, 0, 'store.file = "people.toml"')
        serve = Serve(folder)
        assert serve.ends() == 1
        assert (
            "people.toml cannot be used for sessions and preferences: file is not a database\n" in serve.log
        )


class TestAssistant:
    """S2: what the CTI server has to remember is there after a restart."""

    @pytest.mark.parametrize("store", ["", 'store.file = "cti.sqlite"'])
    def test_tokens_and_preferences_over_restarts(self, folder: Path, free_port: int, store: str) -> None:
        serves_assistants(folder, free_port, store)
        with cti(folder, free_port) as at:
            ended, kept = at.log_in(), at.log_in()
            assert at.ask("POST", "auth/logout", ended) == 204
            at.prefer(kept, "colour", "green")
        with cti(folder, free_port) as at:
            assert (at.ask("GET", "auth/check", ended), at.ask("GET", "auth/check", kept)) == (401, 200)
            assert at.preference(kept) == ("colour", "green")
            write_people(folder, "another")
            assert at.ask("GET", "auth/check", kept) == 401
        with cti(folder, free_port) as at:
            assert at.ask("GET", "auth/check", kept) == 401


class TestLines:
    """A4: a browser registers at its user's media server, with what was rendered for it there."""

    def test_the_line_of_a_user_of_the_second_node(self, folder: Path, free_port: int) -> None:
        serves_assistants(folder, free_port)
        (folder / "users.toml").write_text(f'{ALICE}media_server = "mds1"\n', "utf-8")
        (folder / "mds1.conf").write_text("[alice_w-auth](+)\npassword = mds1's\n", "utf-8")
        with (folder / "unique_account.toml").open("a", encoding="utf-8") as config:
            config.write(MDS1)
        with cti(folder, free_port) as at:
            line = at.line(at.log_in())
        assert (line["url"], line["password"]) == ("wss://pbx.example.org/ws-mds1", "mds1's")


class TestWithoutConfiguration:
    """Without a configuration a company with played phones is served, so that a newcomer sees the page."""

    def test_the_stage_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        monkeypatch.setattr("unique_account.cli.serve.serve_stage", asked.append)
        assert CliRunner().invoke(command, ["serve"]).exit_code == 0
        assert asked == [8090]
