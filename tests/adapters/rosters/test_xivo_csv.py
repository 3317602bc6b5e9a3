"""Users out of a CSV file: what a row makes, and every problem of every row at once (A5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.rosters.xivo_columns import COLUMNS
from unique_account.adapters.rosters.xivo_csv import REQUIRED, read_users
from unique_account.core.errors import InvalidImport
from unique_account.core.plural import counted
from unique_account.core.user import User

Row = Mapping[str, str]

ALICE: Row = {"username": "alice", "exten": "1001", "line_protocol": "ua", "sip_username": "alice"}
BOB: Row = {"username": "bob", "exten": "1002", "line_protocol": "ua", "sip_username": "bob"}
CAROL: Row = {"username": "carol", "exten": "1003", "line_protocol": "sip", "sip_username": "carol"}

FLAGS = [
    "enabled",
    "supervision_enabled",
    "call_transfer_enabled",
    "dtmf_hangup_enabled",
    "cti_profile_enabled",
    "voicemail_attach_audio",
    "voicemail_delete_messages",
    "voicemail_ask_password",
]
SECRETS = ["password", "sip_secret", "voicemail_password", "call_permission_password", "provisioning_code"]


def written(rows: Sequence[Row], columns: Sequence[str] = tuple(COLUMNS)) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def users(*rows: Row) -> tuple[User, ...]:
    return read_users(lines(written(rows)))


def problems(text: str, **options: str) -> tuple[str, ...]:
    with pytest.raises(InvalidImport) as refusal:
        read_users(lines(text), **options)
    return refusal.value.problems


def problems_of(*rows: Row) -> tuple[str, ...]:
    return problems(written(rows))


class TestUsers:
    """A5: users come by XiVO's CSV import, one for each row of a Unique Account, in the order of the file."""

    def test_a_row_with_the_required_fields_alone_takes_the_defaults(self) -> None:
        assert users(ALICE) == (
            User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"),
        )

    def test_a_file_with_the_required_columns_alone_takes_the_defaults(self) -> None:
        assert read_users(lines(written([ALICE, CAROL], REQUIRED))) == users(ALICE)

    def test_twenty_calls_at_once_are_the_most(self) -> None:
        assert users({**ALICE, "simultaneous_calls": "20"})[0].simultaneous_calls == 20
        assert problems_of({**ALICE, "simultaneous_calls": "21"}) == (
            "line 2, simultaneous_calls: is 21; from 1 to 20",
        )

    def test_a_full_row_fills_the_whole_user(self) -> None:
        row = {
            **ALICE,
            "entity_id": "1",
            "firstname": "Alice",
            "lastname": 'Liddell, "the" First',
            "enabled": "1",
            "simultaneous_calls": "3",
            "ring_seconds": "25",
            "password": "s3cret",
            "context": "internal",
            "incall_exten": "+33123450001",
            "incall_context": "from-extern",
            "incall_ring_seconds": "15",
            "voicemail_number": "8001",
            "voicemail_context": "boxes",
        }
        assert users(row) == (
            User(
                id="alice",
                extension="1001",
                context="internal",
                deskphone="PJSIP/alice",
                webrtc="PJSIP/alice_w",
                dids=("+33123450001",),
                did_ring_seconds={"+33123450001": 15},
                ring_seconds=25,
                simultaneous_calls=3,
                mailbox="8001@boxes",
            ),
        )

    def test_the_order_is_that_of_the_file(self) -> None:
        assert [user.id for user in users(BOB, CAROL, ALICE)] == ["bob", "alice"]

    def test_columns_may_come_in_any_order_and_be_left_out(self) -> None:
        text = written([ALICE], columns=sorted(REQUIRED, reverse=True))
        assert read_users(lines(text)) == users(ALICE)

    def test_columns_of_xivos_own_export_are_accepted(self) -> None:
        extra = {"uuid": "6f1e…", "provisioning_code": "123456", "labels": "red;blue"}
        assert users({**ALICE, **extra}) == users(ALICE)

    def test_a_row_of_another_line_is_no_user(self) -> None:
        others = [
            {**CAROL, "line_protocol": protocol} for protocol in ("", "sip", "webrtc", "sccp", "custom")
        ]
        for other in others:
            assert users(other, ALICE) == users(ALICE)

    def test_a_row_of_another_line_may_be_all_but_empty(self) -> None:
        assert users({"firstname": "Carol"}, ALICE) == users(ALICE)

    def test_the_settings_apply_to_every_user(self) -> None:
        text = written([{**ALICE, "line_protocol": "unique"}])
        (user,) = read_users(lines(text), ua_protocol="unique", webrtc_suffix="-web", media_server="mds1")
        assert (user.webrtc, user.media_server) == ("PJSIP/alice-web", "mds1")

    def test_a_mailbox_without_a_context_is_in_the_default_one(self) -> None:
        assert users({**ALICE, "voicemail_number": "1001"})[0].mailbox == "1001@default"

    def test_what_belongs_to_a_number_that_is_not_given_is_ignored(self) -> None:
        row = {**ALICE, "voicemail_context": "boxes", "incall_context": "in", "incall_ring_seconds": "10"}
        assert users(row) == users(ALICE)

    def test_a_header_alone_is_no_users(self) -> None:
        assert users() == ()

    def test_blank_lines_are_skipped(self) -> None:
        text = written([ALICE, BOB]).replace("\r\n", "\r\n\r\n")
        assert read_users(lines(text)) == users(ALICE, BOB)

    def test_a_byte_order_mark_is_skipped(self) -> None:
        assert read_users(lines("\ufeff" + written([ALICE]))) == users(ALICE)

    def test_a_byte_order_mark_before_a_quoted_name_is_skipped(self) -> None:
        text = "\ufeff" + written([ALICE]).replace("entity_id", '"entity_id"', 1)
        assert read_users(lines(text)) == users(ALICE)

    def test_lines_without_their_ends_will_do(self) -> None:
        assert read_users(written([ALICE, BOB]).splitlines()) == users(ALICE, BOB)

    def test_the_file_is_read_in_one_pass(self) -> None:
        def once() -> Iterator[str]:
            yield from written([ALICE, BOB]).splitlines(keepends=True)

        assert read_users(once()) == users(ALICE, BOB)


class TestFields:
    """A5: a bad row names its line and its field."""

    @pytest.mark.parametrize(
        ("column", "text", "problem"),
        [
            ("ring_seconds", "12", "is 12; steps of 5 seconds, from 5"),
            ("ring_seconds", "0", "is 0; steps of 5 seconds, from 5"),
            ("incall_ring_seconds", "7", "is 7; steps of 5 seconds, from 5"),
            ("simultaneous_calls", "0", "is 0; from 1 to 20"),
            ("simultaneous_calls", "21", "is 21; from 1 to 20"),
            ("line_protocol", "Ua", "is not one of custom, sccp, sip, ua, webrtc"),
        ],
    )
    def test_a_value_out_of_range_says_the_range(self, column: str, text: str, problem: str) -> None:
        assert problems_of({**ALICE, column: text}) == (f"line 2, {column}: {problem}",)

    @pytest.mark.parametrize(
        "column", ["entity_id", "simultaneous_calls", "ring_seconds", "incall_ring_seconds"]
    )
    @pytest.mark.parametrize("text", ["ten", "-5", "5.0", " 5", "\u0665", "1" * 5000])
    def test_what_is_not_a_number_is_a_problem(self, column: str, text: str) -> None:
        expected = f"line 2, {column}: is not a whole number of 1 to 9 digits"
        assert problems_of({**ALICE, column: text}) == (expected,)

    @pytest.mark.parametrize("column", FLAGS)
    @pytest.mark.parametrize("text", ["2", "true", "yes", "01"])
    def test_a_flag_is_0_or_1(self, column: str, text: str) -> None:
        assert problems_of({**ALICE, column: text}) == (f"line 2, {column}: is neither 0 nor 1",)

    @pytest.mark.parametrize("column", FLAGS)
    @pytest.mark.parametrize("text", ["0", "1", ""])
    def test_a_flag_may_be_0_1_or_empty(self, column: str, text: str) -> None:
        assert users({**ALICE, column: text}) == users(ALICE)

    @pytest.mark.parametrize("column", ["username", "exten", "sip_username"])
    def test_a_unique_account_needs_its_required_fields(self, column: str) -> None:
        expected = f"line 2, {column}: is empty; a Unique Account needs it"
        assert problems_of({**ALICE, column: ""}) == (expected,)

    @pytest.mark.parametrize("limit", ["1", "20"])
    def test_the_limits_themselves_are_allowed(self, limit: str) -> None:
        assert users({**ALICE, "simultaneous_calls": limit})[0].simultaneous_calls == int(limit)

    def test_every_bad_field_of_a_row_is_reported_in_the_order_of_the_columns(self) -> None:
        bad = {**ALICE, "exten": "", "ring_seconds": "3", "enabled": "x", "incall_exten": "a"}
        named = [problem.split(":")[0] for problem in problems_of(bad)]
        assert named == [f"line 2, {name}" for name in ("enabled", "ring_seconds", "exten", "incall_exten")]

    def test_every_bad_row_is_reported_in_the_order_of_the_file(self) -> None:
        rows = [{"username": f"user{number}", "ring_seconds": "3"} for number in range(50)]
        expected = tuple(
            f"line {line}, ring_seconds: is 3; steps of 5 seconds, from 5" for line in range(2, 52)
        )
        assert problems_of(*rows) == expected

    def test_the_rows_of_other_lines_are_checked_too(self) -> None:
        expected = "line 2, ring_seconds: is 3; steps of 5 seconds, from 5"
        assert problems_of({**CAROL, "ring_seconds": "3"}, ALICE) == (expected,)


class TestLines:
    """A5: the line named is the one of the file on which the row starts."""

    def test_blank_lines_count(self) -> None:
        text = written([ALICE]) + "\r\n\r\n" + ",".join(["x"] * 2) + "\r\n"
        assert problems(text) == (f"line 5: has 2 fields; the header has {len(COLUMNS)}",)

    def test_a_field_over_several_lines_counts_all_of_them_and_names_the_first(self) -> None:
        found = problems_of(ALICE, {**BOB, "lastname": "two\nlines\nmore"}, {**CAROL, "enabled": "x"})
        assert found == (
            "line 3, lastname: has a control character or a line break",
            "line 6, enabled: is neither 0 nor 1",
        )


class TestSafety:
    """A5: nothing that could break out of a dialplan or a configuration file gets in."""

    @pytest.mark.parametrize("column", sorted(COLUMNS))
    @pytest.mark.parametrize("character", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028"])
    def test_control_characters_are_refused_in_every_column(self, column: str, character: str) -> None:
        found = problems_of({**ALICE, column: f"a{character}b"})
        assert f"line 2, {column}: has a control character or a line break" in found

    @pytest.mark.parametrize("column", ["username", "sip_username", "context", "voicemail_context"])
    @pytest.mark.parametrize(
        "text", ["a,b", "a&b", "a/b", "a b", "a;b", "[a]", "${a}", "a)b", "-a", "a=b", "é"]
    )
    def test_names_keep_to_safe_characters(self, column: str, text: str) -> None:
        (problem,) = problems_of({**ALICE, column: text})
        assert problem.startswith(f"line 2, {column}: has other characters than letters, digits and ")

    @pytest.mark.parametrize("column", ["exten", "incall_exten", "voicemail_number"])
    @pytest.mark.parametrize("text", ["_1XXX", "s", "1001,1", "1001&1002", "++1", "1+1", "\uff11\uff10"])
    def test_numbers_are_digits(self, column: str, text: str) -> None:
        (problem,) = problems_of({**ALICE, column: text})
        assert problem.startswith(f"line 2, {column}: is not a number")

    def test_separators_in_numbers_do_not_count(self) -> None:
        (user,) = users({**ALICE, "exten": "10 01", "incall_exten": "+33 (0)1 23"})
        assert user.numbers == ("1001", "+33123")

    @pytest.mark.parametrize("text", ["a.l-i_ce", "alice@example.org", "7", "Alice+1"])
    def test_usual_user_names_are_accepted(self, text: str) -> None:
        assert users({**ALICE, "username": text})[0].id == text

    @pytest.mark.parametrize(("column", "longest"), [("username", 100), ("sip_username", 40), ("exten", 40)])
    def test_names_have_a_greatest_length(self, column: str, longest: int) -> None:
        users({**ALICE, column: "1" * longest})
        assert len(problems_of({**ALICE, column: "1" * (longest + 1)})) == 1


class TestFewColumns:
    """A5: what a file leaves out is left out, and is no problem of its rows."""

    def test_a_missing_column_is_reported_once_and_not_row_by_row(self) -> None:
        columns = [name for name in REQUIRED if name != "exten"]
        rows = [{name: row[name] for name in columns} for row in (ALICE, BOB)]
        assert problems(written(rows, columns)) == ("line 1, exten: the column is missing",)

    def test_several_missing_columns_are_all_reported(self) -> None:
        columns = ["username", "line_protocol", "firstname"]
        rows = [{"username": "alice", "line_protocol": "ua"}]
        assert problems(written(rows, columns)) == (
            "line 1, exten: the column is missing",
            "line 1, sip_username: the column is missing",
        )

    def test_a_column_that_is_there_three_times_is_named_once(self) -> None:
        text = "username,exten,line_protocol,sip_username,email,email,email\n"
        assert problems(text) == ("line 1, email: the column is there twice",)

    def test_half_of_the_columns_known_make_a_header(self) -> None:
        assert problems("username,exten,a,b\n") == (
            "line 1, line_protocol: the column is missing",
            "line 1, sip_username: the column is missing",
            "line 1, 'a': is not a column of XiVO's user import",
            "line 1, 'b': is not a column of XiVO's user import",
        )

    def test_less_than_half_make_none(self) -> None:
        (found,) = problems("username,a,b\n")
        assert found.startswith("line 1: is not a header")
        assert found.endswith("at least username, exten, line_protocol, sip_username")

    def test_a_long_name_of_a_column_is_cut(self) -> None:
        found = problems(f"username,exten,{'x' * 60}\n")
        assert f"line 1, '{'x' * 40}': is not a column of XiVO's user import" in found


class TestDoubles:
    """A5, A1: a name or number that two rows claim is reported, with the line that has it first."""

    @pytest.mark.parametrize(
        ("column", "text", "problem"),
        [
            ("username", "alice", "this id is already that of line 2"),
            ("exten", "1001", "this number is already that of line 2"),
            ("sip_username", "alice", "this device is already that of line 2"),
            ("incall_exten", "+331", "this number is already that of line 2"),
        ],
    )
    def test_the_later_row_names_the_earlier(self, column: str, text: str, problem: str) -> None:
        rows = [{**ALICE, "incall_exten": "+331"}, CAROL, {**BOB, column: text}]
        assert problems_of(*rows) == (f"line 4, {column}: {problem}",)

    def test_a_third_row_names_the_first_too(self) -> None:
        again = [{**BOB, "username": "alice"}, {**CAROL, "username": "alice"}]
        found = problems_of(ALICE, *again)
        assert [problem[-9:] for problem in found] == ["of line 2", "of line 2"]

    def test_rows_of_other_lines_claim_their_names_as_well(self) -> None:
        (problem,) = problems_of(CAROL, {**ALICE, "username": "carol"})
        assert problem == "line 3, username: this id is already that of line 2"

    def test_a_number_in_another_context_is_another_number(self) -> None:
        assert len(users(ALICE, {**BOB, "exten": "1001", "context": "other"})) == 2

    def test_an_empty_context_is_the_default_one(self) -> None:
        assert len(problems_of(ALICE, {**BOB, "exten": "1001", "context": "default"})) == 1

    def test_a_did_is_one_number_whatever_the_context(self) -> None:
        did = {"incall_exten": "+331"}
        assert len(problems_of({**ALICE, **did, "context": "a"}, {**BOB, **did, "context": "b"})) == 1

    def test_a_did_that_is_an_extension_of_the_same_context_is_a_double(self) -> None:
        did = {**ALICE, "incall_exten": "1002"}
        assert problems_of(BOB, did) == ("line 3, incall_exten: this number is already that of line 2",)
        assert problems_of(did, BOB) == ("line 3, exten: this number is already that of line 2",)

    def test_a_did_that_is_an_extension_elsewhere_is_none(self) -> None:
        assert len(users(BOB, {**ALICE, "incall_exten": "1002", "context": "other"})) == 2
        assert len(users(BOB, {**CAROL, "incall_exten": "1002"})) == 1

    def test_a_webrtc_endpoint_is_a_claim_too(self) -> None:
        taken = {**BOB, "sip_username": "alice_w"}
        expected = "line 3, sip_username: this device is already that of line 2"
        assert problems_of(ALICE, taken) == (expected,)
        assert problems_of(taken, ALICE) == (expected,)

    def test_rows_of_other_lines_make_no_webrtc_endpoint(self) -> None:
        assert users({**CAROL, "sip_username": "alice_w"}, BOB) == users(BOB)
        assert users(CAROL, {**ALICE, "sip_username": "carol_w"})[0].deskphone == "PJSIP/carol_w"

    def test_empty_fields_are_no_doubles(self) -> None:
        assert users({"firstname": "Carol"}, {"firstname": "Dan"}) == ()

    def test_a_malformed_name_claims_nothing(self) -> None:
        found = problems_of({**ALICE, "exten": "x"}, {**BOB, "exten": "x"})
        assert [problem.partition("a number")[0] for problem in found] == [
            "line 2, exten: is not ",
            "line 3, exten: is not ",
        ]


class TestHeader:
    """A5: the first line names the columns; what is wrong with it is said of line 1."""

    @pytest.mark.parametrize("column", REQUIRED)
    def test_a_missing_column_is_named(self, column: str) -> None:
        text = written([], columns=[name for name in COLUMNS if name != column])
        assert problems(text) == (f"line 1, {column}: the column is missing",)

    def test_an_unknown_column_is_named(self) -> None:
        text = written([ALICE], columns=[*COLUMNS, "ring_second"])
        assert problems(text) == ("line 1, 'ring_second': is not a column of XiVO's user import",)

    def test_a_column_named_twice_is_named_once(self) -> None:
        text = ",".join([*COLUMNS, "exten", "exten"]) + "\r\n"
        assert problems(text) == ("line 1, exten: the column is there twice",)

    def test_more_columns_than_there_can_be_are_counted_and_not_named(self) -> None:
        header = ["uuid"] * 50_000
        assert problems(",".join(header) + "\n" + "x\n" * 100) == (
            "line 1: has 50000 columns; XiVO's user import has 38",
        )

    def test_the_rows_of_a_bad_header_are_checked_as_far_as_they_go(self) -> None:
        columns = [name for name in COLUMNS if name != "exten"] + ["colour"]
        row = {"username": "a", "line_protocol": "ua", "ring_seconds": "3"}
        assert problems(written([row], columns=columns)) == (
            "line 1, exten: the column is missing",
            "line 1, 'colour': is not a column of XiVO's user import",
            "line 2, ring_seconds: is 3; steps of 5 seconds, from 5",
            "line 2, sip_username: is empty; a Unique Account needs it",
        )

    def test_a_missing_column_does_not_crash_on_a_row_that_is_otherwise_good(self) -> None:
        columns = [name for name in COLUMNS if name != "exten"]
        row = {name: text for name, text in ALICE.items() if name != "exten"}
        assert problems(written([row], columns=columns)) == ("line 1, exten: the column is missing",)

    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
    def test_an_empty_file_is_a_problem(self, text: str) -> None:
        (problem,) = problems(text)
        assert problem.startswith("line 1: is not a header; the first line names XiVO's columns")

    def test_no_lines_at_all_are_a_problem(self) -> None:
        with pytest.raises(InvalidImport):
            read_users([])

    @pytest.mark.parametrize("separator", [";", "\t", "|"])
    def test_another_separator_is_not_taken_for_a_header(self, separator: str) -> None:
        (problem,) = problems(written([ALICE]).replace(",", separator))
        assert "separated by commas" in problem

    def test_a_header_in_the_second_line_is_found_there(self) -> None:
        text = "\n" + written([ALICE], columns=[*COLUMNS, "colour"])
        assert problems(text) == ("line 2, 'colour': is not a column of XiVO's user import",)


class TestNotCsv:
    """A5: what is not CSV is a problem of its line, and the rows after it are still read."""

    @pytest.mark.parametrize("count", [1, len(COLUMNS) - 1, len(COLUMNS) + 1])
    def test_too_many_or_too_few_fields(self, count: int) -> None:
        text = written([ALICE]) + ",".join(["1"] * count) + "\r\n" + written([{**BOB, "enabled": "x"}])
        found = problems(text)
        assert found[0] == f"line 3: has {counted(count, 'field')}; the header has {len(COLUMNS)}"
        assert found[-1] == "line 5, enabled: is neither 0 nor 1"

    def test_a_quote_that_is_not_closed_names_the_line_it_is_on(self) -> None:
        text = written([ALICE]) + '1,"never closed\r\nand more\r\n'
        (problem,) = problems(text)
        assert problem.startswith("line 3: is not CSV (")
        assert problem.endswith("look for a quote that is not closed")

    def test_text_after_a_closing_quote_does_not_stop_the_reading(self) -> None:
        text = written([ALICE]) + '"a"b\r\n' + written([{**BOB, "enabled": "x"}]).split("\r\n")[1]
        found = problems(text)
        assert len(found) == 2
        assert found[0].startswith("line 3: is not CSV (")
        assert found[1] == "line 4, enabled: is neither 0 nor 1"

    def test_a_header_that_is_not_csv_is_the_only_problem(self) -> None:
        (problem,) = problems('"entity_id"x,username\r\n1,alice\r\n')
        assert problem.startswith("line 1: is not CSV (")

    def test_an_endless_field_is_a_problem(self) -> None:
        found = problems(written([ALICE]) + '"' + "x" * 200_000 + '"\r\n')
        assert found[0].startswith("line 3: is not CSV (")


class TestSecrets:
    """A5: no password gets into a problem, whatever is wrong with its row."""

    SECRET = "hunter2-hunter2"

    def test_bad_rows_do_not_show_their_passwords(self) -> None:
        secrets = dict.fromkeys(SECRETS, self.SECRET)
        found = problems_of({**ALICE, **secrets, "enabled": "x"}, {**ALICE, **secrets})
        assert self.SECRET not in "\n".join(found)

    @pytest.mark.parametrize("column", SECRETS)
    def test_a_bad_password_is_not_shown(self, column: str) -> None:
        (problem,) = problems_of({**ALICE, column: f"{self.SECRET}\0"})
        assert problem == f"line 2, {column}: has a control character or a line break"

    @pytest.mark.parametrize("column", [name for name, check in COLUMNS.items() if check is not None])
    def test_a_password_in_a_wrong_column_is_not_shown(self, column: str) -> None:
        found = problems_of({**ALICE, column: f"{self.SECRET} {self.SECRET}"})
        assert self.SECRET not in "\n".join(found)

    def test_a_file_without_a_header_does_not_show_its_first_row(self) -> None:
        row = {**ALICE, "password": self.SECRET, "cti_profile_name": "enabled"}
        (problem,) = problems(written([row, BOB]).split("\r\n", 1)[1])
        assert self.SECRET not in problem


class TestWhatUserRefuses:
    """A1, A5: what the user itself refuses is a problem of the column that it comes from."""

    def test_a_did_that_is_the_extension(self) -> None:
        (problem,) = problems_of({**ALICE, "incall_exten": "1001"})
        assert problem == "line 2, incall_exten: name a number twice, or the extension"

    def test_two_devices_on_one_endpoint(self) -> None:
        (problem,) = problems(written([ALICE]), webrtc_suffix="")
        assert problem.startswith("line 2, sip_username: is PJSIP/alice, which is the deskphone")

    def test_a_setting_that_is_no_column(self) -> None:
        (problem,) = problems(written([ALICE]), media_server="")
        assert problem.startswith("line 2, media_server: is empty, or ")


NAMES = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,11}", fullmatch=True)
NUMBERS = st.from_regex(r"\+?[0-9]{1,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)
STEPS = st.integers(1, 40).map(lambda steps: 5 * steps)


@st.composite
def made_users(draw: st.DrawFn) -> list[User]:
    names = draw(st.lists(NAMES.filter(lambda name: not name.endswith("_w")), unique=True, max_size=6))
    numbers = draw(st.lists(NUMBERS, unique=True, min_size=2 * len(names), max_size=2 * len(names)))
    drawn = []
    for name, extension, did in zip(names, numbers[::2], numbers[1::2], strict=True):
        has_did, has_seconds = draw(st.booleans()), draw(st.booleans())
        drawn.append(
            User(
                id=name,
                extension=extension,
                deskphone=f"PJSIP/{name}",
                webrtc=f"PJSIP/{name}_w",
                dids=(did,) if has_did else (),
                did_ring_seconds=[(did, draw(STEPS))] if has_did and has_seconds else (),
                mailbox=draw(st.none() | st.builds("{}@{}".format, NUMBERS, NAMES)),
                context=draw(NAMES),
                ring_seconds=draw(STEPS),
                simultaneous_calls=draw(st.integers(1, 20)),
            )
        )
    return drawn


def row_of(user: User, free_text: str) -> Row:
    number, _, context = (user.mailbox or "").partition("@")
    return {
        "firstname": free_text,
        "password": free_text,
        "username": user.id,
        "exten": user.extension,
        "context": user.context,
        "line_protocol": "ua",
        "sip_username": user.deskphone.removeprefix("PJSIP/"),
        "ring_seconds": str(user.ring_seconds),
        "simultaneous_calls": str(user.simultaneous_calls),
        "incall_exten": "".join(user.dids),
        "incall_ring_seconds": "".join(str(seconds) for _, seconds in user.did_ring_seconds),
        "voicemail_number": number,
        "voicemail_context": context,
    }


class TestRoundTrip:
    """A5: what is written as XiVO writes it is read back as it was."""

    @given(made_users(), TEXTS)
    def test_users_written_to_a_file_are_read_back(self, made: list[User], free_text: str) -> None:
        text = written([row_of(user, free_text) for user in made])
        assert read_users(lines(text)) == tuple(made)

    @given(st.text(max_size=200))
    def test_any_text_at_all_is_users_or_problems(self, text: str) -> None:
        for content in (text, written([]) + text):
            with suppress(InvalidImport):
                assert all(isinstance(user, User) for user in read_users(lines(content)))
