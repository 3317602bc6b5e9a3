"""What a node tells, as events of the core: live, or from a recording."""
