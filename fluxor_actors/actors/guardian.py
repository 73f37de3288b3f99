"""The guardian: starts supervisors, finds them, and starts another when one dies."""

from __future__ import annotations

import logging
import time
from typing import Any, cast

from pykka import ActorDeadError

from fluxor_actors.actors.directory import Ended
from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.messages import (
    Adopt,
    Begin,
    Forward,
    LookAround,
    Mailbox,
    ProcessOver,
    ProcessResting,
    Reach,
    SetTimer,
    Started,
    StartProcess,
    SupervisorFailed,
    Wake,
)
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.postponing import NOBODY, Postpone, Postponed
from fluxor_actors.actors.quarantine import quarantine
from fluxor_actors.actors.supervisor import ProcessSupervisor
from fluxor_actors.actors.trouble import Remedy, Trouble
from fluxor_actors.actors.waiting import Watch, child_ended, circle, refusal, waits_of
from fluxor_actors.definition import to_json
from fluxor_actors.errors import (
    EngineStoppedError,
    OwnershipLostError,
    ProcessNotFoundError,
    StoreError,
    StoreUnavailableError,
)
from fluxor_actors.process.commands import (
    AttemptFailed,
    AttemptSucceeded,
    AttemptSuspended,
    Cancel,
    Pause,
    Resume,
    Start,
    TimerKind,
)
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.snapshot import ProcessOutput
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.storage.durable import DurableStore
from fluxor_actors.storage.restoring import restored

__all__ = ["Guardian"]

_logger = logging.getLogger(__name__)

_KNOWN_FOR = 600.0  # seconds
_DEFINITIONS = 10_000
_GLANCES = 200
# How many journals are read in one turn.
_ADOPTED_AT_ONCE = 200
_LATE = (AttemptSucceeded, AttemptFailed, AttemptSuspended)


class Guardian(DispatchedActor):
    """One for one: a supervisor that dies is replaced by one that rebuilds the process from its journal.

    A process whose supervisor dies more often than ``crashes`` times within ``window`` seconds is quarantined: it fails, with the reason, and the others
    do not notice. While the store cannot be reached, a process whose supervisor died of that is tried again from time to time.
    """

    def __init__(self, parts: Parts, crashes: int = 3, window: float = 60.0) -> None:
        super().__init__()
        self._parts = parts
        self._live = parts.directory.supervisors
        self._crashes = crashes
        self._trouble = Trouble(crashes, window)
        self._postponed = Postponed(parts.clock, parts.timer)
        # Of a process: the processes that wait for its end, and with which of their runs.
        # Whether the wait ends by itself is kept with each.
        self._watchers: dict[str, dict[tuple[str, str], bool]] = {}
        # Of a process that waits: for which others.
        self._watched: dict[str, set[str]] = {}
        # Definitions that the store is known to have, and until when that is sure.
        self._kept: dict[str, float] = {}

    def on_receive(self, message: Any) -> Any:
        kind = type(message)
        if kind is StartProcess:
            # Memory is asked for nothing; to ask a database costs as much as all the rest of a start.
            fresh = message.fresh and not self._parts.store.immediate
            self._begin(Begin(message.plan, message.command, self.defer_reply()), fresh=fresh)
        elif kind is Begin:
            self._begin(message)
        elif kind is ProcessOver:
            self._over(message)
        elif kind is ProcessResting:
            self._rests(message)
        elif kind is Forward:
            self._forward(message)
        elif kind is Reach:
            return self._reach(message.process_id)
        elif kind is Watch:
            self._watch(message)
        elif kind is SupervisorFailed:
            self._failed(message)
        elif kind is Adopt:
            self._adopt(message)
        elif kind is LookAround:
            self._look_around()
        elif kind is Postpone:
            self._postponed.put(message.message)
        else:
            raise TypeError(f"the guardian has no use for a {kind.__name__}")
        return None

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on: what is wrong with one process is no reason to leave the others alone. What the store had no answer to comes again."""
        if isinstance(error, StoreUnavailableError):
            self._postponed.put(message)
        _logger.error("the guardian could not handle %r", message, exc_info=error)
        return True

    def on_undelivered(self, message: Any) -> None:
        """Let whoever waits for a start know that there will be none."""
        if isinstance(message, Begin):
            error = EngineStoppedError("the engine stopped before the process began")
            message.reply.set_exception((EngineStoppedError, error, None))

    # Starting and finding ----------------------------------------------------------------------------------------------

    def _begin(self, message: Begin, *, fresh: bool = False) -> None:
        try:
            if self._parts.health is not None and message.command.parent_id is None:
                self._parts.health.check()
            if fresh or not self._join(message):
                self._start(message.plan, message.command, message)
        except BaseException as error:  # the store may fail; the caller waits for the deferred answer
            message.reply.set_exception((type(error), error, None))
            if not isinstance(error, Exception):
                raise

    def _join(self, message: Begin) -> bool:
        """Whether there is such a process: then the caller is told, at the latest when its start is committed."""
        process_id = message.command.process_id
        supervisor = self._live.get(process_id)
        if self._parts.store.header(process_id) is not None:
            message.reply.set(Started(process_id, existing=True))
            return True
        if supervisor is not None:
            try:
                supervisor.tell(message)
            except ActorDeadError:
                return False
            return True
        return False

    def _start(self, plan: Plan, command: Start, message: Begin) -> None:
        self._keep_definition(plan)
        supervisor = ProcessSupervisor.start(self._parts.dispatcher, self._parts, command.process_id, plan)
        self._live[command.process_id] = supervisor
        supervisor.tell(message)

    def _keep_definition(self, plan: Plan) -> None:
        now = time.monotonic()
        if self._kept.get(plan.hash, 0.0) > now and not self._parts.store.immediate:
            return
        store = self._parts.store
        # A store forgets definitions that no process has had for a while: putting one again keeps it.
        if not store.immediate or store.definition(plan.hash) is None:
            store.put_definition(plan.hash, to_json(plan.workflow))
        if len(self._kept) >= _DEFINITIONS:
            self._kept.clear()
        self._kept[plan.hash] = now + _KNOWN_FOR

    def _spawn(self, process_id: str) -> Mailbox:
        supervisor = ProcessSupervisor.start(self._parts.dispatcher, self._parts, process_id, None)
        self._live[process_id] = supervisor
        return supervisor

    def _adopt(self, message: Adopt) -> None:
        """Go on with processes that were another engine's, or this one's before it died."""
        ours, later = message.process_ids[:_ADOPTED_AT_ONCE], message.process_ids[_ADOPTED_AT_ONCE:]
        wanted = {process_id: Wake() for process_id in ours if self._alive(process_id) is None}
        try:
            # Together, since that takes a fraction of the time.
            for journal in cast(DurableStore, self._parts.store).read_many(list(wanted)):
                wanted[journal.header.id] = Wake(journal)
        except Exception:  # then each reads its own, and tries until it can
            _logger.warning("journals could not be read together", exc_info=True)
        for process_id, wake in wanted.items():
            self._spawn(process_id).tell(wake)
        if later:
            # Others get their turn in between.
            self.actor_ref.tell(Adopt(later))

    def _alive(self, process_id: str) -> Mailbox | None:
        supervisor = self._live.get(process_id)
        if supervisor is not None and supervisor.is_alive():
            found: Mailbox = supervisor
            return found
        return None

    def _reach(self, process_id: str) -> Mailbox:
        supervisor = self._alive(process_id)
        if supervisor is None:
            if self._parts.store.header(process_id) is None:
                raise ProcessNotFoundError(process_id)
            supervisor = self._spawn(process_id)
        return supervisor

    def _forward(self, message: Forward) -> None:
        """Bring a command to a process. One that has ended is worth waking only for what became of an attempt."""
        if message.process_id == NOBODY:
            for each in self._postponed.take():
                self.actor_ref.tell(each)
            return
        supervisor = self._alive(message.process_id)
        while supervisor is not None:
            try:
                supervisor.tell(message.command)
            except ActorDeadError:
                supervisor = None
            else:
                return
        header = self._parts.store.header(message.process_id)
        if header is None or (header.state.final and not isinstance(message.command, _LATE)):
            _logger.debug("process %s is over: %r", message.process_id, message.command)
            self._parts.conversations.leave(message.process_id, "the process has ended")
            return
        elsewhere = self._parts.elsewhere
        if elsewhere is not None and not elsewhere.holds(message.process_id):
            if isinstance(message.command, (Cancel, Pause, Resume)):
                elsewhere.post(message.process_id, message.command)
            self._parts.conversations.leave(message.process_id, "another engine runs the process by now")
            return
        self._spawn(message.process_id).tell(message.command)

    def _over(self, message: ProcessOver) -> None:
        process_id = message.process_id
        if self._live.get(process_id) is message.supervisor:
            del self._live[process_id]
            self._parts.conversations.leave(process_id, "the process has ended")
        self._trouble.clear(process_id)
        self._unwatch(process_id)
        self._tell_watchers(process_id, message.ended)
        if message.ended is not None and message.ended.process.parent_id is not None:
            self._wake(message.ended.process.parent_id)

    def _rests(self, message: ProcessResting) -> None:
        # Unless somebody has woken it already.
        if self._live.get(message.process_id) is message.supervisor:
            del self._live[message.process_id]
            self._trouble.clear(message.process_id)
            self._parts.directory.rest(message.process_id)
            # The store wakes who waits for a sub-workflow.
            self._unwatch(message.process_id)

    def _wake(self, process_id: str) -> None:
        """Go on at once with a process that may be at rest; the store would have it woken in a moment."""
        elsewhere = self._parts.elsewhere
        if elsewhere is None or self._alive(process_id) is not None:
            return
        header = self._parts.store.header(process_id)
        if header is not None and not header.state.final and elsewhere.holds(process_id):
            self._spawn(process_id).tell(Wake())

    # Sub-workflows -----------------------------------------------------------------------------------------------------

    def _watch(self, message: Watch) -> None:
        header = self._parts.store.header(message.child)
        if header is None or header.state.final:
            output = self._output_of(message.child)
            self._forward(Forward(message.parent, child_ended(message.run, message.child, output)))
        else:
            way = circle(message.child, message.parent, self._waits if message.foreign else self._waits_here)
            if way is not None and not message.timed:
                self._forward(Forward(message.parent, refusal(message, way)))
                return
            self._watchers.setdefault(message.child, {})[message.parent, message.run] = message.timed
            self._watched.setdefault(message.parent, set()).add(message.child)

    def _waits_here(self, process_id: str) -> list[str]:
        """For whom a process waits, as far as that is known here, and however long it takes."""
        return [
            child
            for child in self._watched.get(process_id, ())
            if any(each[0] == process_id and not timed for each, timed in self._watchers.get(child, {}).items())
        ]

    def _waits(self, process_id: str) -> list[str]:
        """The same of any process: one that is not here, or is at rest, is asked of the store."""
        if process_id in self._live:
            return self._waits_here(process_id)
        journal = self._parts.store.read(process_id)
        if journal is None or journal.header.state.final:
            return []
        plan = self._parts.plan_of(journal.header.definition_hash)
        return waits_of(restored(plan, journal, self._parts.store))

    def _look_around(self) -> None:
        """See to those that are waited for, and that another engine may have ended."""
        absent = [each for each in self._watchers if each not in self._live][:_GLANCES]
        # Together: it is looked whenever something has changed, and others wait for the guardian meanwhile.
        headers = cast(DurableStore, self._parts.store).headers_of(absent) if absent else ()
        unfinished = {header.id for header in headers if not header.state.final}
        for process_id in absent:
            self._watchers[process_id] = self._watchers.pop(process_id)  # another time the others have their turn
            if process_id not in unfinished:
                self._tell_watchers(process_id, None)

    def _unwatch(self, parent: str) -> None:
        """A process is over, and waits for nobody any more."""
        for child in self._watched.pop(parent, ()):
            left = {each: timed for each, timed in self._watchers.pop(child, {}).items() if each[0] != parent}
            if left:
                self._watchers[child] = left

    def _tell_watchers(self, process_id: str, ended: Ended | None) -> None:
        if process_id in self._watchers:
            output = self._output_of(process_id) if ended is None else ended.output
            for parent, run in self._watchers.pop(process_id):
                children = self._watched.get(parent)
                if children is not None:
                    children.discard(process_id)
                    if not children:
                        del self._watched[parent]
                # By itself, so that one that cannot be reached now does not keep it from the others.
                self.actor_ref.tell(Forward(parent, child_ended(run, process_id, output)))

    def _output_of(self, process_id: str) -> ProcessOutput | None:
        ended = self._parts.directory.ended(process_id)
        if ended is not None:
            return ended.output
        journal = self._parts.store.read(process_id)
        if journal is None:
            return None
        plan = self._parts.plan_of(journal.header.definition_hash)
        return output_of(process_of(restored(plan, journal, self._parts.store)))

    # Deaths ------------------------------------------------------------------------------------------------------------

    def _failed(self, message: SupervisorFailed) -> None:
        process_id, error = message.process_id, message.error
        if self._live.get(process_id) is not message.supervisor:
            return
        del self._live[process_id]
        try:
            known = self._parts.store.header(process_id) is not None
        except Exception:  # a store that cannot be asked is tried again
            known = True
        if not known:
            self._trouble.clear(process_id)
            return
        if isinstance(error, OwnershipLostError) and self._is_ours(process_id):
            # Not lost to others: the one before this supervisor had more under way than it could read.
            error = RuntimeError(str(error))
        remedy = self._trouble.death(process_id, error, self._parts.clock.time())
        ids = {"process_id": process_id}
        if remedy is Remedy.QUARANTINE:
            self._quarantine(process_id, error)
        elif remedy is Remedy.WAIT:
            _logger.warning("process %s waits for the store (%r)", process_id, error, extra=ids)
            self._try_later(process_id)
        elif remedy is Remedy.LEAVE:
            _logger.error("process %s belongs to somebody else: %s", process_id, error, extra=ids)
            self._parts.conversations.leave(process_id, "another engine runs the process by now")
        else:
            _logger.warning("the supervisor of process %s died (%r) and is replaced", process_id, error, extra=ids)
            self._spawn(process_id).tell(Wake())

    def _is_ours(self, process_id: str) -> bool:
        elsewhere = self._parts.elsewhere
        try:
            return elsewhere is not None and elsewhere.holds(process_id)
        except StoreError:  # the engine has been declared dead, or cannot know
            return False

    def _quarantine(self, process_id: str, error: BaseException) -> None:
        try:
            ended = quarantine(self._parts, process_id, self._crashes + 1, error)
        except Exception:  # the store fails too; nobody is told what is not recorded
            _logger.exception("process %s cannot be quarantined now", process_id, extra={"process_id": process_id})
            self._try_later(process_id)
            return
        self._trouble.clear(process_id)
        if ended is not None:
            self._parts.conversations.leave(process_id, "the process has ended")
            self._unwatch(process_id)
            self._tell_watchers(process_id, ended)

    def _try_later(self, process_id: str) -> None:
        # The timer wakes the process; as it is not that of any run, it does nothing else.
        due = self._parts.clock.time() + self._trouble.delay(process_id)
        self._parts.timer.tell(SetTimer(process_id, "", TimerKind.RETRY, due))
