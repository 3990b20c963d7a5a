"""A range of mu cut into cells, each small enough for a card, by halving; what stays uncovered is named."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter

Cell = dict[str, object]
Attempt = Callable[[Fraction, Fraction], "Cell | str"]
Range = tuple[Fraction, Fraction]
MOST_ATTEMPTS = 4_000
MOST_HALVINGS = 64
HOPELESS = "!"  # begins a reason that smaller cells would not remove


@dataclass(frozen=True)
class Run:
    """Consecutive cells that were accepted: cell i covers breaks[i] to breaks[i + 1]."""

    breaks: tuple[Fraction, ...]
    cells: tuple[Cell, ...]

    @property
    def low(self) -> Fraction:
        """Return where it begins."""
        return self.breaks[0]

    @property
    def high(self) -> Fraction:
        """Return where it ends."""
        return self.breaks[-1]


@dataclass(frozen=True)
class Gap:
    """A range that no cell covers, and the reason that the last attempt there gave."""

    low: Fraction
    high: Fraction
    reason: str


@dataclass(frozen=True)
class Cover:
    """Runs and gaps in order; together they are the whole range."""

    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]


def cover(
    low: Fraction,
    high: Fraction,
    attempt: Attempt,
    goes_on: Callable[[], bool] | None = None,
    *,
    halvings: int = MOST_HALVINGS,
    attempts: int = MOST_ATTEMPTS,
    widest_first: bool = False,
) -> Cover:
    """Cover [low, high] by cells that ``attempt`` accepts (returns a witness for, not the reason why not), halving where it does not.

    A reason that begins with "!" ends the halving there, as does ``goes_on``. What is left when the attempts are used up is a gap: on the
    right, or with ``widest_first`` where the smallest cells would be needed.
    """
    todo = deque([(low, high, 0)])
    taken: list[tuple[Fraction, Fraction, Cell | str]] = []
    made = 0
    while todo:
        start, end, level = todo.popleft()
        stopped = made >= attempts or (goes_on is not None and not goes_on())
        made += 1
        found = "the time or the number of attempts was used up" if stopped else attempt(start, end)
        if not isinstance(found, str) or stopped or level >= halvings or found.startswith(HOPELESS):
            taken.append((start, end, found.removeprefix(HOPELESS) if isinstance(found, str) else found))
            continue
        middle = (start + end) / 2
        halves = [(start, middle, level + 1), (middle, end, level + 1)]
        if widest_first:
            todo.extend(halves)
        else:
            todo.extendleft(reversed(halves))
    taken.sort(key=itemgetter(0))
    return Cover(_runs(taken), _gaps(taken))


def without(low: Fraction, high: Fraction, holes: list[Range]) -> list[Range]:
    """Return the closed ranges that remain of [low, high] when open holes are taken out; points do not remain.

    >>> [tuple(map(int, part)) for part in without(Fraction(0), Fraction(9), [(Fraction(-1), Fraction(2)), (Fraction(4), Fraction(5))])]
    [(2, 4), (5, 9)]
    """
    parts, start = list[Range](), low
    for left, right in sorted(holes):
        if left > start:
            parts.append((start, min(left, high)))
        start = max(start, right)
        if start >= high:
            return parts
    return [*parts, (start, high)]


def _runs(taken: list[tuple[Fraction, Fraction, Cell | str]]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for start, end, found in taken:
        if isinstance(found, str):
            continue
        if runs and runs[-1].high == start:
            runs[-1] = Run((*runs[-1].breaks, end), (*runs[-1].cells, found))
        else:
            runs.append(Run((start, end), (found,)))
    return tuple(runs)


def _gaps(taken: list[tuple[Fraction, Fraction, Cell | str]]) -> tuple[Gap, ...]:
    gaps: list[Gap] = []
    for start, end, found in taken:
        if not isinstance(found, str):
            continue
        if gaps and gaps[-1].high == start:
            gaps[-1] = Gap(gaps[-1].low, end, found)
        else:
            gaps.append(Gap(start, end, found))
    return tuple(gaps)
