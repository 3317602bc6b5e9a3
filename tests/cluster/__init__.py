"""Several processes that share a group: one owns it, the others stand by."""
