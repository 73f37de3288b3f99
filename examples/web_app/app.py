"""An engine inside a threaded web application: requests start processes, look at them, and bring them news.

The application owns the engine: it starts it before it serves and shuts it down after. Requests on any thread may call it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypedDict

from flask import Flask, request

from fluxor_actors import Fluxor, ProcessNotFoundError, action

DOCUMENT = Path(__file__).with_name("signup.yaml")
Answer = tuple[dict[str, Any], int]


class Address(TypedDict):
    """What `create` takes."""

    email: str


class Owner(TypedDict):
    """What `welcome` takes."""

    email: str
    name: str


@action("accounts:create")
def create(address: Address) -> dict[str, str]:
    """Create the account. A real one would write to a database here."""
    return {"email": address["email"]}


@action("accounts:welcome")
def welcome(owner: Owner) -> str:
    """Greet the account's owner."""
    return f"Welcome, {owner['name']} <{owner['email']}>!"


def create_app(engine: Fluxor) -> Flask:
    """The application around an engine. Nothing is started here but the processes that requests ask for."""
    app = Flask(__name__)
    workflow = engine.runtime.load_workflow(str(DOCUMENT))

    @app.errorhandler(ProcessNotFoundError)
    def not_found(error: ProcessNotFoundError) -> Answer:
        return {"error": str(error)}, 404

    @app.post("/signups")
    def start() -> Answer:
        email = request.get_json()["email"]
        # The same id again gives the same process: a form that is sent twice starts one.
        handle = engine.runtime.start_process(workflow, {"email": email}, process_id=f"signup-{email}")
        return {"id": handle.id}, 202

    @app.get("/signups/<process_id>")
    def show(process_id: str) -> Answer:
        process = engine.runtime.process(process_id)
        return {"id": process.id, "state": process.state, "greeting": process.session.get("greeting")}, 200

    @app.post("/signups/<process_id>/confirm")
    def confirm(process_id: str) -> Answer:
        engine.runtime.signal_process(process_id, "confirmed", {"name": request.get_json()["name"]})
        return {"id": process_id}, 202

    return app


def main() -> None:
    """Serve until interrupted."""
    with Fluxor(services=[create, welcome]) as engine:
        create_app(engine).run(port=int(os.environ.get("PORT", "8000")), threaded=True)


if __name__ == "__main__":
    main()
