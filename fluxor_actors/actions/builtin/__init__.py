"""The services that every engine has, one file each."""

from __future__ import annotations
