"""Engines that are shut down, and no thread that outlives its test."""

from __future__ import annotations

from tests.engine.conftest import gate, make, no_thread_left

__all__ = ["gate", "make", "no_thread_left"]
