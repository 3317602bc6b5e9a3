"""From AMI messages to events of the core: pure functions, no connection."""
