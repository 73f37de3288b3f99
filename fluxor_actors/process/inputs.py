"""Checking what a process is started with against the document's declared ``inputs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxor_actors.errors import FluxorError, InputError
from fluxor_actors.process.plan import Plan

__all__ = ["check_inputs"]


def check_inputs(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """The initial state with defaults filled in.

    Raises:
        InputError: a required input is missing, or one does not fit its type; all of them are named.
    """
    values = dict(given)
    problems: list[str] = []
    for item in plan.workflow.inputs:
        if item.name not in values:
            if item.required and item.default is None:
                problems.append(f"{item.name} is required" + (f" ({item.description})" if item.description else ""))
                continue
            values[item.name] = item.default
        if item.type is None or values[item.name] is None:
            if item.required and values[item.name] is None and item.name in given:
                problems.append(f"{item.name} is required, and null was given")
            continue
        try:
            values[item.name] = plan.structure(item.type, values[item.name], item.name)
        except FluxorError as error:
            problems.append(str(error))
    if problems:
        raise InputError(f"inputs of {plan.workflow.name}: " + "; ".join(problems))
    return values
