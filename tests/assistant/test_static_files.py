"""The page's files: nothing from elsewhere, and words in every language."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

import httpx
import pytest

from unique_account.adapters.xuc.protocol.error_messages import ERROR_IDS
from unique_account.adapters.xuc.protocol.own_messages import REASON_IDS
from unique_account.assistant import PAGE, headers
from unique_account.assistant.static_files import PageFiles

OURS: Final = sorted(
    file for file in PAGE.rglob("*") if file.suffix in (".js", ".css", ".html") and "vendor" not in file.parts
)
SAID: Final = re.compile(r'\bsay\(\s*"([^"]+)"|ofCount\([^,"]+,\s*"([^"]+)",\s*"([^"]+)"')
WORDS_OF_SERVER: Final = re.compile(r"^ {2}(\w+): \(", re.MULTILINE)
ENTRY: Final = re.compile(r'^ {2}"([^"]+)": "([^"]+)",$', re.MULTILINE)


GZIP: Final = {"Accept-Encoding": "gzip"}
MOST_BYTES: Final = 250_000
SENT: Final = (".js", ".css", ".html", ".svg", ".png", ".webmanifest")


def path_of(file: Path) -> str:
    return f"/{file.relative_to(PAGE).as_posix()}"


def french() -> dict[str, str]:
    return dict(ENTRY.findall((PAGE / "js/french.js").read_text("utf-8")))


def said() -> set[str]:
    """Every sentence that the page can say."""
    texts = (file.read_text("utf-8") for file in OURS)
    return {sentence for text in texts for found in SAID.findall(text) for sentence in found if sentence}


class TestServer:
    """R17: the page has words for everything that the server says, by its id, and shows no sentence of it."""

    def test_has_words_for_every_id(self) -> None:
        words = WORDS_OF_SERVER.findall((PAGE / "js/server_words.js").read_text("utf-8"))
        assert set(words) == REASON_IDS | ERROR_IDS

    @pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(PAGE)))
    def test_its_sentences_are_not_read(self, file: Path) -> None:
        assert (
            re.findall(r"(?:ctiMessage|reason|error|trouble)\??\.(?:message|text)\b", file.read_text("utf-8"))
            == []
        )


class TestFrench:
    """R17: the page speaks French as it speaks English, the reasons of decisions included."""

    def test_has_words_for_every_sentence(self) -> None:
        assert len(said()) > 100
        assert said() - set(french()) == set()

    def test_has_words_for_nothing_that_is_never_said(self) -> None:
        assert set(french()) - said() == set()

    def test_keeps_the_values_of_a_sentence(self) -> None:
        values = re.compile(r"\{\w+\}")
        for sentence, words in french().items():
            assert sorted(values.findall(sentence)) == sorted(values.findall(words)), sentence


class TestHeaders:
    """S1: a page to log in on runs nothing but its own code."""

    def test_allow_no_script_and_no_style_within_a_document(self) -> None:
        policy = headers()["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy

    def test_name_the_telephone_systems_that_the_browser_connects_to(self) -> None:
        policy = headers("wss://pbx.example.org")["Content-Security-Policy"]
        assert "connect-src 'self' wss://pbx.example.org;" in policy


class TestFiles:
    """S1: everything that the page loads comes with it."""

    @pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(PAGE)))
    def test_name_no_other_host(self, file: Path) -> None:
        text = file.read_text("utf-8").replace("http://www.w3.org/", "")
        assert re.findall(r"https?://|[\"'(]//\w", text) == []

    @pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(PAGE)))
    def test_load_files_that_are_there(self, file: Path) -> None:
        named = re.findall(r"(?:from |src=|href=|url\()\"([./\w-]+\.\w+)[\"#]", file.read_text("utf-8"))
        folder = PAGE if file.suffix == ".html" else file.parent
        assert [name for name in named if not (folder / name).exists() and not (PAGE / name).exists()] == []


class TestSize:
    """S1: the page is small, so that it is there at once."""

    def test_of_everything_but_fonts_is_at_most_250_kilobytes(self) -> None:
        files = [file for file in PAGE.rglob("*") if file.is_file() and file.suffix in SENT]
        sizes = {file.name: int(get(path_of(file), GZIP).headers["content-length"]) for file in files}
        assert sum(sizes.values()) <= MOST_BYTES, sizes

    def test_is_reduced_for_clients_that_accept_gzip(self) -> None:
        answer = get("/vendor/jssip.js", GZIP)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.content == (PAGE / "vendor/jssip.js").read_bytes()

    @pytest.mark.parametrize("encodings", ["", "br", "gzip;q=0", "br, gzip; q=0.0"])
    def test_is_whole_for_others(self, encodings: str) -> None:
        assert "content-encoding" not in get("/index.html", {"Accept-Encoding": encodings}).headers

    @pytest.mark.parametrize("encodings", ["gzip;q=0.5", "br;q=1, GZIP", "deflate, gzip;q=1.0"])
    def test_is_reduced_whatever_else_is_accepted(self, encodings: str) -> None:
        assert "content-encoding" in get("/index.html", {"Accept-Encoding": encodings}).headers

    def test_of_what_is_compressed_already_is_left_alone(self) -> None:
        assert "content-encoding" not in get("/vendor/inter.woff2", GZIP).headers

    def test_counts_for_nothing_if_nothing_changed(self) -> None:
        tag = get("/", GZIP).headers["etag"]
        assert get("/", {**GZIP, "If-None-Match": tag}).status_code == 304


class TestHandedOut:
    """S1: a file is handed out as a whole, from memory, to as many as ask."""

    def test_whole_whatever_range_is_asked_for(self) -> None:
        asked = {"Range": "bytes=" + ",".join(f"{n}-{n + 5}" for n in range(0, 9000, 9))}
        answer = get("/vendor/jssip.js", asked)
        assert (answer.status_code, answer.headers["accept-ranges"]) == (200, "none")
        assert answer.content == (PAGE / "vendor/jssip.js").read_bytes()

    def test_nothing_twice_that_did_not_change(self) -> None:
        tag = get("/").headers["etag"]
        assert get("/", {"If-None-Match": tag}).status_code == 304

    def test_its_length_alone(self) -> None:
        answer = get("/icon.svg", {"Accept-Encoding": "identity"}, method="HEAD")
        assert answer.content == b""
        assert int(answer.headers["content-length"]) == (PAGE / "icon.svg").stat().st_size

    def test_as_it_is_now(self, tmp_path: Path) -> None:
        page = PageFiles(folder=tmp_path)
        for text in ("before", "after it"):
            (tmp_path / "index.html").write_text(text, "utf-8")
            assert get("/", page=page).text == text


def get(
    path: str, headers: dict[str, str] | None = None, method: str = "GET", page: PageFiles | None = None
) -> httpx.Response:
    """What the page answers."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(page or PageFiles())
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())
