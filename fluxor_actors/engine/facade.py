"""The engine as an application sees it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fluxor_actors.actions import Actions
from fluxor_actors.actions.registry import ServiceProxy
from fluxor_actors.actors.directory import Directory
from fluxor_actors.actors.dispatcher import Dispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.folding import Keeping
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.messages import Forward
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.past_events import past_events
from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.config import Config, Retention
from fluxor_actors.definition import Loader, TypeRegistry
from fluxor_actors.definition.meta import MetaService
from fluxor_actors.definition.model import Retry, Task
from fluxor_actors.engine.ambient import Ambient, ProgressListener, surround
from fluxor_actors.engine.approvals import ApprovalService
from fluxor_actors.engine.approvals.installing import Installed
from fluxor_actors.engine.asking import Asking
from fluxor_actors.engine.attachments import carry
from fluxor_actors.engine.copies import attach as attach_daos
from fluxor_actors.engine.hosting import ContextHost, invoker
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.listeners import StateListener, WhenListener, attach
from fluxor_actors.engine.machinery import events_on, journal_on, ticks_on, timer_on, workers_on
from fluxor_actors.engine.observing import counted, measure, observer, open_metrics, open_spans
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.policies import read_policy
from fluxor_actors.engine.reading import Reading
from fluxor_actors.engine.runtime import Runtime
from fluxor_actors.engine.secrecy import SecretSource, open_secrets
from fluxor_actors.engine.services import built_in
from fluxor_actors.engine.stores import KEPT_IN_MEMORY, check_store, open_store
from fluxor_actors.engine.upkeep import Upkeep
from fluxor_actors.expression import Language
from fluxor_actors.faults import Faults
from fluxor_actors.ids import Ids, RandomIds
from fluxor_actors.policy import PolicyLike
from fluxor_actors.process.commands import Command
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.turn import Rules
from fluxor_actors.storage import Store
from fluxor_actors.storage.dao import Dao
from fluxor_actors.tracing.destination import Tracing

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from fluxor_actors.messaging.attaching import Attachable
    from fluxor_actors.messaging.queue import Queue

__all__ = ["Fluxor"]

Attached = TypeVar("Attached", bound="Attachable")


class Fluxor:
    """A workflow engine inside the program. Several may live side by side; nothing is shared between them.

    Everything a workflow needs from the application is given here; settings that a file or the environment may give too are those
    of `Config`. It starts with the first process, or with `start`, and ends with `shutdown`; ``with`` does both.

    Example:
        >>> from fluxor_actors import Fluxor, action
        >>> @action("text:shout")
        ... def shout(text: str) -> str:
        ...     return text.upper()
        >>> with Fluxor(services=[shout]) as engine:
        ...     workflow = engine.runtime.decode_yaml_workflow('''
        ...         name: loud
        ...         pipeline:
        ...           shout: {action: text:shout, input: {text: "${word}!"}}
        ...     ''')
        ...     engine.runtime.start_process(workflow, {"word": "hello"}).wait(timeout=10).output["shout"]
        'HELLO!'
    """

    def __init__(
        self,
        *,
        config: Config | None = None,
        services: Iterable[object] = (),
        types: Mapping[str, type] | Iterable[type] = (),
        functions: Mapping[str, Callable[..., Any]] | None = None,
        secrets: SecretSource | None = None,
        service_proxy: ServiceProxy | None = None,
        retry: Retry | None = None,
        state_listeners: Iterable[StateListener] = (),
        when_listeners: Iterable[WhenListener] = (),
        executor_listener: Callable[[Task, Execution], object] | None = None,
        tracing: Tracing | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        event_service: EventService | None = None,
        approval_service: ApprovalService | None = None,
        meta_service: MetaService | None = None,
        meta_fs_options: Mapping[str, Any] | None = None,
        process_dao: Dao[Process] | None = None,
        execution_dao: Dao[Execution] | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        dispatcher: Dispatcher | None = None,
        queue: Queue[Any] | None = None,
        take_over: bool = True,
        faults: Faults | None = None,
        **settings: Any,
    ) -> None:
        """Make an engine. Nothing runs yet.

        Args:
            config: settings; each may be overridden by an argument of its name.
            services: actions: functions marked `action`, classes with methods marked `method`, or services.
            types: for typed parameters: classes, or a mapping of names to classes.
            functions: for expressions; quick and pure.
            secrets: what ``${secret.NAME}`` stands for: values by name, or a function from a name to its value. Read when an action is called,
                and kept out of journals, logs, events and errors.
            service_proxy: wraps every service that is registered.
            retry: for tasks with an action, unless document or task say otherwise.
            state_listeners: called ``(session, key, old, new)`` for every session value that is set.
            when_listeners: called ``(session, expression, result)`` for every condition that is evaluated.
            executor_listener: called ``(task, execution)`` for every execution of an action that has ended.
            tracing: where spans of processes and actions go; see `Tracing`.
            tracer_provider: in place of ``tracing``, one of OpenTelemetry's; the engine does not shut it down.
            meter_provider: one of OpenTelemetry's, for metrics; the engine does not shut it down.
            event_service: in place of the engine's own; the engine does not shut it down.
            approval_service: in place of the engine's own; the engine does not close it.
            meta_service: reads documents, in place of fsspec.
            meta_fs_options: storage options for fsspec.
            process_dao: is given every process whose state has changed, once that is committed.
            execution_dao: is given every execution that has changed, once that is committed.
            clock: the time, for tests.
            ids: makes process ids, for tests.
            dispatcher: gives actors their turns, in place of two threads. On a `SteppingDispatcher` nothing of the engine has a thread.
            queue: between the engine and its workers, in place of their inboxes; of `fluxor_actors.messaging`. No other engine may use it at the same
                time; the engine does not close it.
            take_over: go on with what engines that are dead have left on the store; else only with what this one starts, and what it
                is told to by `Runtime.take_over`.
            faults: called at each of `fluxor_actors.faults.FAULT_POINTS`, for tests.
            **settings: fields of `Config`, and ``workers`` for ``processor.workers``. ``store`` also takes a `Store`, which the engine
                does not close.

        Raises:
            ConfigError: a setting is unknown, or has a wrong value.
            RegistryError: a service or type cannot be registered.
        """
        given = settings.pop("store", None)
        url = {"store": given} if isinstance(given, str) else {}
        config = (config or Config.default()).override(**settings, **url)
        clock = clock or SystemClock()
        kept = (
            open_store(config.store, config.retain, config.durability, clock)
            if given is None or url
            else check_store(given)
        )
        # A store that is read from a disk or over a network makes a thread wait now and then.
        dispatcher = dispatcher or ThreadPoolDispatcher(1 if kept.immediate else 2)
        retention = Retention.of(config.retain)
        directory = Directory(remember=retention.count or KEPT_IN_MEMORY)
        self.actions = Actions(service_proxy=service_proxy)
        self.types = TypeRegistry()
        self.events = event_service or events_on(dispatcher)
        hidden = open_secrets(secrets)
        # What runs already must not fail since a secret is gone: only what is loaded is checked.
        language = Language(functions, config.strict_expressions, secrets=lambda _name: None)
        checking = language
        if hidden is not None:
            checking = Language(functions, config.strict_expressions, secrets=hidden.check)
        plans = Plans(language, self.actions, self.types, kept, retry, checking=checking)
        scrub = None if hidden is None else hidden.text
        spans, metrics = open_spans(tracing, tracer_provider, scrub, kept), open_metrics(meter_provider)
        counting = counted(kept, metrics)
        parts = _parts(config, clock, kept, directory, dispatcher, self.events, plans, faults, counting=counting)
        parts.observer, parts.ticks = observer(spans, metrics), ticks_on(dispatcher, clock)
        reading = Reading(parts)
        self.copies = attach_daos(parts, reading, plans.plan_of, process_dao, execution_dao)
        host = ContextHost(
            clock,
            directory,
            self.events,
            lambda process_id: reading.process(process_id, plans.plan_of),
            Asking(parts, plans, hidden),
            spans,
            hidden,
        )
        invoke = invoker(self.actions, host, kept, clock, parts.acting, hidden, spans, metrics)
        spawn = workers_on(dispatcher, invoke, faults)
        carrier = None if queue is None else carry(queue, spawn)
        lifecycle = Lifecycle(
            parts, plans, ids or RandomIds(), carrier or spawn, config.processor.workers, dict(config.action_limits),
            config.max_pending, config.on_busy, owns_events=event_service is None, owns_store=kept is not given,
            lease=config.lease, take_over=take_over,
            upkeep=None if retention.age is None else Upkeep(kept, retention.age, clock),
            secrets=hidden, spans=spans,
        )  # fmt: skip
        if metrics is not None:
            measure(metrics, lifecycle)
        loader = Loader(
            config.meta_base_url, meta_fs_options, meta_service, root_task_node_name=config.root_task_node_name,
            actions=self.actions, types=self.types, language=checking,
        )  # fmt: skip
        if carrier is not None:
            lifecycle.attached.after(carrier.stop)
        self.config = config
        self.runtime = Runtime(lifecycle, loader)
        self.actions.register(built_in(lifecycle, loader, config.storage_roots, config.http_hosts))
        self.register_services(*services)
        if isinstance(types, Mapping):
            for name, type_ in types.items():
                self.types.register(name, type_)
        else:
            self.register_types(*types)
        _keep_history(self.events, kept, plans, lifecycle, self.runtime)
        attach(self.events, plans, tuple(state_listeners), tuple(when_listeners), executor_listener)
        self.approvals = approval_service or ApprovalService(clock=clock)
        Installed(self.approvals, lifecycle, owned=approval_service is None)
        self._lifecycle = lifecycle
        # An engine that is dropped, or left to the end of the program, stops all the same. It is held by its runtime, and
        # by handles of processes, which hold that; nothing below may refer to either.
        weakref.finalize(self.runtime, lifecycle.let_go)

    @classmethod
    def from_config(cls, config: Config | None = None, **options: Any) -> Fluxor:
        """An engine with these settings; ``options`` win over them."""
        return cls(config=config, **options)

    def register_services(self, *services: object) -> None:
        """Add actions.

        Raises:
            RegistryError: one of them cannot be registered.
        """
        self.actions.register(list(services))

    def register_types(self, *types: type) -> None:
        """Add types for typed parameters, by their class names.

        Raises:
            RegistryError: one of them cannot be registered.
        """
        for type_ in types:
            self.types.register(type_.__name__, type_)

    def context(
        self,
        *,
        policy: PolicyLike | None = None,
        values: Mapping[str, Any] | None = None,
        progress: ProgressListener | None = None,
    ) -> AbstractContextManager[Ambient]:
        """What is given here reaches every process that this thread, or asyncio task, starts inside the ``with``.

        Args:
            policy: which actions may run, beside what engine and document say; the strictest counts.
            values: for actions, as ``context.values``.
            progress: called ``(process_id, progress)`` when a process or one of its sub-workflows gets on.
        """
        return surround(values, progress, read_policy(policy, "the context"))

    def attach(self, one: Attached) -> Attached:
        """Join a `Trigger`, a `Publisher` or the like to the engine; it begins at once, and ends with the engine. Starts the engine.

        Returns:
            What was given.

        Raises:
            EngineStoppedError: the engine was shut down.
        """
        self._lifecycle.ensure_started()
        self._lifecycle.attached.add(one, self)
        return one

    def start(self) -> Self:
        """Start the engine. Idempotent; starting a process does it too.

        Raises:
            EngineStoppedError: it was shut down.
        """
        self._lifecycle.ensure_started()
        return self

    def shutdown(self, timeout: float = 10.0) -> tuple[str, ...]:
        """Take no more work, let running actions finish, end every thread. Safe to call twice, from any thread.

        Args:
            timeout: seconds for running actions. One that has not returned by then is asked to stop (`ActionContext.cancelled`) and left behind on
                its daemon thread; its attempt counts as crashed.

        Returns:
            The ids of executions whose actions have not returned.
        """
        return self._lifecycle.shutdown(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()


class _Unstarted:
    """Stands for an actor until the engine starts."""

    def tell(self, message: Any) -> None:
        raise RuntimeError(f"the engine is not started, and {message!r} came")


def _keep_history(events: EventService, store: Store, plans: Plans, lifecycle: Lifecycle, runtime: Runtime) -> None:
    """Let late subscribers hear what was before, as long as there is the engine: the bus may outlive it."""
    forget = events.keep_history(partial(past_events, store, plans.plan_of))
    lifecycle.attached.after(lambda _timeout: forget())
    weakref.finalize(runtime, forget)


def _deliver(parts: Parts, process_id: str, command: Command) -> None:
    faults = parts.faults
    if faults is not None:
        faults("timer.before", process_id)
    first = None if parts.before_timer is None else parts.before_timer(process_id, command)
    if first is not None:
        parts.tell_guardian(Forward(process_id, first))
    parts.tell_guardian(Forward(process_id, command))
    if faults is not None:
        faults("timer.after", process_id)


def _parts(
    config: Config,
    clock: Clock,
    store: Store,
    directory: Directory,
    dispatcher: Dispatcher,
    events: EventService,
    plans: Plans,
    faults: Faults | None,
    *,
    counting: Store,
) -> Parts:
    health = Health(events, clock)
    parts = Parts(
        clock=clock,
        rules=Rules(
            config.cancel_grace,
            config.max_transitions,
            policy=read_policy(config.policy, "the engine"),
            approval_skip_prefixes=config.approval_skip_prefixes,
        ),
        store=store,
        directory=directory,
        dispatcher=dispatcher,
        events=events,
        journal=journal_on(dispatcher, counting, clock, faults, health, immediate=store.immediate),
        timer=timer_on(dispatcher, clock, lambda process_id, command: _deliver(parts, process_id, command)),
        plan_of=plans.plan_of,
        guardian=_Unstarted(),
        allocator=_Unstarted(),
        faults=faults,
        health=health,
        keeping=Keeping.of(config.history, config.snapshot_every, store),
    )
    return parts
