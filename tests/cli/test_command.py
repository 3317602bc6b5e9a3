"""The command line, as people and scripts meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.paths import DATA
from unique_account.cli import command
from unique_account.core import diagram
from unique_account.core.machine import State, Trigger

RECORDINGS = DATA / "recordings"
USERS = str(RECORDINGS / "users.toml")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run the command within the process."""
    return CliRunner().invoke(command, arguments, input=stdin)


class TestDemo:
    """R1 to R5, R8, R9, R13, R15, S5, S6, H2: the demo shows them at work."""

    def test_it_tells_the_story_with_who_rings_what_is_seen_and_why(self) -> None:
        reported = run("demo")
        assert reported.exit_code == 0
        for sentence in (
            "the call  rings the deskphone",
            "the call  rings the browser",
            "colleagues see ringing in use; alice is deskphone_in_use",
            "because R4: the WebRTC line is not registered (webrtc.reachable=false)",
            "goes to mailbox 1001@default",
            "select_deskphone is refused while logged_out",
        ):
            assert sentence in reported.output

    def test_its_json_has_a_line_for_each_step(self) -> None:
        lines = [json.loads(line) for line in run("demo", "--json").output.splitlines()]
        assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
        assert all({"what", "call", "state", "presence", "because", "history"} <= set(line) for line in lines)

    def test_a_call_that_moved_from_the_lost_browser_is_one_answered_entry(self) -> None:
        history = json.loads(run("demo", "--json").output.splitlines()[-1])["history"]
        starts = [entry.split()[0] for entry in history]
        assert starts == sorted(starts, reverse=True)
        assert sum("08:09:29" in entry for entry in history) == 1
        assert next(entry for entry in history if "08:09:29" in entry).split()[1:4] == [
            "answered",
            "1002",
            "deskphone",
        ]

    def test_it_is_deterministic(self) -> None:
        assert run("demo").output == run("demo").output


class TestReplay:
    """R17: what happened to an account is told with its reasons, from a recording."""

    def test_people_read_before_and_after(self) -> None:
        reported = run("replay", str(RECORDINGS / "ringing.ami"), "--users", USERS)
        assert reported.exit_code == 0
        assert "contacts_changed webrtc false" in reported.output
        assert "route webrtc rings -> deskphone rings, presence ringing -> available" in reported.output

    def test_machines_get_a_json_object_for_each_step(self) -> None:
        reported = run("replay", str(RECORDINGS / "day.ami"), "--users", USERS, "--json")
        lines = [json.loads(line) for line in reported.stdout.splitlines()]
        assert len(lines) > 50
        needed = {"time", "event", "user", "state", "device_in_use", "route", "presence", "because", "before"}
        assert all(needed <= set(line) for line in lines)

    def test_it_reads_standard_input(self) -> None:
        capture = (RECORDINGS / "ringing.ami").read_bytes()
        from_file = run("replay", str(RECORDINGS / "ringing.ami"), "--users", USERS, "--json")
        from_stdin = run("replay", "-", "--users", USERS, "--json", stdin=capture)
        assert from_stdin.stdout == from_file.stdout

    def test_what_cannot_be_understood_is_named_on_stderr_and_skipped(self) -> None:
        capture = b"no header here\r\n\r\n" + (RECORDINGS / "ringing.ami").read_bytes()
        reported = run("replay", "-", "--users", USERS, "--json", stdin=capture)
        assert reported.exit_code == 0
        assert "no header here" in reported.stderr
        assert (
            reported.stdout
            == run("replay", str(RECORDINGS / "ringing.ami"), "--users", USERS, "--json").stdout
        )

    @pytest.mark.parametrize(
        ("capture", "problem"),
        [
            (b"", "standard input is empty"),
            (b"\x00\xff\r\n\r\n" * 9, "standard input is no recording of AMI"),
            (b"Host: example.org\r\n\r\n", "standard input is no recording of AMI"),
            (b"Event: FullyBooted\n\n", "standard input is no recording of AMI"),
        ],
    )
    def test_bytes_that_are_no_ami_are_an_error(self, capture: bytes, problem: str) -> None:
        reported = run("replay", "-", "--users", USERS, stdin=capture)
        assert reported.exit_code == 1
        assert f"Error: {problem}" in reported.stderr

    def test_what_has_no_end_is_given_up(self) -> None:
        reported = run("replay", "/dev/zero", "--users", USERS)
        assert reported.exit_code == 1
        assert "Error: /dev/zero is no recording of AMI" in reported.stderr

    def test_a_long_sentence_is_one_line_of_a_pipe(self) -> None:
        capture = b"x" * 200 + b"\r\n\r\n" + (RECORDINGS / "ringing.ami").read_bytes()
        said = run("replay", "-", "--users", USERS, "--json", stdin=capture).stderr
        assert len(said.splitlines()) == 1

    def test_a_users_file_with_mistakes_says_all_of_them(self, tmp_path: Path) -> None:
        file = tmp_path / "users.toml"
        file.write_text('[[users]]\nid = "a"\nextension = 1\ndeskphone = "x"\nwebrtc = "y"\ncolour = "red"\n')
        reported = run("replay", str(RECORDINGS / "day.ami"), "--users", str(file))
        assert reported.exit_code == 1
        assert "users[0].extension: is a whole number, not text" in reported.stderr
        assert "users[0]: has no field named colour" in reported.stderr

    def test_two_users_cannot_share_a_device_or_a_number(self, tmp_path: Path) -> None:
        one = '[[users]]\nid = "{}"\nextension = "1"\ndeskphone = "SIP/x"\nwebrtc = "SIP/y{}"\n'
        file = tmp_path / "users.toml"
        file.write_text(one.format("a", 1) + one.format("b", 2))
        reported = run("replay", str(RECORDINGS / "day.ami"), "--users", str(file))
        assert "users[1]: device SIP/x is already that of users[0]" in reported.stderr
        assert "users[1]: number 1 in default is already that of users[0]" in reported.stderr

    def test_a_file_that_is_not_toml_is_named_so(self, tmp_path: Path) -> None:
        file = tmp_path / "users.toml"
        file.write_text("[[users")
        assert "is not TOML" in run("replay", str(RECORDINGS / "day.ami"), "--users", str(file)).stderr


class TestExplain:
    """R17: what a call would do, and why, for an account given by flags or as JSON."""

    def test_nothing_said_is_an_account_of_which_nothing_is_known(self) -> None:
        reported = run("explain")
        assert "A call to 1001 rings deskphone." in reported.output
        assert "R1: nobody is logged in" in reported.output

    def test_flags_say_what_is_so(self) -> None:
        flags = ["--logged-in", "--selection", "webrtc", "--webrtc-contact", "--mailbox", "1001@default"]
        reported = run("explain", *flags, "--forward-busy", "1003", "--json")
        said = json.loads(reported.output)
        assert said["route"]["ring"]["interface"] == "PJSIP/alice_w"
        assert said["state"] == "webrtc_active"
        assert said["otherwise"] == {
            "no_answer": "mailbox 1001@default",
            "busy": "extension 1003",
            "congestion": "mailbox 1001@default",
            "unavailable": "mailbox 1001@default",
        }

    def test_a_deskphone_in_a_call_is_in_use_whatever_is_selected(self) -> None:
        said = json.loads(run("explain", "--logged-in", "--deskphone", "on_hold", "--json").output)
        assert (said["state"], said["device_in_use"]) == ("deskphone_in_use", "deskphone")

    def test_an_account_is_read_as_json_and_flags_change_it(self) -> None:
        account = json.dumps(
            {
                "user": {"id": "bo", "extension": "7", "deskphone": "PJSIP/d", "webrtc": "PJSIP/w"},
                "kept": {"selection": "deskphone", "sessions": [{"id": "s"}]},
            }
        )
        assert "A call to 7 rings deskphone." in run("explain", "-", stdin=account).output
        changed = run("explain", "-", "--do-not-disturb", stdin=account)
        assert "A call to 7 goes to refusal with cause 20." in changed.output

    def test_logging_out_by_flag_beats_the_sessions_of_the_file(self) -> None:
        account = json.dumps({"kept": {"sessions": [{"id": "s"}]}})
        said = json.loads(run("explain", "-", "--logged-out", "--json", stdin=account).output)
        assert said["state"] == "logged_out"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (b"\xff\x00", "standard input: is not UTF-8"),
            ("{", "standard input: line 1, column 2: is not JSON"),
            (
                '{"kept": {"selection": "mobile"}}',
                "kept.selection: is 'mobile', not one of deskphone, webrtc",
            ),
            ('{"users": 1}', "has no field named users"),
        ],
    )
    def test_json_that_is_no_account_says_why(self, text: str | bytes, problem: str) -> None:
        reported = run("explain", "-", stdin=text)
        assert reported.exit_code == 1
        assert problem in reported.stderr

    def test_a_forward_that_cannot_work_is_refused(self) -> None:
        reported = run("explain", "--forward", "1001")
        assert reported.exit_code == 1
        assert "1001 is the user's own number (R13)" in reported.stderr

    def test_a_call_was_not_forwarded_less_than_never(self) -> None:
        assert run("explain", "--forwards", "-1").exit_code == 2

    def test_a_number_of_somebody_else_is_refused(self) -> None:
        reported = run("explain", "--dialled", "1002")
        assert reported.exit_code == 1
        assert "Error: 1002 is no number of alice, who has 1001" in reported.stderr
        assert run("explain", "--dialled", "10 01").exit_code == 0

    def test_too_many_forwards_refuse_the_call(self) -> None:
        reported = run("explain", "--forward", "1003", "--forwards", "10")
        assert "R13: the call was forwarded too often (forwards=10, max_forwards=10)" in reported.output


class TestTableAndDiagram:
    """M: the machine as the code has it."""

    def test_the_table_has_a_line_for_every_state_and_trigger(self) -> None:
        lines = run("table").output.splitlines()
        assert len(lines) == len(State) * (1 + len(Trigger))
        assert "  select_webrtc        refused" in lines

    def test_its_json_has_the_outcome_for_each_saved_selection(self) -> None:
        by_state = json.loads(run("table", "--json").output)
        assert by_state["logged_out"]["log_in"] == {
            "webrtc": {"state": "webrtc_active", "selection": "webrtc"},
            "deskphone": {"state": "deskphone_selected", "selection": "deskphone"},
        }
        assert by_state["logged_out"]["select_webrtc"] == {"webrtc": None, "deskphone": None}

    def test_its_markdown_is_that_of_the_documents(self) -> None:
        assert run("table", "--markdown").output.strip() == diagram.markdown()

    def test_the_diagram_is_mermaid(self) -> None:
        reported = run("diagram").output
        assert reported.startswith("stateDiagram-v2\n")
        assert "    webrtc_active --> deskphone_selected: select_deskphone" in reported.splitlines()


class TestImport:
    """A5: a file of users is fit as a whole, or nothing of it is taken."""

    def test_a_good_file_is_said_to_be_fit(self) -> None:
        reported = run("import", USERS)
        assert reported.exit_code == 0
        assert "1 user with a Unique Account, fit to import" in reported.output

    def test_every_bad_row_is_named_with_line_and_field(self, tmp_path: Path) -> None:
        reported = run("import", str(self.csv(tmp_path, "12", "31")))
        assert reported.exit_code == 1
        assert "users.csv: nothing was imported" in reported.stderr
        assert "line 2, ring_seconds: " in reported.stderr
        assert "line 3, ring_seconds: " in reported.stderr

    def test_a_loaded_file_is_in_the_store_and_cannot_be_loaded_again(self, tmp_path: Path) -> None:
        store = str(tmp_path / "accounts.sqlite")
        assert run("import", str(self.csv(tmp_path, "10", "15")), "--into", store).exit_code == 0
        again = run("import", str(self.csv(tmp_path, "10", "15")), "--into", store)
        assert again.exit_code == 1
        assert "user0 has an account already, of version 0" in again.stderr

    def test_a_file_with_one_known_user_loads_nobody(self, tmp_path: Path) -> None:
        store = str(tmp_path / "accounts.sqlite")
        assert run("import", USERS, "--into", store).exit_code == 0
        file = tmp_path / "two.toml"
        two = '[[users]]\nid = "bob"\nextension = "2"\ndeskphone = "SIP/a"\nwebrtc = "SIP/b"\n'
        file.write_text(two + Path(USERS).read_text("utf-8"))
        assert run("import", str(file), "--into", store).exit_code == 1
        assert run("import", str(self.only(tmp_path, two)), "--into", store).exit_code == 0

    def test_a_file_of_a_spreadsheet_is_read_and_how_is_said(self, tmp_path: Path) -> None:
        file = tmp_path / "users.csv"
        text = "firstname;username;exten;line_protocol;sip_username\r\nZoé;zoe;1001;ua;zoe\r\n"
        file.write_bytes(text.encode("cp1252"))
        reported = run("import", str(file))
        assert reported.stderr == "users.csv: read as Windows-1252, with semicolons between the fields\n"
        assert "1 user with a Unique Account, fit to import" in reported.stdout

    def test_the_lines_of_a_file_that_names_its_separator_are_counted(self, tmp_path: Path) -> None:
        file = tmp_path / "users.csv"
        text = "sep=;\r\nusername;exten;line_protocol;sip_username\r\nzoe;;ua;zoe\r\n"
        file.write_bytes(text.encode("utf-16"))
        assert "line 3, exten: is empty" in run("import", str(file)).stderr

    def test_its_json_is_a_user_a_line(self) -> None:
        (line,) = run("import", USERS, "--json").output.splitlines()
        assert json.loads(line)["id"] == "alice"

    @staticmethod
    def only(folder: Path, text: str) -> Path:
        file = folder / "only.toml"
        file.write_text(text)
        return file

    @staticmethod
    def csv(folder: Path, *ring_seconds: str) -> Path:
        heading = (
            "entity_id,firstname,lastname,username,exten,context,line_protocol,sip_username,ring_seconds"
        )
        rows = [
            f"1,First,Last,user{index},{1000 + index},default,ua,phone{index},{seconds}"
            for index, seconds in enumerate(ring_seconds)
        ]
        file = folder / "users.csv"
        file.write_text("\n".join((heading, *rows)) + "\n")
        return file


class TestErrors:
    def test_wrong_usage_exits_with_two(self) -> None:
        assert run("replay").exit_code == 2
        assert run("nonsense").exit_code == 2

    def test_help_is_worth_reading(self) -> None:
        reported = run("--help").output
        for name in ("demo", "replay", "explain", "table", "diagram", "import"):
            assert f"  {name}" in reported
        assert "Exit codes" in reported

    def test_the_module_runs_as_the_script_does(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "unique_account", "diagram"], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == diagram.mermaid()

    def test_a_reader_that_leaves_is_no_error(self) -> None:
        replay = [
            sys.executable,
            "-m",
            "unique_account",
            "replay",
            str(RECORDINGS / "day.ami"),
            "--users",
            USERS,
        ]
        with subprocess.Popen(replay, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert b"Traceback" not in process.stderr.read()
