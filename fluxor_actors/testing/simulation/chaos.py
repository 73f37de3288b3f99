"""What goes wrong in a simulation, and how often."""

from __future__ import annotations

from random import Random

from attrs import asdict, frozen

__all__ = ["CALM", "CHAOS", "Chaos", "Luck"]


@frozen(kw_only=True)
class Chaos:
    """How often each thing goes wrong in one run, at most; how often it does, and when, is the seed's to decide.

    Attributes:
        crashes: the engine dies, between any two turns or in the middle of a commit, before or after it, and another one goes on with the store.
        store_failures: the store cannot be reached for a commit; one that is on disk, for reading either.
        slow_commits: a commit takes up to 30 seconds.
        delays: a timer comes up to 10 seconds late, or the outcome of an action does.
        repeats: a timer that was delivered, or an outcome, is delivered again.
        lost_workers: a worker dies with its action. Its attempt fails, so that a task without ``retry`` does, too.

    Example:
        >>> Chaos(crashes=3, lost_workers=1).without("crashes")
        Chaos(crashes=0, store_failures=2, slow_commits=2, delays=3, repeats=3, lost_workers=1)
    """

    crashes: int = 2
    store_failures: int = 2
    slow_commits: int = 2
    delays: int = 3
    repeats: int = 3
    lost_workers: int = 0

    def without(self, name: str) -> Chaos:
        """The same, but for one thing that does not go wrong."""
        return Chaos(**{**asdict(self), name: 0})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of what may go wrong."""
        return tuple(name for name, most in asdict(self).items() if most)


CHAOS = Chaos()
"""What `simulate` does unless told otherwise."""

CALM = Chaos(crashes=0, store_failures=0, slow_commits=0, delays=0, repeats=0)
"""Nothing goes wrong; only the order of things is the seed's."""


class Luck:
    """Decides, for one run, when what goes wrong.

    Example:
        >>> luck = Luck(Chaos(crashes=1), Random(1))
        >>> sum(luck.strikes("crashes") for _ in range(10_000)) <= 1
        True
    """

    def __init__(self, chaos: Chaos, random: Random) -> None:
        self._random = random
        self._left = {name: random.randint(0, most) for name, most in asdict(chaos).items()}
        # Early and close together in some runs, late or never in others.
        self._chance = random.choice((0.004, 0.02, 0.1))
        self.calm = False

    def strikes(self, what: str) -> bool:
        """Whether it goes wrong now."""
        if self.calm or not self._left[what] or self._random.random() >= self._chance:
            return False
        self._left[what] -= 1
        return True

    def between(self, least: float, most: float) -> float:
        """A time between the two, in seconds."""
        return round(self._random.uniform(least, most), 3)
