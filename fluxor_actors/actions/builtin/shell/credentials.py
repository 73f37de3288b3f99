"""How to log in to another host."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["Credentials"]


@frozen(kw_only=True)
class Credentials:
    """By a password, by a private key in a file, or else by what the SSH agent and the user's folder have."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    passphrase: str | None = field(default=None, repr=False)
