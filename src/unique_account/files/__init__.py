"""Files: those that people write, those for their owner alone, and those that are read again on a change."""
