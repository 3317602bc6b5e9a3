"""The machine's Mermaid diagram as a picture, and its table within the width of a page.

Mermaid itself would have to be loaded from elsewhere, and the documentation loads nothing.

Arrows and labels are those of the diagram; only the places of the four states are chosen here.
"""

import re
from html import escape
from math import inf

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PLACES = {
    "logged_out": 480 + 36j,
    "deskphone_in_use": 480 + 246j,
    "webrtc_active": 120 + 446j,
    "deskphone_selected": 840 + 446j,
}
WIDTH, HEIGHT = 960, 482
HALF_BOX = 92 + 20j
ASIDE = 8
"""How far from the line between two states its two arrows run, and the labels from them."""

ROW = 15
HEADING = "from \\ trigger"
ARROW = re.compile(r"^    (\w+) --> (\w+): (.*)$", re.MULTILINE)


def picture(diagram: str) -> str:
    """The diagram as SVG, in the colours of the page."""
    found = ARROW.findall(diagram)
    ways = {(source, target) for source, target, _ in found}
    arrows = [_arrow(*arrow, aside=ASIDE if arrow[1::-1] in ways else 0) for arrow in found]
    boxes = [_box(state, place) for state, place in PLACES.items()]
    head = (
        f'<svg class="machine" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        "<title>The states of a Unique Account, and what leads from one to another</title>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>'
    )
    lines, labels = zip(*arrows, strict=True)
    return "".join((head, *lines, *boxes, *labels, "</svg>"))


def _arrow(source: str, target: str, label: str, aside: int) -> tuple[str, str]:
    """An arrow from border to border, and its label on the side away from its twin."""
    way = PLACES[target] - PLACES[source]
    on_the_left = (PLACES[source] + PLACES[target]).real < WIDTH
    side = way / abs(way) * (1j if on_the_left else -1j)
    start = PLACES[source] + _to_border(way, side * aside)
    end = PLACES[target] + _to_border(-way, side * aside)
    line = f'<path class="arrow" marker-end="url(#tip)" d="M{_at(start)} L{_at(end)}"/>'
    far = 0.5 if "logged_out" in (source, target) else 0.2
    return line, _label(label, start + (end - start) * far + side * ASIDE, side)


def _label(label: str, place: complex, side: complex) -> str:
    """The rows of a label, beginning or ending at a place, or above or below it."""
    anchor = "middle" if abs(side.real) < 0.1 else "start" if side.real > 0 else "end"
    rows = label.replace(" [", "\n[").split("\n")
    top = place.imag + 4 - ROW * (len(rows) - 1) / 2 + side.imag * ROW * (len(rows) - 1) / 2
    spans = "".join(
        f'<tspan x="{place.real:.0f}" y="{top + ROW * number:.0f}">{escape(text)}</tspan>'
        for number, text in enumerate(rows)
    )
    return f'<text class="trigger" text-anchor="{anchor}">{spans}</text>'


def _to_border(way: complex, aside: complex) -> complex:
    """From the middle of a box to where a line leaves it that runs this way, aside of the middle."""
    right = (HALF_BOX.real - aside.real * _sign(way.real)) / abs(way.real) if way.real else inf
    down = (HALF_BOX.imag - aside.imag * _sign(way.imag)) / abs(way.imag) if way.imag else inf
    return aside + way * min(right, down)


def _sign(length: float) -> int:
    return 1 if length > 0 else -1


def _box(state: str, place: complex) -> str:
    corner = place - HALF_BOX
    return (
        f'<rect x="{corner.real:.0f}" y="{corner.imag:.0f}" width="{2 * HALF_BOX.real:.0f}" '
        f'height="{2 * HALF_BOX.imag:.0f}" rx="6"/>'
        f'<text class="state" x="{place.real:.0f}" y="{place.imag + 5:.0f}">{escape(state)}</text>'
    )


def _at(point: complex) -> str:
    return f"{point.real:.1f} {point.imag:.1f}"


def draw(app: Sphinx, doctree: nodes.document) -> None:
    """Put the picture in the place of each diagram, and let the table break at underscores."""
    for block in list(doctree.findall(nodes.literal_block)):
        if block.get("language") == "mermaid":
            block.parent.replace(block, nodes.raw("", picture(block.astext()), format="html"))
    for table in doctree.findall(nodes.table):
        if HEADING in table.astext():
            table["classes"].append("machine")
            for text in list(table.findall(nodes.Text)):
                text.parent.replace(text, nodes.Text(text.replace("_", "_\u200b")))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx when to do it."""
    app.connect("doctree-read", draw)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
