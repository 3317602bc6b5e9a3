"""Rosters: where the users of Unique Accounts come from."""
