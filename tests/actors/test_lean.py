"""What is used of Pykka's private members. When one of these fails, a new Pykka has moved something; see `lean.py`."""

from __future__ import annotations

import inspect
from typing import Any

import pykka
from pykka import _envelope, messages

from fluxor_actors.actors.dispatched import DispatchedActor, UnregisteredThreadingActor
from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.lean import Envelope, LeanActor, LeanRef
from tests.actors.conftest import WAIT


class Echo(DispatchedActor):
    def on_receive(self, message: Any) -> Any:
        return message


def test_an_envelope_has_a_message_and_who_waits_for_the_answer() -> None:
    assert Envelope is _envelope.Envelope
    future: pykka.ThreadingFuture[Any] = pykka.ThreadingFuture()
    envelope = Envelope("message", reply_to=future)
    assert (envelope.message, envelope.reply_to) == ("message", future)
    assert Envelope("told").reply_to is None


def test_a_ref_reads_these_of_its_actor(stepping: SteppingDispatcher) -> None:
    ref = Echo.start(stepping)
    actor: Any = ref._actor_weakref()
    assert isinstance(ref, LeanRef)
    assert ref.actor_class is Echo
    assert ref.actor_urn == actor.actor_urn
    assert ref.actor_inbox is actor.actor_inbox
    assert ref.actor_stopped is actor.actor_stopped
    assert vars(ref).keys() == {"_actor_weakref", "actor_class", "actor_urn", "actor_inbox", "actor_stopped"}


def test_ask_puts_an_envelope_with_a_future_of_the_actors_class(stepping: SteppingDispatcher) -> None:
    ref = Echo.start(stepping)
    future = ref.ask("question", block=False)
    envelope = ref.actor_inbox.get()
    assert type(envelope) is Envelope
    assert isinstance(envelope.reply_to, pykka.Future)
    assert future is envelope.reply_to
    future.set(None)


def test_stop_asks_with_the_private_message(stepping: SteppingDispatcher) -> None:
    ref = Echo.start(stepping)
    ref.stop(block=False)
    assert isinstance(ref.actor_inbox.get().message, messages._ActorStop)


def test_the_hooks_have_pykkas_names_and_arguments() -> None:
    for hook in ("on_start", "on_stop", "on_failure", "on_receive"):
        assert list(inspect.signature(getattr(LeanActor, hook)).parameters) == list(
            inspect.signature(getattr(pykka.ThreadingActor, hook)).parameters
        )
    for method in ("_stop", "_handle_failure"):
        assert list(inspect.signature(getattr(LeanActor, method)).parameters) == list(
            inspect.signature(getattr(pykka.Actor, method)).parameters
        )


def test_actors_stand_in_no_registry_and_the_hosts_stop_all_spares_them(dispatcher: ThreadPoolDispatcher) -> None:
    class Blocking(UnregisteredThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    class Hosts(pykka.ThreadingActor):
        use_daemon_thread = True

    hosts = Hosts.start()
    one, other = Echo.start(dispatcher), Blocking.start()
    assert pykka.ActorRegistry.get_all() == [hosts]
    pykka.ActorRegistry.stop_all(timeout=WAIT)
    assert (one.ask(1, timeout=WAIT), other.ask(2, timeout=WAIT)) == (1, 2)
    assert not hosts.is_alive()
    other.stop(timeout=WAIT)


def test_a_system_exit_here_spares_the_hosts_actors(dispatcher: ThreadPoolDispatcher) -> None:
    class Hosts(pykka.ThreadingActor):
        use_daemon_thread = True

        def on_receive(self, message: Any) -> Any:
            return message

    class Bad(DispatchedActor):
        def on_receive(self, message: Any) -> Any:
            raise SystemExit

    hosts = Hosts.start()
    bad = Bad.start(dispatcher)
    bad.tell("x")
    assert Echo.start(dispatcher).ask("behind it", timeout=WAIT) == "behind it"
    assert hosts.ask("alive", timeout=WAIT) == "alive"
    hosts.stop(timeout=WAIT)
