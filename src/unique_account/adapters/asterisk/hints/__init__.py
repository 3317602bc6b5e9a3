"""Hints, which phones watch, and the watchdog that restores them when the service is gone."""
