"""The files from which the configuration of an Asterisk is rendered."""

from __future__ import annotations

CONFIG = """
[users]
file = "users.toml"

[accounts]
file = "accounts.sqlite"

[[nodes]]
secret.file = "ami.secret"
sip = "10.0.0.1:5060"
"""
USER = '[[users]]\nid = "{0}"\nextension = "{1}"\ndeskphone = "PJSIP/{0}"\nwebrtc = "PJSIP/{0}_w"\n'
ALICE = USER.format("alice", "1001")
