"""Runs of three real processes under faults drawn by a seed; the checker judges what was recorded of each.

The processes are ``unique-account serve`` on a real PostgreSQL. The nodes are played in the process of the
test, which so records what each connection does there, by the machine's monotonic clock.
"""
