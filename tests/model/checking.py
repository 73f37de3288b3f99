"""One document of a seed, run by the model and something else; and which seeds are run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

from tests.generated.documents import plan_of_document
from tests.model.generator import INPUTS, Tree, generate
from tests.model.lockstep import Disagreement, Lockstep
from tests.model.subject import Core, Subject
from tests.model.threaded import House, Threaded, open_house

__all__ = ["check_core", "check_seeds", "check_threaded", "lockstep", "seeds"]


def seeds(number: int, start: int, part: int = 0) -> range:
    """The seeds of a test, or of one of its parts. `FLUXOR_MODEL_SEEDS` says how many instead, `FLUXOR_MODEL_START` from which on."""
    number = int(os.environ.get("FLUXOR_MODEL_SEEDS", number))
    start = int(os.environ.get("FLUXOR_MODEL_START", start)) + part * number
    return range(start, start + number)


def lockstep(seed: int, document: Tree, subject: Subject) -> Lockstep:
    """How the steps of that seed are chosen."""
    random = Random(seed)
    failing = random.choice((0, 1, 3))
    patient, cancelling = random.random() < 0.5, random.random() < 0.2
    return Lockstep(document, INPUTS, subject, random, failing, patient=patient, cancelling=cancelling)


def check_core(seed: int) -> str:
    """The pure core, alone. Returns the state in which the process has ended."""
    document = generate(seed)
    if plan_of_document(document) is None:
        return "invalid"
    return lockstep(seed, document, Core(document, INPUTS)).run()


def check_threaded(seed: int) -> str:
    """The engine, with an engine of its own for each document. Returns the state in which the process has ended."""
    document = generate(seed)
    if plan_of_document(document) is None:
        return "invalid"
    house: House
    with open_house() as (engine, house):
        subject = Threaded(engine, house, document, INPUTS)
        try:
            return lockstep(seed, document, subject).run()
        finally:
            subject.end()


def check_seeds(check: Callable[[int], str], chosen: Iterable[int]) -> Counter[str]:
    """Check them all. The first that fails says which it was."""
    ended: Counter[str] = Counter()
    for seed in chosen:
        try:
            ended[check(seed)] += 1
        except Disagreement as disagreement:
            raise Disagreement(f"seed {seed}: {disagreement}") from None
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    return ended
