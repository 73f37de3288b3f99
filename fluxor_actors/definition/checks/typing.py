"""Whether the types of inputs and parameters can be read, and are known."""

from __future__ import annotations

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.types import BUILTIN, TypeRegistry, parse_type, structure
from fluxor_actors.errors import FluxorError, TypeNotFoundError

__all__ = ["check_types"]


def check_types(check: Check, types: TypeRegistry | None) -> None:
    """Look at every type that the document names."""
    workflow = check.workflow
    for each in workflow.inputs:
        if each.type is None:
            continue
        known = _check_type(check, each.type, types, each, "type", f"inputs.{each.name}", workflow.name)
        if known and each.default is not None:
            try:
                structure(
                    each.type, each.default, types or TypeRegistry(), workflow.import_, path=f"inputs.{each.name}"
                )
            except TypeNotFoundError:
                pass
            except FluxorError as error:
                check.problems.error(f"the default does not fit: {error}", check.where(each, "default"), workflow.name)
    owners = [(workflow.name, (*workflow.init, *workflow.post))]
    for place in check.tasks():
        selector = place.task.template.selector if place.task.template else ()
        owners.append((place.id, (*place.task.init, *place.task.post, *selector)))
    for task, listed in owners:
        for parameter in listed:
            if parameter.type is not None:
                _check_type(check, parameter.type, types, parameter, "", parameter.name, task)


def _check_type(
    check: Check, text: str, types: TypeRegistry | None, owner: object, part: str, name: str, task: str
) -> bool:
    position = check.where(owner, part)
    try:
        element = parse_type(text).element
    except ValueError as error:
        check.problems.error(f"`{name}`: {error}", position, task)
        return False
    if element in BUILTIN:
        return True
    alias, dot, _ = element.rpartition(".")
    imports = check.workflow.import_
    if dot and alias not in imports and (types is None or element not in types):
        known = ", ".join(imports) or "none"
        hint = f"declare it under `import`; known are: {known}"
        check.problems.error(f"`{name}`: unknown alias `{alias}` in type {text}", position, task, hint)
        return False
    if types is not None:
        try:
            types.resolve(element, imports)
        except TypeNotFoundError as error:
            check.problems.error(f"`{name}`: {error}", position, task, "register it with the engine's types")
            return False
    return True
