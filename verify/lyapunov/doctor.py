"""``doctor lyapunov``: which known fault explains the exponents that somebody's code gives, or that it gives the right ones.

Every combination of order, state, window, unit and length is computed from one run and compared with the numbers; what lies within the
error bars is reported, the fewest faults first. Nothing here is proved: a diagnosis is an estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from verify.lyapunov.readings import Reading, Record, readings, record
from verify.lyapunov.results import Estimate
from verify.lyapunov.subjects import called, read, takes
from verify.lyapunov.wordings import REMEDIES, evidence_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    Subject = Sequence[float | str] | np.ndarray | Callable[..., object]

Verdict = Literal["Healthy", "Faulty", "Unexplained"]

_EXACT = 1e-6  # relative: the same orbit and the same arithmetic, but for rounding
_ROUNDING = 1e-12  # of the largest exponent, or of 1: float64 resolves no more
_SINGLE = 1e-7  # what an exponent that is 0 may come out as in single precision
_DIGITS = 1e-4  # relative: numbers given with fewer digits than this reproduce nothing
_SHARP = 1e-9  # relative: numbers given with more digits than this can tell two near readings apart
_FLOOR = 1e-3  # relative: another orbit, or another transient, of like length
_WIDTHS = 3.0
_APART = 2.0  # in allowances: so far the right numbers must be before a fault is named that fits within the error bars only
_MOST_OTHERS = 5
_TRANSIENT = "missing warm-up"
_ONE_RATIO = 0.02  # of the range of the exponents: numbers so near to each other are one number
_TOLD = 0.1  # relative: exponents with wider bars tell no common factor
_ELSEWHERE = (
    "numbers of another orbit may differ: start where they did, with their input (without --start the run starts at 0.1 times normal "
    "numbers by --seed, a module of torch at 0)"
)


@dataclass(frozen=True)
class Fault:
    """One named fault: the numbers that speak for it, and what to change."""

    name: str
    evidence: str
    remedy: str

    def as_json(self) -> dict[str, str]:
        """Return the three texts."""
        return {"fault": self.name, "evidence": self.evidence, "remedy": self.remedy}


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says: ``numbers`` as given, ``expected`` the right reading's estimates, ``also`` what else the error bars allow."""

    verdict: Verdict
    numbers: tuple[float, ...]
    expected: tuple[Estimate, ...]
    faults: tuple[Fault, ...] = ()
    also: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the faults."""
        return tuple(fault.name for fault in self.faults)

    def as_json(self) -> dict[str, object]:
        """Return the diagnosis as ``--json`` prints it; numbers that are not finite as texts."""
        return {
            "verdict": self.verdict,
            "unit": "nats/step",
            "numbers": [number if np.isfinite(number) else str(number) for number in self.numbers],
            "expected": [estimate.as_json() for estimate in self.expected],
            "faults": [fault.as_json() for fault in self.faults],
            "also": list(self.also),
            "notes": list(self.notes),
        }


def diagnose(
    subject: Subject,
    run: Record | np.ndarray,
    *,
    module: object = None,
    inputs: object = None,
    dt: float | None = None,
) -> Diagnosis:
    """Say what is wrong with exponents, or with the function that computes them.

    ``subject``: numbers (texts keep their number of digits), a function of the Jacobians (T, n, n), first step first, or a function of
    (module, inputs). A function of Jacobians gets the run after its warm-up. ``dt``: the time of one step, where there is one.

    **Guarantee:** heuristic: a fault is named where its reading fits the numbers within their error bars and the right one does not, or
    where it reproduces them up to rounding. "Within": three half widths, a thousandth of the number, its last digit. **Raises** Malformed:
    no numbers, a function of another number of arguments, or one that returns none, or another array than (k,) or (B, k).

    **Example**

    >>> W = np.array([[-4.0, 2, -4], [-4, -4, 2], [0, -4, -4]])
    >>> h, jacobians = np.array([0.1, 0.2, -0.3]), []
    >>> for _ in range(600):
    ...     h = np.tanh(W @ h)
    ...     jacobians.append((1 - h * h)[:, None] * W)
    >>> diagnose([1.38601, -6.10834, -8.57582], np.array(jacobians)).names
    ('reversed order',)
    """
    run = run if isinstance(run, Record) else record(run)
    same = callable(subject) and takes(subject) == 1
    run = _after_warmup(run) if same else run
    if callable(subject):
        got = called(subject, run, module, inputs)
        if isinstance(got, str):
            return Diagnosis("Faulty", (), _estimates(next(readings(run))), (_fault("the function fails", got),))
    else:
        got = read(subject)
    return _Case(run, *got, tuple(readings(run, dt)), same).diagnosis()


def _after_warmup(run: Record) -> Record:
    """Return the run that a function of Jacobians gets: its state has settled, its frame has not."""
    first = run.warmup
    steps = run.measured
    return Record(lambda t: run.jacobian(first + t)[:1], steps, min(1000, steps // 5), run.hidden)


def _estimates(reading: Reading) -> tuple[Estimate, ...]:
    pairs = zip(reading.values.tolist(), reading.half_widths.tolist(), strict=True)
    return tuple(Estimate(i + 1, value, half_width) for i, (value, half_width) in enumerate(pairs))


@dataclass(frozen=True, eq=False)
class _Fit:
    """How far ``count`` numbers lie from a reading: ``difference`` the largest, ``score`` in allowances, ``exact`` up to rounding.

    Few numbers tell few faults: within the error bars at most one a number.
    """

    reading: Reading
    count: int
    difference: float
    score: float
    exact: bool

    @property
    def fits(self) -> bool:
        return self.exact or (self.score <= 1 and len(self.reading.faults) <= self.count)


@dataclass(frozen=True, eq=False)
class _Case:
    """Numbers beside all readings of a run, the right one first; ``same`` if they come from the very Jacobians of the run."""

    run: Record
    numbers: np.ndarray
    rounding: np.ndarray
    readings: tuple[Reading, ...]
    same: bool

    def diagnosis(self) -> Diagnosis:
        right = self.readings[0]
        expected = _estimates(right)
        numbers = tuple(self.numbers.tolist())
        wild = np.isnan(self.numbers) | np.isposinf(self.numbers)
        if wild.any():
            return Diagnosis("Faulty", numbers, expected, (_fault("not a number", self._wild(wild)),))
        if len(self.numbers) > len(right.values):
            evidence = f"{len(self.numbers)} numbers for a state of {len(right.values)}"
            return Diagnosis("Faulty", numbers, expected, (_fault("too many numbers", evidence),))
        fits = [self.fit(reading) for reading in self.readings if len(reading.values) >= len(self.numbers)]
        chosen = fits[0] if fits[0].fits and self._rounded else self._chosen(fits)
        if chosen is None or (chosen.reading.faults and not self._exactly(chosen, fits) and fits[0].score <= _APART):
            return self._unexplained(fits, expected)
        faults = [self._explained(name, chosen, fits) for name in listed(chosen.reading.faults)] + self._plain_faults(chosen.reading)
        others = [fit for fit in fits if fit.fits and fit is not chosen and (chosen.reading.faults or fit.exact >= chosen.exact)]
        also, notes = self._others(chosen, others), self._notes(chosen, others)
        return Diagnosis("Faulty" if faults else "Healthy", numbers, expected, tuple(faults), also, notes)

    @property
    def _rounded(self) -> bool:
        """Tell whether the numbers have so few digits that agreement with one of two near readings means nothing."""
        return bool((self.rounding > _SHARP * np.abs(self.numbers)).any())

    @staticmethod
    def _exactly(chosen: _Fit, fits: Iterable[_Fit]) -> bool:
        """Tell whether a reading, with or without its warm-up, gives the numbers up to rounding."""
        return any(fit.exact for fit in fits if fit.reading.faults - {_TRANSIENT} == chosen.reading.faults - {_TRANSIENT})

    def fit(self, reading: Reading) -> _Fit:
        """Compare the sorted numbers with the leading exponents of a reading; entries that are minus infinity there are judged apart."""
        down = np.argsort(-self.numbers, kind="stable")
        numbers, rounding = self.numbers[down], self.rounding[down]
        values = reading.values[: len(numbers)]
        real = np.isfinite(values)
        if not real.any() or not np.isfinite(numbers[real]).all():
            there = not real.any() and bool(np.isneginf(numbers).all())
            return _Fit(reading, len(numbers), 0.0 if there else np.inf, 0.0 if there else np.inf, there)
        differences = np.abs(numbers[real] - values[real])
        sizes, resolved = np.abs(values[real]), _resolved(values[real], reading.factor)
        allowed = (rounding + _allowed(reading)[: len(numbers)])[real]
        exact = bool((differences <= np.minimum(rounding[real], _DIGITS * sizes) + _EXACT * sizes + resolved).all())
        return _Fit(reading, len(numbers), float(differences.max()), float((differences / allowed).max()), exact)

    @staticmethod
    def _chosen(fits: Iterable[_Fit]) -> _Fit | None:
        """Return what explains the numbers best: exactly before nearly, then with the fewest faults, then the nearest.

        Without a warm-up the same numbers come out in the long run: that is a fault only where the numbers with one do not fit.
        """
        fitting = [fit for fit in fits if fit.fits]
        exact = [fit for fit in fitting if fit.exact]
        chosen = min(exact or fitting, key=lambda fit: (len(fit.reading.faults), fit.score), default=None)
        if chosen is None:
            return None
        settled = (fit for fit in fitting if fit.reading.faults == chosen.reading.faults - {_TRANSIENT})
        return next(settled, chosen)

    def _explained(self, name: str, chosen: _Fit, fits: Sequence[_Fit]) -> Fault:
        without = [fit for fit in fits if fit.reading.faults == chosen.reading.faults - {name}]
        difference = min((fit.difference for fit in without), default=np.inf)
        return _fault(name, evidence_of(name, chosen.reading, chosen.difference, difference))

    def _plain_faults(self, reading: Reading) -> list[Fault]:
        """Return what can be seen in the numbers themselves: their order, and finite numbers for minus infinity."""
        allowed = _allowed(reading, 1.0)
        found = []
        rising = [i for i in range(1, len(self.numbers)) if self.numbers[i] > self.numbers[i - 1] + allowed[i]]
        if rising:
            i = rising[0]
            found.append(_fault("not sorted", f"number {i + 1}, {self.numbers[i]:.6g}, follows {self.numbers[i - 1]:.6g}"))
        lost = np.isneginf(reading.values[: len(self.numbers)]) & np.isfinite(np.sort(self.numbers)[::-1])
        if lost.any():
            value = np.sort(self.numbers)[::-1][lost][0]
            found.append(_fault("finite for minus infinity", f"{value:.6g} where the Jacobian maps a direction to 0"))
        return found

    def _wild(self, wild: np.ndarray) -> str:
        hint = " (there an exponent is minus infinity: the logarithm of 0)" if np.isneginf(self.readings[0].values).any() else ""
        return f"{int(wild.sum())} of {len(wild)} numbers are nan or inf{hint}"

    def _unexplained(self, fits: Sequence[_Fit], expected: tuple[Estimate, ...]) -> Diagnosis:
        """Look for what is no reading: one number repeated, one common factor, a wrong sum."""
        numbers, faults, notes = tuple(self.numbers.tolist()), [], [] if self.same else [_ELSEWHERE]
        if repeated := self._repeated():
            faults.append(_fault("no re-orthonormalisation", repeated))
        elif common := self._common_factor():
            faults += common
        elif wrong := self._sum():
            if self.same or self._all_but_one():
                faults.append(_fault("sum against mean log|det J|", wrong))
            else:
                notes.append(f"{wrong} along this run: it is another orbit, or the Jacobian is wrong")
        nearest = min(fits, key=lambda fit: fit.score, default=None)
        if nearest is not None and np.isfinite(nearest.difference):
            notes.append(f"the nearest reading ({_said(nearest.reading)}) differs by up to {nearest.difference:.3g}")
        return Diagnosis("Faulty" if faults else "Unexplained", numbers, expected, tuple(faults), (), tuple(notes))

    def _repeated(self) -> str:
        values = self.readings[0].values[: len(self.numbers)]
        largest = values[0]
        if len(values) < 2 or not np.isfinite([largest, *self.numbers]).all():  # noqa: PLR2004 - one number repeats nothing
            return ""
        near = _ONE_RATIO * (largest - values[-1] if np.isfinite(values[-1]) else abs(largest))
        if np.ptp(self.numbers) <= near and abs(self.numbers.mean() - largest) <= near:
            return f"all {len(self.numbers)} numbers are about the largest exponent, {largest:.6g}"
        return ""

    def _common_factor(self) -> list[Fault]:
        """Return the faults of a reading that the numbers are one multiple of; two different numbers at least tell a factor."""
        for reading in self.readings:
            values = reading.values[: len(self.numbers)]
            if len(values) < max(2, len(self.numbers)) or reading.unit != "nats" or reading.length != "steps measured":
                continue
            numbers = np.sort(self.numbers)[::-1]
            bars, sizes = _WIDTHS * reading.half_widths[: len(values)], np.abs(values)
            if not np.isfinite(values).all() or not np.isfinite(numbers).all() or (bars > _TOLD * sizes).any() or not sizes.min():
                continue
            if np.ptp(values) <= _TOLD * sizes.max():
                continue
            ratio = float(values @ numbers / (values @ values))
            if (abs(ratio - 1) * sizes <= bars).any():
                continue
            scaled = Reading(
                reading.order,
                reading.state,
                reading.window,
                "nats",
                "wrong length",
                ratio,
                ratio * values,
                abs(ratio) * reading.half_widths[: len(values)],
            )
            if ratio > 0 and (fit := self.fit(scaled)).fits:
                return [_fault(name, evidence_of(name, scaled, fit.difference, np.inf)) for name in listed(scaled.faults)]
        return []

    def _sum(self) -> str:
        """Compare the sum of all exponents with the volume's; they are equal whatever the order."""
        right = self.readings[0]
        if len(self.numbers) != len(right.values) or not np.isfinite(right.values).all():
            return ""
        volume, given = float(right.values.sum()), float(self.numbers.sum())
        allowed = float(self.rounding.sum() + _allowed(right).sum())
        return f"the sum is {given:.6g}, the mean of log|det J| is {volume:.6g}" if abs(given - volume) > allowed else ""

    def _all_but_one(self) -> bool:
        """Tell whether all numbers but one are exponents of this run, so that they speak of its orbit."""
        right = self.readings[0]
        near = np.abs(self.numbers - right.values[:, None]) <= self.rounding + _allowed(right)[:, None]
        return len(near) > 1 and int(near.any(axis=1).sum()) >= len(near) - 1

    def _others(self, chosen: _Fit, others: Sequence[_Fit]) -> tuple[str, ...]:
        if not chosen.reading.faults:
            return ()
        ranked = sorted(others, key=lambda fit: (len(fit.reading.faults), fit.score))
        sets = dict.fromkeys(fit.reading.faults for fit in ranked if fit.reading.faults - {_TRANSIENT} != chosen.reading.faults)
        return tuple(", ".join(listed(faults)) or "the right reading" for faults in list(sets)[:_MOST_OTHERS])

    def _notes(self, chosen: _Fit, others: Sequence[_Fit]) -> tuple[str, ...]:
        notes = []
        same = [fit for fit in others if fit.reading.faults and not chosen.reading.faults]
        names = listed({name for fit in same if len(fit.reading.faults) == 1 for name in fit.reading.faults})
        if names:
            notes.append(
                f"on this run these faults would not show, the numbers would be the same within the error bars: {', '.join(names)}"
            )
        if not chosen.exact and any(fit.exact and fit.reading.faults == chosen.reading.faults | {_TRANSIENT} for fit in others):
            notes.append("the numbers are those of the whole run without a warm-up; here that changes them by less than the error bars")
        if len(self.numbers) == 1:
            notes.append("one number can hide much: give all exponents")
        elif len(self.numbers) < (whole := len(self.readings[0].values)):
            notes.append(f"only the {len(self.numbers)} largest of {whole} exponents were judged")
        return tuple(notes)


def _resolved(values: np.ndarray, factor: float) -> float:
    return _ROUNDING * max(abs(factor), float(np.abs(values).max(initial=0.0)))


def _allowed(reading: Reading, widths: float = _WIDTHS) -> np.ndarray:
    """Return how far a number of the same orbit may lie from each value, shape (n,): its error bars and a share of its size.

    No bars are known of a single block: nothing is near then. A value that is 0 up to rounding may come out in single precision.
    """
    real = np.isfinite(reading.values)
    sizes, bars = np.where(real, np.abs(reading.values), 0.0), np.where(np.isfinite(reading.half_widths), reading.half_widths, 0.0)
    resolved = _resolved(sizes, reading.factor)
    return widths * bars + _FLOOR * sizes + np.where(sizes <= resolved, abs(reading.factor) * _SINGLE, resolved)


def _fault(name: str, evidence: str) -> Fault:
    return Fault(name, evidence, REMEDIES.get(name, REMEDIES["wrong length"]))


def _said(reading: Reading) -> str:
    return ", ".join(listed(reading.faults)) or "the right one"
