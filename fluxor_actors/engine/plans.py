"""Plans of definitions, made once each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from fluxor_actors.actions import Actions
from fluxor_actors.definition import Problem, TypeRegistry, parse, structure, validate
from fluxor_actors.definition.model import Retry, Workflow
from fluxor_actors.engine.policies import read_policy
from fluxor_actors.errors import DefinitionError, StoreError
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.plan import Plan
from fluxor_actors.storage import Store

__all__ = ["Plans"]


class Plans:
    """Checks and compiles workflows against one engine's actions, types and functions. Safe between threads.

    Args:
        keep: how many plans to keep at hand.
        checking: the language that a workflow is checked against before it starts; None: the one that it runs with.
    """

    def __init__(
        self,
        language: Language,
        actions: Actions,
        types: TypeRegistry,
        store: Store,
        retry: Retry | None = None,
        keep: int = 1_000,
        *,
        checking: Language | None = None,
    ) -> None:
        self._language = language
        self._checking = checking or language
        #: the engine's
        self.actions = actions
        self._types = types
        self._store = store
        self._retry = retry
        self._keep = keep
        self._lock = threading.Lock()
        # By identity, with the workflow, so that starting the same one again costs a look-up and no comparison.
        self._seen: OrderedDict[int, tuple[Workflow, Plan]] = OrderedDict()
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def plan(self, workflow: Workflow, *, checked: bool = False) -> Plan:
        """The plan of a workflow. ``checked``: it has been validated against this engine.

        Raises:
            DefinitionError: it does not validate; with all problems.
        """
        seen = self._seen.get(id(workflow))
        if seen is not None:
            return seen[1]
        if not isinstance(workflow, Workflow):
            raise TypeError(f"a workflow is loaded or decoded first; {workflow!r:.100} is none")
        problems = [] if checked else self._problems(workflow)
        if problems:
            raise DefinitionError(problems)
        plan = self._compile(workflow)
        with self._lock:
            # The same document loaded twice has one plan.
            plan = self._plans.setdefault(plan.hash, plan)
            self._seen[id(workflow)] = (workflow, plan)
            for cache in (self._seen, self._plans):
                if len(cache) > self._keep:
                    cache.popitem(last=False)
        return plan

    def check(self, text: str) -> None:
        """See that a document in JSON can be run by this engine.

        Raises:
            DefinitionError: it does not validate; with all problems.
        """
        parse(text, actions=self.actions, types=self._types, language=self._checking)

    def _problems(self, workflow: Workflow) -> list[Problem]:
        found = validate(workflow, actions=self.actions, types=self._types, language=self._checking)
        return [problem for problem in found if problem.severity == "error"]

    def plan_of(self, content_hash: str) -> Plan:
        """The plan of a definition that a process was started with.

        Raises:
            StoreError: the store does not have it.
        """
        plan = self._plans.get(content_hash)
        if plan is None:
            text = self._store.definition(content_hash)
            if text is None:
                raise StoreError(f"the store has no definition {content_hash}")
            plan = self._compile(parse(text))
            with self._lock:
                plan = self._plans.setdefault(content_hash, plan)
                if len(self._plans) > self._keep:
                    self._plans.popitem(last=False)
        return plan

    def _compile(self, workflow: Workflow) -> Plan:
        imports = workflow.import_
        read_policy(workflow.policy, f"workflow {workflow.name}")

        def typed(type_text: str, value: Any, name: str) -> Any:
            return structure(type_text, value, self._types, imports, path=name)

        return compile_plan(workflow, self._language, typed, self._retry)
