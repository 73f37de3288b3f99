"""``fluxor graph``."""

from __future__ import annotations

import typer

from fluxor_actors.cli.options import DebugOption, FileArgument, StoreOption

__all__ = ["graph"]


def graph(file: FileArgument, store: StoreOption = None, debug: DebugOption = False) -> None:
    """Draw the tasks of a workflow as a Mermaid flowchart."""
    from fluxor_actors.cli.mermaid import to_mermaid
    from fluxor_actors.cli.opening import check_file, read_stdin
    from fluxor_actors.config import Config
    from fluxor_actors.definition import Loader

    config = Config.from_environment()
    loader = Loader(config.meta_base_url, root_task_node_name=config.root_task_node_name)
    if file != "-":
        check_file(file)
    workflow = loader.decode(read_stdin()) if file == "-" else loader.load(file)
    typer.echo(to_mermaid(workflow), nl=False)
