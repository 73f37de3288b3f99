"""What simulations have found, each by itself."""

from __future__ import annotations

from fluxor_actors import Fluxor, ProcessState, StoreUnavailableError
from fluxor_actors.storage import Header, MemoryStore

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
