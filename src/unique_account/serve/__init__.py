"""The process ``unique-account serve``: its configuration, its wiring, and its life."""
