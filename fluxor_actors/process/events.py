"""What has happened in a process: facts, in the past tense, in plain data.

Names in them are run ids, numbers are task numbers of the plan, times are seconds since the epoch. The results of expressions are
recorded, so that replaying evaluates nothing; what follows from other events is not recorded.
"""

from __future__ import annotations

from fluxor_actors.process.events_approval import (
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ApprovalVoted,
    ApprovalWithdrawn,
)
from fluxor_actors.process.events_attempt import (
    AttemptBegun,
    AttemptScheduled,
    CancelSignalled,
    ChildAwaited,
    HeartbeatReceived,
    ResultDropped,
    RetryScheduled,
    SignalAwaited,
    SignalTaken,
)
from fluxor_actors.process.events_delegation import (
    ExecutionResumed,
    GroupEmitted,
    OutputAwaited,
    WaitBegun,
    WaitEnded,
)
from fluxor_actors.process.events_process import (
    PauseRequested,
    ProcessCancelled,
    ProcessCancelRequested,
    ProcessCompleted,
    ProcessFailed,
    ProcessPaused,
    ProcessRestarted,
    ProcessResumed,
    ProcessStarted,
    SessionSteered,
    SignalReceived,
)
from fluxor_actors.process.events_run import (
    FanOutBegun,
    GroupJoined,
    GroupOpened,
    ItemsClosed,
    Jumped,
    JumpRequested,
    Outcome,
    RunAdmitted,
    RunAdopted,
    RunCancelled,
    RunClosing,
    RunCompleted,
    RunDelayed,
    RunEntered,
    RunFailed,
    RunHeld,
    RunOpened,
    RunQueued,
    RunReleased,
    RunRevived,
    RunSkipped,
    RunWaiting,
    TimeoutLapsed,
    Write,
)

__all__ = [
    "ApprovalExpired",
    "ApprovalGranted",
    "ApprovalRefused",
    "ApprovalRequested",
    "ApprovalVoted",
    "ApprovalWithdrawn",
    "AttemptBegun",
    "AttemptScheduled",
    "CancelSignalled",
    "ChildAwaited",
    "Event",
    "ExecutionResumed",
    "FanOutBegun",
    "GroupEmitted",
    "GroupJoined",
    "GroupOpened",
    "HeartbeatReceived",
    "ItemsClosed",
    "JumpRequested",
    "Jumped",
    "Outcome",
    "OutputAwaited",
    "PauseRequested",
    "ProcessCancelRequested",
    "ProcessCancelled",
    "ProcessCompleted",
    "ProcessFailed",
    "ProcessPaused",
    "ProcessRestarted",
    "ProcessResumed",
    "ProcessStarted",
    "ResultDropped",
    "RetryScheduled",
    "RunAdmitted",
    "RunAdopted",
    "RunCancelled",
    "RunClosing",
    "RunCompleted",
    "RunDelayed",
    "RunEntered",
    "RunFailed",
    "RunHeld",
    "RunOpened",
    "RunQueued",
    "RunReleased",
    "RunRevived",
    "RunSkipped",
    "RunWaiting",
    "SessionSteered",
    "SignalAwaited",
    "SignalReceived",
    "SignalTaken",
    "TimeoutLapsed",
    "WaitBegun",
    "WaitEnded",
    "Write",
]

Event = (
    ProcessStarted
    | PauseRequested
    | ProcessPaused
    | ProcessResumed
    | ProcessCancelRequested
    | ProcessCancelled
    | ProcessCompleted
    | ProcessFailed
    | ProcessRestarted
    | SessionSteered
    | SignalReceived
    | SignalAwaited
    | SignalTaken
    | RunOpened
    | RunAdopted
    | RunHeld
    | RunWaiting
    | RunReleased
    | RunQueued
    | RunAdmitted
    | RunDelayed
    | RunEntered
    | RunRevived
    | TimeoutLapsed
    | RunSkipped
    | FanOutBegun
    | GroupOpened
    | GroupJoined
    | ItemsClosed
    | AttemptScheduled
    | AttemptBegun
    | HeartbeatReceived
    | ChildAwaited
    | RetryScheduled
    | ResultDropped
    | CancelSignalled
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunClosing
    | JumpRequested
    | ApprovalRequested
    | ApprovalVoted
    | ApprovalGranted
    | ApprovalRefused
    | ApprovalExpired
    | ApprovalWithdrawn
    | Jumped
    | GroupEmitted
    | WaitBegun
    | WaitEnded
    | ExecutionResumed
    | OutputAwaited
)
