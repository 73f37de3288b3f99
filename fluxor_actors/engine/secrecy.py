"""An engine's secrets: resolved when an action is called, and taken out of all that comes back."""

from __future__ import annotations

import logging
import secrets as chance
import traceback
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from attrs import evolve

from fluxor_actors.engine.scrubbing import HIDDEN, SHORTEST, Scrubber, mapped
from fluxor_actors.errors import ConfigError, ExpressionError, SecretError
from fluxor_actors.process.commands import Cancel, Command, Decide, EmitTasks, ResumeExecution, Signal, Steer
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.markers import ANY_MARKER, MARKER_START, SEAL, SecretNames, marker

__all__ = ["SecretSource", "Secrets", "open_secrets"]

_logger = logging.getLogger(__name__)

SecretSource = Mapping[str, str] | Callable[[str], str | None]
"""Values by name, or a function from a name to its value, which gives None, or raises a `KeyError`, for one that there is not."""

_VERBATIM = ("workflow",)
"""Services that the engine brings and that put their input into a journal: they are given the markers."""

_SHOWN = ("printer",)
"""Services that the engine brings and that show their input to people."""


def open_secrets(source: SecretSource | None) -> Secrets | None:
    """The secrets of an engine; None when it has none.

    Raises:
        ConfigError: they are not what is expected.
    """
    if source is None or (isinstance(source, Mapping) and not source):
        return None
    return Secrets(source)


class Secrets:
    """Puts values in the place of markers, and markers or ``***`` in the place of values. Safe between threads.

    Args:
        source: where the values are. It is asked at every dispatch, so that a new value counts from the next one on.

    Raises:
        ConfigError: a name or a value is not what is expected.
    """

    def __init__(self, source: SecretSource) -> None:
        if not isinstance(source, Mapping) and not callable(source):
            raise ConfigError(
                f"secrets is a {type(source).__name__}; expected a mapping, or a function from a name to a value"
            )
        self._source = source
        self._scrubber = Scrubber()
        if isinstance(source, Mapping):
            names = SecretNames("0")
            for name in source:
                try:
                    names[name]
                except (ExpressionError, TypeError):
                    raise ConfigError(
                        f"secrets: {name!r} is not the name of a secret: letters, digits and `_`"
                    ) from None
                if len(self.read(name)) < SHORTEST:
                    warnings.warn(
                        f"secret {name} is shorter than {SHORTEST} characters: it is hidden where it stands alone, and not inside other texts",
                        stacklevel=4,
                    )

    def __repr__(self) -> str:
        return f"<{len(self._scrubber.names)} secrets>"

    def check(self, name: str) -> None:
        """See that there is a secret of that name, as far as that is known before it is read.

        Raises:
            ExpressionError: there is none.
        """
        if isinstance(self._source, Mapping) and name not in self._source:
            raise ExpressionError(
                f"there is no secret {name!r}", candidates=get_close_matches(name, list(self._source))
            )

    def read(self, name: str) -> str:
        """The value that a secret has now.

        Raises:
            SecretError: there is none of that name.
        """
        try:
            value = self._source[name] if isinstance(self._source, Mapping) else self._source(name)
        except KeyError:
            value = None
        if value is None:
            raise SecretError(f"there is no secret {name!r}; give it with Fluxor(secrets=…)")
        if not isinstance(value, str) or not value:
            raise ConfigError(
                f"secret {name} is {'empty' if value == '' else f'a {type(value).__name__}'}; expected text"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"secret {name} holds what is not a character; expected text") from None
        self._scrubber.learn(name, value)
        return value

    # On the way in ------------------------------------------------------------------------------------------------------

    @staticmethod
    def seal(environment: Mapping[str, Any] | None = None) -> str:
        """The seal of a new process: that of the process whose child it is, else a new one."""
        inherited = (environment or {}).get(SEAL)
        return str(inherited) if inherited else chance.token_hex(10)

    def resolve(self, value: Any, environment: Mapping[str, Any], service: str) -> Any:
        """An action's input with values in the place of the process's own markers.

        Raises:
            SecretError: there is no such secret.
        """
        seal = environment.get(SEAL)
        if seal is None or service in _VERBATIM:
            return value
        return _unmarked(value) if service in _SHOWN else self._resolve(value, seal)

    def _resolve(self, value: Any, seal: str) -> Any:
        if type(value) is not str:
            return mapped(value, lambda item: self._resolve(item, seal))
        if MARKER_START not in value:
            return value
        return ANY_MARKER.sub(lambda found: self.read(found[1]) if found[2] == seal else found[0], value)

    def conceal(self, value: Any, seal: str, where: str, *, trusted: bool = False) -> Any:
        """What a caller gives to a process, plain data, with markers in the place of values.

        Args:
            value: what is given.
            seal: of the process.
            where: for the log, which says that it held secrets.
            trusted: whether it comes from another process of the same seal, whose markers count.
        """
        found: set[str] = set()
        concealed = self._conceal(value, seal, found, trusted=trusted)
        if found:
            _logger.warning("%s: the values of %s were given, and are kept as secrets", where, ", ".join(sorted(found)))
        return concealed

    def _conceal(self, value: Any, seal: str, found: set[str], *, trusted: bool) -> Any:
        if type(value) is not str:
            if type(value) is int:
                return self._scrubber.value(value)
            return mapped(value, lambda item: self._conceal(item, seal, found, trusted=trusted))
        if not trusted:
            value = unmarked(value)
        for secret, name in self._scrubber.names.items():
            if secret == value or (len(secret) >= SHORTEST and secret in value):
                value = value.replace(secret, marker(name, seal))
                found.add(name)
        return self._scrubber.text(value)

    # On the way out -----------------------------------------------------------------------------------------------------

    def output(self, value: Any, service: str = "") -> Any:
        """What an action returns, without values; nor can it bring a marker into being."""
        return self._scrubber.value(value if service in _VERBATIM else _unmarked(value))

    def text(self, text: str) -> str:
        """A message without values, also where they are cut off; nor can it bring a marker into being."""
        return self._scrubber.message(unmarked(text))

    def failure(self, failure: Failure) -> Failure:
        """The failure with a message without values."""
        message = self.text(failure.message)
        return failure if message == failure.message else evolve(failure, message=message)

    def trace(self, error: BaseException) -> str:
        """The traceback of an error without values."""
        return self.text("".join(traceback.format_exception(error)))

    def command(self, command: Command) -> Command:
        """What somebody tells a process, without values."""
        if isinstance(command, Signal):
            # Expressions see its name, too.
            return evolve(command, name=unmarked(command.name), value=self.output(command.value))
        if isinstance(command, ResumeExecution):
            return evolve(command, value=self.output(command.value))
        if isinstance(command, EmitTasks):
            return evolve(command, items=tuple(self.output(each) for each in command.items))
        if isinstance(command, Steer):
            return evolve(command, values=self.output(command.values))
        if isinstance(command, Cancel):
            return evolve(command, reason=self.text(command.reason))
        if isinstance(command, Decide):
            # The arguments may have the markers of the request, which the process sees to. An action's failure tells who has said no, and why.
            by = None if command.decided_by is None else unmarked(command.decided_by)
            args = self._scrubber.value(command.args)
            return evolve(command, reason=self.text(command.reason), decided_by=by, args=args)
        return command


def unmarked(text: str) -> str:
    """The text without anything that looks like a marker."""
    return ANY_MARKER.sub(HIDDEN, text) if MARKER_START in text else text


def _unmarked(value: Any) -> Any:
    return unmarked(value) if type(value) is str else mapped(value, _unmarked)
