"""The fence of a node: its epoch in AstDB, and the end of every session of an earlier owner."""
