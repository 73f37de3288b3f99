"""The actions that an engine knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from fluxor_actors.actions.adapters import method_table, method_tables, new_table
from fluxor_actors.actions.bound import BoundMethod
from fluxor_actors.actions.conversion import InputConverter
from fluxor_actors.actions.service import MethodTable, Service
from fluxor_actors.actions.signature import Signature
from fluxor_actors.errors import MethodNotFoundError, RegistryError, ServiceNotFoundError
from fluxor_actors.plain import PlainConverter

__all__ = ["Actions", "ServiceProxy"]

ServiceProxy = Callable[[Service], Service]
"""Gets each service on its registration and gives back what is used in its place."""


class Actions:
    """The registry of an engine: services by name, methods by name, both ignoring case. Safe between threads.

    Example:
        >>> from fluxor_actors.actions.decorators import action
        >>> @action("text:upper")
        ... def upper(text: str) -> str:
        ...     return text.upper()
        >>> actions = Actions([upper])
        >>> actions.services()
        ('text',)
        >>> actions.method("Text", "UPPER").action
        'text:upper'
    """

    def __init__(
        self,
        services: object = (),
        *,
        service_proxy: ServiceProxy | None = None,
        inputs: InputConverter | None = None,
        plain: PlainConverter | None = None,
    ) -> None:
        """Make a registry.

        Args:
            services: what to register at once; see `register`.
            service_proxy: wraps every registered service.
            inputs: structures inputs.
            plain: brings outputs to plain data.
        """
        self._proxy = service_proxy
        self._inputs = inputs or InputConverter()
        self._plain = plain or PlainConverter()
        self._writing = threading.Lock()
        # Replaced, never changed: readers need no lock.
        self._tables: Mapping[str, MethodTable] = {}
        self._services: Mapping[str, Service] = {}
        self._methods: Mapping[tuple[str, str], BoundMethod] = {}
        self.register(services)

    def register(self, service: object) -> None:
        """Add a service, or a list of them; all or, if there is an error, none.

        A service is a class with methods marked `method` or an instance of one, a function marked `action`, or any
        object with ``name``, ``methods()`` and ``method(name)``. Functions that share a service's name merge.

        Raises:
            RegistryError: it is none of these, its name is taken, two methods have one name, or an annotation cannot be
                resolved.
        """
        with self._writing:
            tables, services, methods = dict(self._tables), dict(self._services), dict(self._methods)
            for table in method_tables(service):
                key = table.name.casefold()
                known = tables.get(key)
                if known is not None:
                    table = _merged(known, table)
                    methods = {place: method for place, method in methods.items() if place[0] != key}
                tables[key] = table
                services[key] = table if self._proxy is None else self._proxy(table)
                used = table if self._proxy is None else method_table(services[key])
                for signature, call in used.table.values():
                    bound = self._bind(table.name, signature, call)
                    methods[key, signature.name.casefold()] = bound
            self._tables, self._services, self._methods = tables, services, methods

    def services(self) -> tuple[str, ...]:
        """The names of all services, sorted."""
        return tuple(sorted(table.name for table in self._tables.values()))

    def lookup(self, service: str) -> Service:
        """The service of that name, wrapped if there is a ``service_proxy``.

        Raises:
            ServiceNotFoundError: there is none; it names the nearest.
        """
        found = self._services.get(service.casefold())
        if found is None:
            raise ServiceNotFoundError(service, candidates=get_close_matches(service, self.services()))
        return found

    def method(self, service: str, name: str) -> BoundMethod:
        """The method ``name`` of a service.

        Raises:
            ServiceNotFoundError: there is no such service.
            MethodNotFoundError: the service has no such method.
        """
        found = self._methods.get((service, name)) or self._methods.get((service.casefold(), name.casefold()))
        if found is None:
            self.lookup(service)
            known = {method.signature.name: method.action for method in self.methods(service)}
            near = get_close_matches(name, known)
            hint = "" if near else f"it has {', '.join(known)}"
            raise MethodNotFoundError(f"{service}:{name}", candidates=[known[one] for one in near], hint=hint)
        return found

    def methods(self, service: str | None = None) -> tuple[BoundMethod, ...]:
        """Every method, or those of one service, in the order of registration."""
        key = None if service is None else service.casefold()
        return tuple(method for (owner, _), method in self._methods.items() if key is None or owner == key)

    def signature(self, service: str, name: str) -> Signature:
        """The signature of a method.

        Raises:
            ServiceNotFoundError: there is no such service.
            MethodNotFoundError: the service has no such method.
        """
        return self.method(service, name).signature

    def _bind(self, service: str, signature: Signature, call: Callable[[Any, Any], Any]) -> BoundMethod:
        prepare = self._inputs.preparer(signature, f"{service}:{signature.name}")
        return BoundMethod(service, signature, call, prepare, self._plain.convert)


def _merged(known: MethodTable, more: MethodTable) -> MethodTable:
    if not (known.functions and more.functions):
        raise RegistryError(f"a service {known.name!r} is already registered; only functions marked @action merge")
    return new_table(known.name, [*known.table.values(), *more.table.values()], functions=True)
