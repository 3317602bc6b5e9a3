"""Links for names as docstrings write them: short, and in any module's docstring."""

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Node | None:
    """A link to the object whose name ends so; of several, to the one with the shortest name."""
    if node.get("refdomain") not in ("py", "", None):
        return None
    target = node["reftarget"].lstrip("~.")
    objects = env.domains.python_domain.objects
    named = (name for name in objects if name == target or name.endswith(f".{target}"))
    shortest = sorted(named, key=lambda name: (objects[name].objtype == "module", name.count("."), name))
    if not shortest:
        return None
    place = objects[shortest[0]]
    return make_refnode(app.builder, node["refdoc"], place.docname, place.node_id, content, shortest[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx when to do it."""
    app.connect("missing-reference", resolve)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
