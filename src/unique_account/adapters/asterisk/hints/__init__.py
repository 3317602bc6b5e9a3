"""Hints, which phones watch, and the guard that lets them follow devices when the service is gone."""
