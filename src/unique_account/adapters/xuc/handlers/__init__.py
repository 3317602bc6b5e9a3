"""Handlers: what each command of a client does."""
