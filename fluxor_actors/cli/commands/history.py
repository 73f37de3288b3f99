"""``fluxor history``."""

from __future__ import annotations

import json
from contextlib import closing

import typer

from fluxor_actors.cli.options import DebugOption, IdArgument, JsonOption, StoreOption

__all__ = ["history"]


def history(
    process_id: IdArgument, as_json: JsonOption = False, store: StoreOption = None, debug: DebugOption = False
) -> None:
    """Print everything that has happened in a process: each event with its number and time.

    With --json it is a line of JSON for each event.
    """
    from fluxor_actors.cli.event_text import EventText
    from fluxor_actors.cli.looking import Onlooker
    from fluxor_actors.cli.storing import open_existing
    from fluxor_actors.cli.text import printable
    from fluxor_actors.errors import ProcessNotFoundError
    from fluxor_actors.instants import to_datetime
    from fluxor_actors.process.event_codec import EventCodec

    with closing(open_existing(store)) as opened:
        header = opened.header(process_id)
        if header is None:
            raise ProcessNotFoundError(process_id)
        onlooker, codec = Onlooker(opened), EventCodec()
        text = EventText(onlooker.plan(header.definition_hash))
        for number, at, event in onlooker.events(process_id):
            moment = to_datetime(at)
            if as_json:
                typer.echo(json.dumps({"number": number, "time": moment.isoformat(), **codec.to_plain(event)}))
            else:
                time = moment.astimezone().isoformat(" ", "milliseconds")
                typer.echo(printable(f"{number:>5}  {time}  {text.of(event)}"))
