"""Groups of processes on fake nodes and a real PostgreSQL, beside a plain baseline."""
