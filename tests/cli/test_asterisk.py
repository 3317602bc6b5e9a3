"""``unique-account asterisk render``: what it writes, what it says, and what it keeps to itself."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from click.testing import CliRunner, Result

from tests.cli.rendered_folder import ALICE, CONFIG, USER
from unique_account.cli import command

MDS1 = '[[nodes]]\nname = "mds1"\nsip = "10.0.0.2:5060"\nsecret.file = "ami.secret"\n'
SECRETS = ("unique_account_manager_secret.conf", "unique_account_secrets.conf")


def render(*options: str) -> Result:
    arguments = ["asterisk", "render", "--config", "unique_account.toml", *options]
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


class TestRender:
    """What an Asterisk includes is written, and what changed is said."""

    def test_a_second_time_nothing_changes(self, folder: Path) -> None:
        render("--into", "etc")
        before = {path: path.read_bytes() for path in (folder / "etc").iterdir()}
        done = render("--into", "etc")
        assert done.output.count(": unchanged\n") == 5
        assert {path: path.read_bytes() for path in (folder / "etc").iterdir()} == before

    def test_the_lines_that_changed_are_shown(self, folder: Path) -> None:
        render("--into", "etc")
        (folder / "users.toml").write_text(ALICE.replace("1001", "1009"), "utf-8")
        said = render("--into", "etc").output
        assert "etc/unique_account_pjsip.conf: changed\n  -; alice, 1001\n  +; alice, 1009\n" in said

    def test_machines_get_a_json_object_for_each_file(self, folder: Path) -> None:
        first = [json.loads(line) for line in render("--into", "etc", "--json").output.splitlines()]
        assert {(line["node"], line["change"]) for line in first} == {("default", "new")}
        assert Path(first[0]["file"]).name == "unique_account.conf"
        (folder / "users.toml").write_text(ALICE.replace("1001", "1009"), "utf-8")
        lines = [json.loads(line) for line in render("--into", "etc", "--json").output.splitlines()]
        phones = next(line for line in lines if line["file"] == "etc/unique_account_pjsip.conf")
        assert phones["change"] == "changed"
        assert phones["lines"][:2] == ["-; alice, 1001", "+; alice, 1009"]
        printed = [json.loads(line) for line in render("--json").output.splitlines()]
        assert (printed[0]["node"], printed[0]["file"]) == ("default", "unique_account.conf")
        assert all(line["text"] for line in printed)

    def test_a_file_that_is_no_text_is_replaced(self, folder: Path) -> None:
        render("--into", "etc")
        (folder / "etc" / "unique_account.conf").write_bytes(b"\xff\x00")
        assert "etc/unique_account.conf: changed\n" in render("--into", "etc").output

    def test_each_of_several_nodes_has_a_folder_and_its_own_users(self, folder: Path) -> None:
        (folder / "unique_account.toml").write_text(CONFIG + MDS1, "utf-8")
        bob = USER.format("bob", "1002") + 'media_server = "mds1"\n'
        (folder / "users.toml").write_text(ALICE + bob, "utf-8")
        render("--into", "etc")
        main, mds1 = (
            (folder / "etc" / name / "unique_account_pjsip.conf").read_text("utf-8")
            for name in ("default", "mds1")
        )
        assert "[alice](" in main
        assert "[bob](" not in main
        assert "[unique-account-mds1]" in main
        assert "[bob](" in mds1
        assert "[alice](" not in mds1

    def test_users_of_no_node_are_refused_all_at_once(self, folder: Path) -> None:
        """A1: nobody is left out in silence."""
        bob = USER.format("bob", "1002") + 'media_server = "mds1"\n'
        carol = USER.format("carol", "1003") + 'media_server = "mds2"\n'
        (folder / "users.toml").write_text(ALICE + bob + carol, "utf-8")
        done = render("--into", "etc")
        assert done.exit_code == 1
        assert "bob: mds1 is none of the nodes" in done.output
        assert "carol: mds2 is none of the nodes" in done.output
        assert not (folder / "etc").exists()

    def test_users_that_no_dialplan_can_carry_are_refused(self, folder: Path) -> None:
        (folder / "users.toml").write_text(ALICE.replace("PJSIP/alice_w", "SCCP/alice"), "utf-8")
        done = render("--into", "etc")
        assert done.exit_code == 1
        assert "Error: not for a dialplan:" in done.output
        assert not (folder / "etc").exists()


class TestSecrets:
    """Secrets are in files of their own, and in nothing that is printed."""

    def test_they_are_nobody_elses_to_read(self, folder: Path) -> None:
        render("--into", "etc")
        for path in (folder / "etc").iterdir():
            others = stat.S_IMODE(path.stat().st_mode) & 0o007
            assert (others == 0) is (path.name in SECRETS)

    def test_they_are_taken_from_all_others_again(self, folder: Path) -> None:
        render("--into", "etc")
        secrets = [folder / "etc" / f"unique_account_{one}.conf" for one in ("secrets", "manager_secret")]
        for secret in secrets:
            secret.chmod(0o666)
        assert render("--into", "etc").output.count(": unchanged\n") == 5
        assert {secret.stat().st_mode & 0o777 for secret in secrets} == {0o640}

    def test_they_are_not_printed(self, folder: Path) -> None:
        printed = render().output + render("--into", "etc").output
        (folder / "ami.secret").write_text("geheimer\n", "utf-8")
        printed += render("--into", "etc").output
        assert "etc/unique_account_manager_secret.conf: changed\n" in printed
        assert "secret =" not in printed
        assert "password =" not in printed
        assert "geheim" not in printed

    def test_a_password_that_was_changed_by_hand_stays(self, folder: Path) -> None:
        render("--into", "etc")
        path = folder / "etc" / "unique_account_secrets.conf"
        path.write_text("[alice-auth](+)\npassword = mine\n", "utf-8")
        render("--into", "etc")
        assert "[alice-auth](+)\npassword = mine\n" in path.read_text("utf-8")

    def test_a_broken_file_of_passwords_is_left_alone(self, folder: Path) -> None:
        render("--into", "etc")
        path = folder / "etc" / "unique_account_secrets.conf"
        path.write_text("[alice-auth](+)\npasswort = mine\n", "utf-8")
        done = render("--into", "etc")
        assert done.exit_code == 1
        assert "line 2: is neither" in done.output
        assert "mine" not in done.output
        assert "mine" in path.read_text("utf-8")
