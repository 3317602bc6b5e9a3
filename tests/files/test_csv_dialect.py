"""CSV in the ways in which spreadsheets write it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.files.csv_dialect import CsvText, read_csv_text
from unique_account.json_documents import InvalidDocument

COLUMNS = ("username", "firstname", "exten")
ROWS = (("username", "firstname", "exten"), ("zoe", "Zoé", "1001"))


def written(separator: str, encoding: str, first: str = "") -> bytes:
    text = first + "".join(separator.join(row) + "\r\n" for row in ROWS)
    return text.encode(encoding)


def read(data: bytes) -> CsvText:
    return read_csv_text(data, COLUMNS)


class TestDialects:
    """A5: what Excel writes is read, and what was found is named."""

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("utf-8", "UTF-8"),
            ("utf-8-sig", "UTF-8"),
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("latin-1", "Windows-1252"),
            ("cp1252", "Windows-1252"),
        ],
    )
    def test_are_found(self, separator: str, encoding: str, name: str) -> None:
        found = read(written(separator, encoding))
        assert found.text == written(separator, "utf-8").decode()
        assert (found.encoding, found.separator) == (name, separator)
        assert found.is_plain is (name == "UTF-8" and separator == ",")

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("line", ["sep={}\r\n", "SEP={}\r\n", '"sep={}"\r\n', "sep={}\n"])
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
    def test_are_named_by_the_first_line(self, separator: str, line: str, encoding: str) -> None:
        found = read(written(separator, encoding, line.format(separator)))
        assert found.separator == separator
        assert found.text.lstrip("\r\n") == written(separator, "utf-8").decode()
        assert found.text.splitlines()[1:3] == [separator.join(row) for row in ROWS]

    def test_read_as_sentences(self) -> None:
        assert str(read(written(";", "cp1252"))) == "Windows-1252, with semicolons between the fields"

    def test_a_quoted_header_is_one(self) -> None:
        assert read(b'"username";"exten, inside"\n').separator == ";"

    def test_euro_and_dash_are_those_of_windows(self) -> None:
        assert "Zoé \u2013 \u20ac" in read("username\nZoé \u2013 \u20ac\n".encode("cp1252")).text


class TestAmbiguity:
    """A5: what could be two things is refused, and said why."""

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            ("username\nZoé".encode() + b"\xff\n", "is not UTF-8: invalid start byte"),
            (b"username\nZo\xe9\x00\n", "is not UTF-8"),
            (b"username\nZo\xe9\x81\n", "is neither UTF-8 nor Windows-1252: byte 12 is no letter"),
            (b"\xff\xfeu\x00s", "is not UTF-16: truncated data"),
            (b"sep=|\nusername|exten\n", "line 1: sep=| names no comma, semicolon or tab"),
        ],
    )
    def test_is_refused(self, data: bytes, problem: str) -> None:
        with pytest.raises(InvalidDocument) as invalid:
            read(data)
        assert invalid.value.problems[0].startswith(problem)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_text_or_a_problem(self, data: bytes) -> None:
        with suppress(InvalidDocument):
            read(data).text.encode()
