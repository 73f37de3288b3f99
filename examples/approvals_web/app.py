"""A page on which people approve or reject what workflows want to do, and the same over HTTP for programs.

Who may decide is checked by the engine, for every way in; the application only says who is there, and turns refusals into status codes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template_string, request, url_for
from werkzeug.wrappers import Response

from fluxor_actors import (
    AlreadyDecidedError,
    ApprovalNotFoundError,
    Fluxor,
    InputError,
    InvalidStateError,
    NotAuthorizedError,
    Request,
    action,
)

DOCUMENT = Path(__file__).with_name("refund.yaml")
Answer = tuple[dict[str, Any], int]
REFUSALS: dict[type[Exception], int] = {
    ApprovalNotFoundError: 404,
    NotAuthorizedError: 403,
    AlreadyDecidedError: 409,
    InvalidStateError: 409,
    InputError: 400,
}
PAGE = """<!doctype html>
<title>Approvals</title>
<h1>{{ requests | length }} waiting, {{ user }}</h1>
{% for each in requests %}
<form method="post" action="{{ url_for('answer', request_id=each.id) }}">
  <h2>{{ each.action }}</h2>
  <p>asked {{ each.created_at.isoformat(" ", "seconds") }} by {{ each.meta.requestedBy or "nobody" }}
     {%- if each.expires_at %}, until {{ each.expires_at.isoformat(" ", "seconds") }}{% endif %}
     {%- if each.meta.approvedBy %}, approved by {{ each.meta.approvedBy | join(", ") }}{% endif %}</p>
  <pre>{{ each.args | tojson(indent=2) }}</pre>
  <input name="reason" placeholder="reason">
  <button name="decision" value="approve">Approve</button>
  <button name="decision" value="reject">Reject</button>
</form>
{% endfor %}
"""


@action("shop:refund")
def refund(order: str, amount: int) -> str:
    """Pay money back. A real one would call a bank here."""
    return f"{amount} for {order}"


def shown(found: Request) -> dict[str, Any]:
    """A request as a program gets it."""
    return {
        "id": found.id,
        "process": found.process_id,
        "action": found.action,
        "args": found.args,
        "createdAt": found.created_at.isoformat(),
        "expiresAt": found.expires_at and found.expires_at.isoformat(),
        "approvedBy": found.meta.get("approvedBy", []),
    }


def user() -> str:
    """Who is there. A real application takes that from its own log-in, and protects its forms against forgery."""
    if request.authorization is None or not request.authorization.username:
        abort(Response("say who you are", 401, {"WWW-Authenticate": 'Basic realm="approvals"'}))
    return request.authorization.username


def create_app(engine: Fluxor) -> Flask:
    """The application around an engine."""
    app = Flask(__name__)
    workflow = engine.runtime.load_workflow(str(DOCUMENT))
    approvals = engine.approvals

    def refused(error: Exception) -> Answer:
        return {"error": str(error)}, next(code for kind, code in REFUSALS.items() if isinstance(error, kind))

    for kind in REFUSALS:
        app.register_error_handler(kind, refused)

    @app.post("/refunds")
    def start() -> Answer:
        handle = engine.runtime.start_process(workflow, request.get_json(), requested_by=user())
        return {"id": handle.id}, 202

    @app.get("/")
    def page() -> str:
        return render_template_string(PAGE, requests=approvals.list_pending(), user=user())

    @app.post("/<request_id>")
    def answer(request_id: str) -> Response:
        reason = request.form.get("reason", "")
        approvals.decide(request_id, request.form["decision"] == "approve", reason, decided_by=user())
        return redirect(url_for("page"))

    @app.get("/approvals")
    def pending() -> Answer:
        user()
        found = approvals.list_pending(process_id=request.args.get("process"), action=request.args.get("action"))
        return {"approvals": [shown(each) for each in found]}, 200

    @app.post("/approvals/<request_id>")
    def decide(request_id: str) -> Answer:
        given = request.get_json()
        approvals.decide(request_id, given["approved"], given.get("reason", ""), user(), given.get("args"))
        decision = approvals.decision(request_id)
        return {"id": request_id, "decided": decision is not None}, 200

    return app


def main() -> None:
    """Serve until interrupted. Requests that wait are kept in the store, over restarts."""
    store = os.environ.get("FLUXOR_STORE", "sqlite:///refunds.db")
    with Fluxor(services=[refund], store=store) as engine:
        create_app(engine).run(port=int(os.environ.get("PORT", "8000")), threaded=True)


if __name__ == "__main__":
    main()
