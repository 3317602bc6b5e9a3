"""Plans as entries of a node's AstDB: made, written, and read back (R16)."""
