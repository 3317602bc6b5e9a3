"""Fuzzers for every parser, and the attacks that were made in vain; see its README."""
