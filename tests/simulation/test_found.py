"""What simulations have found, each by itself."""

from __future__ import annotations

from fluxor_actors import Fluxor, ProcessState, StoreUnavailableError
from fluxor_actors.actors.dispatcher import SteppingDispatcher
from fluxor_actors.storage import Header, MemoryStore
from fluxor_actors.storage.durable import DurableJournal
from fluxor_actors.testing import VirtualClock

PARENT = 'name: parent\npipeline: {sub: {action: workflow:run, input: {source: "name: child\\npipeline: {c: {action: nop:nop}}"}}}'


class Away(MemoryStore):
    """Cannot be reached when it is asked for a sub-workflow for the third time: when it is to be watched."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def header(self, process_id: str) -> Header | None:
        if "." in process_id:
            self.asked += 1
            if self.asked == 3:
                raise StoreUnavailableError("it is away")
        return super().header(process_id)


def test_a_sub_workflow_that_ends_while_the_store_is_away_is_heard_of() -> None:
    with Fluxor(store=Away()) as engine:
        workflow = engine.runtime.decode_yaml_workflow(PARENT)
        output = engine.runtime.start_process(workflow).wait(timeout=20)
        assert output.state is ProcessState.COMPLETED
        assert output.output["sub"]["state"] == "completed"


class Unreadable(MemoryStore):
    """Cannot be reached when the journal of a sub-workflow is to be read, once."""

    away = False

    def read(self, process_id: str) -> DurableJournal | None:
        if self.away and "." in process_id:
            self.away = False
            raise StoreUnavailableError("it is away")
        return super().read(process_id)


def test_a_cancellation_reaches_a_sub_workflow_that_cannot_be_read_when_it_comes() -> None:
    store, clock = Unreadable(), VirtualClock()
    text = PARENT.replace("{action: nop:nop}", "{await: {signal: go}}")
    dispatcher = SteppingDispatcher()
    first = Fluxor(store=store, clock=clock, dispatcher=SteppingDispatcher())
    second = Fluxor(store=store, clock=clock, dispatcher=dispatcher)
    run = first.runtime.start_process(first.runtime.decode_yaml_workflow(text), process_id="parent")
    assert run.wait(timeout=1).timed_out
    child = next(header.id for header in store.headers(parent_id="parent"))
    # The second engine goes on with what the first has left, and has nobody awake yet.
    store.away = True
    second.runtime.cancel_process("parent", "enough")
    for _ in range(20):
        dispatcher.run_until_idle()
        clock.advance(1)
        for alarm in dispatcher.alarms:
            alarm.fire_due()
    header = store.header(child)
    assert header is not None
    assert header.state is ProcessState.CANCELLED
    assert not store.away
    second.shutdown(0)
    first.shutdown(0)
