"""Soak: mixed load for as long as one likes, in a program of its own. ``python -m tests.soak --seconds 600 --store sqlite``."""
