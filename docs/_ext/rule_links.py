"""Rules in the built pages: under each rule the tests that prove it, and where a rule is cited a link."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from tests.docs.rule_book import CONTRACTS, PAGE, TESTS, proofs, rules, with_proofs

CITED = re.compile(r"\b([MSRPHVCA][1-9][0-9]?)\b")
NO_LINKS_IN = (nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.target)


def add_proofs(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the tests that prove them into the page of the rules."""
    if page == PAGE.stem:
        source[0] = with_proofs(source[0], proofs(TESTS, CONTRACTS))


def link_rules(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make a link of each rule's id in running text."""
    known = {rule.id for rule in rules(PAGE.read_text("utf-8"))}
    to_page = "" if page == PAGE.stem else app.builder.get_relative_uri(page, PAGE.stem)
    for text in list(doctree.findall(nodes.Text)):
        if _may_have_links(text) and any(rule in known for rule in CITED.findall(text)):
            text.parent.replace(text, list(_linked(text, known, to_page)))


def _may_have_links(text: nodes.Text) -> bool:
    place: nodes.Node | None = text.parent
    while place is not None:
        itself = isinstance(place, nodes.Element) and "rule" in place["classes"]
        if itself or isinstance(place, NO_LINKS_IN):
            return False
        place = place.parent
    return True


def _linked(text: nodes.Text, known: set[str], to_page: str) -> Iterator[nodes.Node]:
    """The text in pieces: what the pattern found is every second one."""
    for index, piece in enumerate(CITED.split(text)):
        if index % 2 and piece in known:
            uri = f"{to_page}#{piece}"
            yield nodes.reference("", piece, internal=True, refuri=uri, classes=["rule-link"])
        elif piece:
            yield nodes.Text(piece)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx when to do it."""
    app.connect("source-read", add_proofs)
    app.connect("doctree-resolved", link_rules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
