r"""Starts a process for each message.

Example:
    >>> from fluxor_actors import Fluxor
    >>> from fluxor_actors.messaging import MemoryQueue, Trigger
    >>> orders = MemoryQueue()
    >>> with Fluxor() as engine:
    ...     workflow = engine.runtime.decode_yaml_workflow("name: ship\npipeline: {pack: {action: nop:nop, post: {packed: '${order}'}}}")
    ...     trigger = engine.attach(Trigger(orders, workflow, {"order": "${message.number}"}))
    ...     orders.publish({"number": 7}, id="first")
    ...     trigger.until_idle(timeout=10)
    ...     engine.runtime.handle("ship:first").wait(timeout=10).output["packed"]
    'first'
    True
    7
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxor_actors.errors import ConfigError, EngineBusyError, EngineStoppedError, InputError, StoreError
from fluxor_actors.messaging.attaching import Engine, Handle
from fluxor_actors.messaging.message import Message
from fluxor_actors.messaging.queue import Queue
from fluxor_actors.tracing import received

if TYPE_CHECKING:
    from fluxor_actors.definition.model import Workflow

__all__ = ["Trigger"]

_logger = logging.getLogger(__name__)

_GLANCE = 0.5
"""Seconds at most for which the thread does not see that it is to stop."""
_LONGEST = 5.0
_USABLE = re.compile(r"[A-Za-z0-9._:@+=-]{1,100}")

Map = Callable[[Any], Mapping[str, Any]] | str | Mapping[str, Any] | None


class Trigger:
    """Starts a process for each message of a queue, once it is attached: ``engine.attach(Trigger(queue, workflow))``.

    A message is acknowledged when the start of its process is committed. The process's id comes from the trigger's name and the message's id, so a message
    that is delivered twice, or published twice with one id, starts one process, as long as the store keeps that process (``retain=``). A message of
    which no initial state can be made, or that the workflow does not take, is refused, and becomes a dead letter in the end. While the engine
    is busy or its store is away, messages wait without counting as refused. A trace that `fluxor_actors.tracing.inject` has put into a message that is a
    mapping goes on in the process.

    Args:
        queue: where messages come from.
        workflow: what to run, or its location.
        map: from a message to the initial state: a function of the payload; or an expression, or a mapping with expressions, of ``message`` (the
            payload), ``id`` and ``attempts``. None: the payload is the initial state.
        name: first part of the processes' ids; None: the workflow's name. Each trigger of an engine's store needs its own.
        max_pending: how many processes it has started may be unfinished at once; when there are so many, messages wait in the queue. Those that wait for
            people or timers count, too. None: any number, which the engine's own ``max_pending`` bounds.
    """

    def __init__(
        self,
        queue: Queue[Any],
        workflow: Workflow | str,
        map: Map = None,  # noqa: A002 - the interface's name
        *,
        name: str | None = None,
        max_pending: int | None = 100,
    ) -> None:
        whole = isinstance(max_pending, int) and not isinstance(max_pending, bool)
        if max_pending is not None and (not whole or max_pending < 1):
            raise ConfigError(f"max_pending is {max_pending!r}; expected a whole number from 1, or None")
        if name is not None and not _USABLE.fullmatch(name):
            raise ConfigError(f"a trigger's name is {name!r}; expected up to 100 letters, digits and any of ._:@+=-")
        self._queue = queue
        self._workflow = workflow
        self._map = map
        self._name = name
        self._max_pending = max_pending
        self._changed = threading.Condition()
        self._pending = 0
        self._idle = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """How many processes it has started, or is about to start, have not ended."""
        return self._pending

    def start(self, engine: Engine) -> None:
        """Begin. Called by ``engine.attach``.

        Raises:
            DefinitionError: the workflow cannot be loaded.
            ConfigError: it is attached already.
        """
        if self._thread is not None:
            raise ConfigError("a trigger can be attached once; make another one")
        workflow = self._workflow
        loaded = engine.runtime.load_workflow(workflow) if isinstance(workflow, str) else workflow
        name = self._name or _usable(loaded.name)
        self._thread = threading.Thread(
            target=self._run, args=(engine, loaded, name), name=f"fluxor-trigger-{name}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more messages. What it has started goes on. Idempotent.

        Args:
            timeout: seconds to wait for the start of a process that is under way.

        Returns:
            Whether its thread has ended.
        """
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is None:
            return True
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def detach(self, timeout: float) -> None:
        """The engine stops."""
        self.stop(timeout)

    def until_idle(self, timeout: float | None = None) -> bool:
        """Wait until it has found the queue empty, at least once from now on.

        What was published before has been dealt with then, but for what was refused and waits for its next delivery.

        Returns:
            False when time ran out.
        """
        with self._changed:
            self._idle = False
            return self._changed.wait_for(lambda: self._idle or self._stopping.is_set(), timeout) and self._idle

    # On its thread -------------------------------------------------------------------------------------------------------

    def _run(self, engine: Engine, workflow: Workflow, name: str) -> None:
        delay = 0.05
        while not self._stopping.is_set():
            try:
                message = self._next()
            except Exception as error:  # the queue may be the host's, and raise anything
                _logger.warning("trigger %s cannot read its queue: %s", name, error)
                self._stopping.wait(delay)
                delay = min(delay * 2, _LONGEST)
                continue
            delay = 0.05
            if message is not None:
                self._take(engine, workflow, name, message)

    def _next(self) -> Message[Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._has_place() or self._stopping.is_set())
        if self._stopping.is_set():
            return None
        message = self._queue.consume(timeout=0)
        if message is None:
            with self._changed:
                self._idle = True
                self._changed.notify_all()
            message = self._queue.consume(timeout=_GLANCE)
        return message

    def _take(self, engine: Engine, workflow: Workflow, name: str, message: Message[Any]) -> None:
        with self._changed:
            self._pending += 1
        try:
            handle = self._start(engine, workflow, message, f"{name}:{_usable(message.id)}")
        except EngineStoppedError:
            self._stopping.set()
            self._ended()
            self._settle(message, message.release)
        except Exception as error:  # the map is the host's, and what is wrong with one message is so with no other
            _logger.warning("trigger %s refuses %r: %s", name, message, error)
            self._ended()
            self._settle(message, partial(message.nack, error))
        else:
            try:
                handle.on_end(self._ended)
            except (
                Exception
            ) as error:  # the store is away again: it is not counted, since nobody could say when it ends
                _logger.warning("trigger %s does not see how process of %r ends: %s", name, message, error)
                self._ended()
            self._settle(message, message.ack)

    def _start(self, engine: Engine, workflow: Workflow, message: Message[Any], process_id: str) -> Handle:
        """Start it, as soon as engine and store can.

        Raises:
            EngineStoppedError: the engine has stopped, or this is to stop.
            Exception: what is wrong with the message.
        """
        delay = 0.05
        state = self._state(message)
        while True:
            try:
                with received(message.payload):
                    return engine.runtime.start_process(workflow, state, process_id=process_id)
            except (EngineBusyError, StoreError) as error:
                _logger.info("trigger waits with process %s: %s", process_id, error)
                if self._stopping.wait(delay):
                    raise EngineStoppedError("the trigger was stopped") from error
                delay = min(delay * 2, _LONGEST)

    def _settle(self, message: Message[Any], settle: Callable[[], bool]) -> None:
        """Tell the queue, again and again while it cannot be told. Not told, it delivers the message again, whose process is found by its id then."""
        delay = 0.05
        while True:
            try:
                settle()
            except Exception as error:  # the queue may be the host's, and raise anything
                _logger.warning("the trigger could not settle %r: %s", message, error)
                if self._stopping.wait(delay):
                    return
                delay = min(delay * 2, _LONGEST)
            else:
                return

    def _has_place(self) -> bool:
        return self._max_pending is None or self._pending < self._max_pending

    def _ended(self) -> None:
        with self._changed:
            self._pending -= 1
            self._changed.notify_all()

    def _state(self, message: Message[Any]) -> Mapping[str, Any]:
        payload = message.payload
        if self._map is None:
            state = payload
        elif callable(self._map):
            state = self._map(payload)
        else:
            from fluxor_actors.expression import expand  # loads the grammar

            state = expand(self._map, {"message": payload, "id": message.id, "attempts": message.attempts})
        if not isinstance(state, Mapping):
            raise InputError(f"the initial state is {str(state)[:60]!r}; expected a mapping of values by name")
        return state


def _usable(text: str) -> str:
    """As part of a process's id: the text, or what stands for it when it is long or has signs that an id cannot have."""
    if _USABLE.fullmatch(text):
        return text
    return "sha256=" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
