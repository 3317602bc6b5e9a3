"""Judges a run of several processes by what was recorded of it, and knows nothing of how they work."""
