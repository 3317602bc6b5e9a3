"""How fast and how large the library is, beside what one would otherwise use; see the README here."""
