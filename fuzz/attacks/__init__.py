"""Attacks that were made in vain, to be made again."""
