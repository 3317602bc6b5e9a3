"""One live node: its connection, the facts that it reports, and control of its calls."""
