"""Adapters around other adapters of the same port."""
