"""Files that people write: whatever is in them makes a document, or one sentence that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.core.errors import InvalidImport
from unique_account.files import text
from unique_account.files.text import read_text, read_toml
from unique_account.json_documents import InvalidDocument

USER = '[[users]]\nid = "alice"\nextension = "1001"\ndeskphone = "PJSIP/alice"\nwebrtc = "PJSIP/alice_w"\n'

FRAGMENTS = st.sampled_from(
    [
        *(
            "[[users]]\n",
            "[users]\n",
            "users = ",
            "ring_seconds = ",
            "dids = ",
            "[" * 2000,
            "{a=" * 2000,
            "]",
            "}",
        ),
        *(
            "9" * 5000,
            "0x" + "f" * 5000,
            "1e999",
            "inf",
            "nan",
            "0001-01-01T00:00:00+23:59",
            '"',
            "'",
            "\n",
            "\0",
        ),
        *("a." * 2000 + "a = 1\n", '"\\ud800"', '"\\u0000"', "\ufeff", "é", "x" * 200_000, "=", ",", USER),
    ]
)


class TestTexts:
    """Text is UTF-8 of a bounded size."""

    def test_a_byte_order_mark_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "users.toml").write_text("\ufeff" + USER, "utf-8")
        assert [user.id for user in read_users_file(tmp_path / "users.toml")] == ["alice"]

    def test_what_is_not_utf_8_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"ab\xff")
        with pytest.raises(InvalidDocument, match=r"^a\.txt: is not UTF-8: invalid start byte at byte 2$"):
            read_text(tmp_path / "a.txt")

    def test_what_is_too_large_is_not_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text, "LARGEST", 3)
        (tmp_path / "a.txt").write_text("abc", "utf-8")
        assert read_text(tmp_path / "a.txt") == "abc"
        (tmp_path / "a.txt").write_text("abcd", "utf-8")
        with pytest.raises(InvalidDocument, match=r"^a\.txt: has more than 3 bytes$"):
            read_text(tmp_path / "a.txt")

    def test_a_file_without_an_end_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text, "LARGEST", 4096)
        with pytest.raises(InvalidDocument, match="zero: has more than 4096 bytes"):
            read_text(Path("/dev/zero"))


class TestToml:
    """TOML is walked through without an end of the stack, or of Python's numbers."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x", "is not TOML: "),
            ("x = " + "9" * 5000, "is not TOML: Exceeds the limit "),
            ("x = " + "[" * 100_000, "is nested too deeply"),
            ("x = " + "{a=" * 100_000, "is nested too deeply"),
            (".".join("x" * 10_000) + " = 1", "is nested too deeply"),
            ("[" + ".".join("x" * 10_000) + "]", "is nested too deeply"),
        ],
        ids=["no TOML", "digits", "lists", "tables", "dots", "dots of a table"],
    )
    def test_what_is_none_is_one_sentence(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "a.toml").write_text(text, "utf-8")
        with pytest.raises(InvalidDocument) as invalid:
            read_toml(tmp_path / "a.toml")
        (problem,) = invalid.value.problems
        assert problem.startswith(f"a.toml: {said}")

    def test_thirty_levels_are_fine(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text(".".join("x" * 30) + " = 1", "utf-8")
        assert read_toml(tmp_path / "a.toml")["x"]

    @pytest.mark.parametrize("name", ["users.toml", "users.csv"])
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
    @given(text=st.lists(FRAGMENTS | st.text(max_size=20), max_size=8).map("".join))
    def test_a_users_file_makes_users_or_problems(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            read_users_file(tmp_path / name)
        except (InvalidDocument, InvalidImport) as invalid:
            str(invalid).encode()
