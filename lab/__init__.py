"""A real Asterisk, SIP deskphones and a WebRTC browser on one machine, for end-to-end tests.

`lab.asterisk` starts nodes, `lab.phones` deskphones and `lab.browser` the browser; each is an
asynchronous context manager, and everything it started is gone when it closes. `lab.network` gives the
process a network of its own, with no way out. ``python -m lab install`` gets what the lab needs.
"""
