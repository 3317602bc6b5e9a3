"""The messages of the CTI protocol: those that clients send, and those that they receive."""
