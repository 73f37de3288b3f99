"""What a store has to do beyond keeping journals, so that several programs can share it and outlive each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from attrs import frozen

from fluxor_actors.storage.store import Append, Header, Journal, Record, Store

__all__ = [
    "Command",
    "DurableAppend",
    "DurableJournal",
    "DurableStore",
    "EndedExecution",
    "EngineIdentity",
    "Parked",
    "Pruned",
    "Snapshot",
    "Standing",
]


@frozen(slots=True)
class EngineIdentity:
    """One run of one engine. ``id`` is never used again; the rest tells whether it is alive, for those on the same host.

    Attributes:
        id: what stands as the owner of its processes.
        host: the name of its machine.
        boot: the machine's boot, and the set of process numbers that ``pid`` belongs to; empty when that cannot be known.
        pid: the number of its program.
        started: when that program started, in the machine's own units; empty when that cannot be known.
    """

    id: str
    host: str
    boot: str
    pid: int
    started: str


@frozen(slots=True)
class Snapshot:
    """A process's state after event number ``sequence``, as whoever saved it wrote it."""

    sequence: int
    data: bytes


@frozen(slots=True)
class DurableJournal(Journal):
    """A journal whose ``records`` are those after ``snapshot``, when there is one."""

    snapshot: Snapshot | None = None


@frozen(slots=True)
class EndedExecution:
    """An execution that has ended, as whoever wrote it wrote it. Written again, the newer one holds.

    ``repeated``: it is one of those that a loop makes without end, so that old ones may be forgotten.
    """

    id: str
    data: str
    repeated: bool = False


@frozen(slots=True)
class DurableAppend(Append):
    """An append with what has to be committed along with it.

    Attributes:
        executions: those that have ended, and that nobody can tell of once records are dropped.
        answers: ids of commands that these events answer, and the answers. A command whose answer is committed with its effect is
            applied once, whatever dies when.
        snapshot: the state after the last of these events, in place of an older one.
        drop_before: records are dropped whose events are all numbered lower, and that are not needed to go on from the snapshot.
        keep_repeated: how many of the process's repeated executions are kept, those that came last; None: all.
    """

    executions: Sequence[EndedExecution] = ()
    answers: Sequence[tuple[str, str]] = ()
    snapshot: bytes | None = None
    drop_before: int = 0
    keep_repeated: int | None = None


@frozen(slots=True)
class Parked:
    """A process with nothing in flight, to be left to the store.

    Attributes:
        process_id: which one.
        sequence: its last event; the process is parked only if that is still so.
        due: when it has to be woken at the latest, in seconds since the epoch; None: by others only.
        snapshot: its state after that event; None when the one that is there will do.
        drop_before: records are dropped whose events are all numbered lower.
        executions: as in `DurableAppend`; and so ``keep_repeated``.
        children: the sub-workflows that it waits for. It is due at once when one of them is finished; when one finishes later,
            it is due then.
    """

    process_id: str
    sequence: int
    due: float | None = None
    snapshot: bytes | None = None
    drop_before: int = 0
    executions: Sequence[EndedExecution] = ()
    keep_repeated: int | None = None
    children: Sequence[str] = ()


@frozen(slots=True)
class Command:
    """What another program wants of a process. Taken in the order in which commands were put.

    Attributes:
        id: chosen by whoever puts it, never used again: put twice, it is there once.
        process_id: whom it is for.
        name: what is to be done.
        payload: with what, as the two sides agree.
        created_at: seconds since the epoch.
    """

    id: str
    process_id: str
    name: str
    payload: str
    created_at: float


@frozen(slots=True)
class Standing:
    """Who looks after a process.

    Attributes:
        owner: the id of the engine that owns it, or did so last.
        identity: who that is, as long as it is on the list of engines.
        alive: whether that engine lives.
        parked: nobody needs to do anything for it before it is due or wanted.
        engines: how many engines of the store live.
        commands: those that are not answered, oldest first.
    """

    owner: str | None
    identity: EngineIdentity | None
    alive: bool
    parked: bool
    engines: int
    commands: tuple[Command, ...] = ()


@frozen(slots=True)
class Pruned:
    """How much was deleted, or would be."""

    processes: int
    definitions: int


class DurableStore(Store, Protocol):
    """A store that outlives its program and may be shared by several.

    A process is owned by the engine that created or claimed it. Once `register_engine` was called, `append` writes only to processes
    owned by that engine, and only as long as nobody has declared the engine dead; an unregistered store writes only to those
    that nobody owns. All methods raise `StoreUnavailableError` when the store cannot be reached, is locked or full; nothing is half
    done then, and the call may be repeated. An `append` whose commit was not answered may have happened: repeated with
    the same records, it succeeds.
    """

    def register_engine(self, identity: EngineIdentity, lease: float) -> None:
        """Become this engine, for ``lease`` seconds from now."""
        ...

    def renew(self, engine: str) -> bool:
        """Make the lease last from now. False: others have declared the engine dead, and it has to stop."""
        ...

    def release(self, engine: str) -> None:
        """Stop being this engine: its processes may be claimed at once."""
        ...

    def claim(self, engine: str, limit: int) -> list[str]:
        """Become the owner of unfinished processes that no living engine owns, oldest first; parked ones stay where they are.

        An engine lives until its lease ends, is released, or its program is known to be dead on this host. It is not woken for a
        parked process: `due`, `take_commands` and `acquire` hand those over when there is something to do.
        """
        ...

    def acquire(self, engine: str, process_id: str) -> bool:
        """Become the owner of this process, parked or finished too. False: a living engine owns it, or there is no such process."""
        ...

    def owner_of(self, process_id: str) -> str | None:
        """The living engine that owns the process; None when there is none."""
        ...

    def standing(self, process_id: str) -> Standing | None:
        """Who looks after a process, living or dead, and what it was told; None when there is no such process."""
        ...

    def park(self, engine: str, parked: Sequence[Parked]) -> list[str]:
        """Leave processes to the store until they are due, one of their sub-workflows ends, or somebody wants them.

        One that has gone on since, or that the engine does not own, is left as it is. A parked process that is appended to is parked no more.

        Returns:
            Those that are parked.
        """
        ...

    def due(self, engine: str, now: float, limit: int, *, own: bool = False) -> list[str]:
        """Take parked processes whose time has come, the longest due first. They are parked no more, and owned by the engine.

        ``own``: only those that the engine has owned before.
        """
        ...

    def next_due(self, engine: str, *, own: bool = False) -> float | None:
        """When the first of the parked processes is due that the engine would get from `due`."""
        ...

    def save_snapshot(self, process_id: str, sequence: int, data: bytes, *, drop_before: int = 0) -> None:
        """Keep the state after event ``sequence``, in place of an older one; drop records with only events before ``drop_before``.

        No record that is needed to go on from the snapshot is dropped. An older snapshot never replaces a newer one.
        """
        ...

    def read(self, process_id: str) -> DurableJournal | None:
        """The snapshot of a process, and what came after it."""
        ...

    def read_many(self, process_ids: Sequence[str]) -> list[DurableJournal]:
        """The journals of those processes that there are, in no order. Each is of one instant. Much cheaper than one by one."""
        ...

    def headers_of(self, process_ids: Sequence[str]) -> list[Header]:
        """The headers of those processes that there are, in no order. Much cheaper than one by one."""
        ...

    def history(self, process_id: str, after: int = 0) -> Iterator[Record]:
        """All records that are kept, whatever the snapshot, of which an event is numbered above ``after``."""
        ...

    def executions(self, process_id: str, ids: Sequence[str] | None = None) -> Iterator[EndedExecution]:
        """The ended executions of a process that were written, in the order in which they first were; or only those of these ids."""
        ...

    def put_command(self, command: Command) -> None:
        """Leave a command for whoever owns the process.

        Raises:
            ProcessNotFoundError: there is no such process.
        """
        ...

    def take_commands(self, engine: str, limit: int, *, own: bool = False) -> list[Command]:
        """Commands for processes of this engine, and for those that no living engine owns: the engine owns them from then on.

        ``own``: only those for processes of this engine.
        A command is handed out once while its taker lives, and again after its death until it is answered.
        """
        ...

    def answer_command(self, command_id: str, answer: str) -> None:
        """Say how a command ended. Answered twice, the first answer holds."""
        ...

    def command_answer(self, command_id: str) -> str | None:
        """The answer; None as long as there is none."""
        ...

    def changed(self) -> int:
        """A number that differs from the last one when another program may have left something here. Cheap."""
        ...

    def wait_for_change(self, known: int, timeout: float) -> int:
        """Wait until `changed` differs from ``known``, for so many seconds at most; what it is then. Ends when the store is closed."""
        ...

    def prune(self, *, before: float | None = None, keep: int | None = None, dry_run: bool = False) -> Pruned:
        """Delete finished processes that ended before that time, and all but the ``keep`` that ended last. None sets no limit.

        A process stays as long as the one that stands at the root of it is not finished. Definitions go that no process has
        had for an hour or longer, and answered commands after a day.
        """
        ...

    def backup(self, path: str) -> None:
        """Copy the whole store to a new file while it is in use.

        Raises:
            StoreError: the file exists, or this kind of store is backed up by its own tools.
        """
        ...
