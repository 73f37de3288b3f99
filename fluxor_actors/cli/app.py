"""The commands together, and what all of them do with errors."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fluxor_actors.cli.commands import (
    actions,
    approvals,
    approve,
    backup,
    cancel,
    certify,
    explain,
    graph,
    history,
    pause,
    prune,
    ps,
    reject,
    resume,
    resume_all,
    retry,
    run,
    schema,
    show,
    signal,
    steer,
    validate,
)
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.failing import complain, report
from fluxor_actors.cli.options import DEBUG, STORE, DebugOption
from fluxor_actors.errors import ApprovalNotFoundError, ProcessNotFoundError

__all__ = ["app"]

# Typer exports `BadParameter` in every version, and from where it comes has changed.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class Commands(TyperGroup):
    """Gives errors as readable lines, whoever calls: the program or a test."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(
                given or ["--help"],
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except _UsageError as error:
            code = _misused(error)
        except (KeyboardInterrupt, typer.Abort):
            print("interrupted", file=sys.stderr)
            code = ExitCode.INTERRUPTED
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (_UsageError, typer.Exit, typer.Abort):
            raise
        except Exception as error:  # a readable line for each of them; --debug shows where it comes from
            code = report(_placed(error, ctx.meta), debug=bool(ctx.meta.get(DEBUG)))
            raise typer.Exit(code) from error


def _placed(error: Exception, meta: Mapping[str, Any]) -> Exception:
    """The error; with the store that was looked into where something is not there."""
    if STORE not in meta or not isinstance(error, (ApprovalNotFoundError, ProcessNotFoundError)):
        return error
    from fluxor_actors.cli.storing import not_there  # it needs stores, which take a while to load

    placed = not_there(error, meta[STORE])
    placed.__cause__ = error
    return placed


def _misused(error: Exception) -> ExitCode:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "fluxor"
    message = getattr(error, "format_message", lambda: str(error))()
    # What some versions of Typer say of a value before they say what is wrong with it.
    for line in complain(message.replace("Value error, ", "", 1), f"{command} --help"):
        print(line, file=sys.stderr)
    return ExitCode.USAGE


app = typer.Typer(
    cls=Commands,
    help="Run and check workflows.",
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(value: bool) -> None:
    if value:
        try:
            found = version("fluxor-actors")
        except PackageNotFoundError:
            found = "not installed"
        typer.echo(f"fluxor {found}")
        raise typer.Exit


@app.callback()
def _options(
    debug: DebugOption = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Run and check workflows."""


for _command in (
    run.run,
    ps.ps,
    show.show,
    explain.explain,
    history.history,
    pause.pause,
    resume.resume,
    cancel.cancel,
    retry.retry,
    signal.signal,
    approvals.approvals,
    approve.approve,
    reject.reject,
    steer.steer,
    resume_all.resume_all,
    prune.prune,
    backup.backup,
    validate.validate,
    graph.graph,
    schema.schema,
    actions.actions,
    certify.certify,
):
    app.command()(_command)
