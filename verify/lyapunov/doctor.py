"""``doctor lyapunov``: which known fault explains the exponents that somebody's code gives, or that it gives the right ones.

Every combination of order, state, window, unit and length is computed from one run and compared with the numbers; what lies within the
error bars is reported, the fewest faults first. Nothing here is proved: a diagnosis is an estimate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from proofs.errors import Malformed
from verify.lyapunov.readings import Reading, Record, readings, record
from verify.lyapunov.results import Estimate
from verify.lyapunov.wordings import REMEDIES, evidence_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    Subject = Sequence[float | str] | np.ndarray | Callable[..., object]

Verdict = Literal["Healthy", "Faulty", "Unexplained"]

_EXACT = 1e-6  # relative: the same orbit and the same arithmetic, but for rounding
_DIGITS = 1e-4  # relative: numbers given with fewer digits than this reproduce nothing
_FLOOR = 1e-3  # relative: another orbit, or another transient, of like length
_WIDTHS = 3.0
_MOST_OTHERS = 5
_TRANSIENT = "missing warm-up"
_ONE_RATIO = 0.02  # by so much a common factor may vary from exponent to exponent


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
    where it reproduces them up to rounding. **Raises** Malformed: no numbers, a function of another number of arguments.

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
    if callable(subject):
        run = run if _takes(subject) == 2 else _after_warmup(run)  # noqa: PLR2004 - (module, inputs)
        got = _called(subject, run, module, inputs)
        if isinstance(got, Fault):
            return Diagnosis("Faulty", (), _estimates(next(readings(run))), (got,))
        numbers, rounding = got, np.zeros(len(got))
    else:
        numbers, rounding = _numbers(subject)
    return _Case(run, numbers, rounding, tuple(readings(run, dt))).diagnosis()


def _takes(function: Callable[..., object]) -> int:
    """Return how many arguments a function needs: 1 Jacobians, 2 a module and inputs. **Raises** Malformed."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise _wrong_function("a function whose arguments cannot be seen") from error
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    needed = sum(parameter.kind in kinds and parameter.default is parameter.empty for parameter in parameters)
    if needed not in {1, 2}:
        raise _wrong_function(f"{needed} arguments without a default")
    return needed


def _wrong_function(got: str) -> Malformed:
    expected = "f(jacobians), shape (T, n, n), or f(module, inputs)"
    return Malformed(where="function", law="a function that returns exponents", expected=expected, got=got)


def _after_warmup(run: Record) -> Record:
    """Return the run that a function of Jacobians gets: its state has settled, its frame has not."""
    first = run.warmup
    steps = run.measured
    return Record(lambda t: run.jacobian(first + t)[:1], steps, min(1000, steps // 5), run.hidden)


def _called(function: Callable[..., object], run: Record, module: object, inputs: object) -> np.ndarray | Fault:
    """Return what the user's function returns, or the fault that it fails; a batch of results is averaged."""
    if _takes(function) == 2 and (module is None or inputs is None):  # noqa: PLR2004 - (module, inputs)
        raise Malformed(where="function", law="a function of (module, inputs)", expected="a torch module and an input sequence", got="none")
    arguments = (module, inputs) if _takes(function) == 2 else (np.concatenate([run.jacobian(t) for t in range(run.steps)]),)  # noqa: PLR2004
    try:
        found = function(*arguments)
        values = np.asarray(found.detach().cpu() if hasattr(found, "detach") else found, dtype=np.float64)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the finding
        return Fault("the function fails", f"{type(error).__name__}: {error}", REMEDIES["the function fails"])
    return values.reshape(-1, values.shape[-1]).mean(axis=0) if values.ndim > 1 else np.atleast_1d(values)


def _numbers(subject: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers and half a unit of the last digit that each was given with. **Raises** Malformed."""
    given = np.atleast_1d(np.asarray(subject, dtype=object)) if not isinstance(subject, np.ndarray) else np.atleast_1d(subject)
    try:
        values = np.array([float(number) for number in given.tolist()])
    except (TypeError, ValueError) as error:
        raise Malformed(where="numbers", law="exponents", expected="numbers such as 0.25,-1.5", got=str(error)) from error
    if given.ndim != 1 or not len(values):
        raise Malformed(where="numbers", law="exponents", expected="at least one number, in one list", got=f"shape {given.shape}")
    last = [_last_digit(number) if np.isfinite(value) else 0.0 for number, value in zip(given.tolist(), values.tolist(), strict=True)]
    return values, np.array(last)


def _last_digit(number: object) -> float:
    exponent = Decimal(str(number).strip()).as_tuple().exponent
    return 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0


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
    """Numbers beside all readings of a run; the first reading is the right one."""

    run: Record
    numbers: np.ndarray
    rounding: np.ndarray
    readings: tuple[Reading, ...]

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
        chosen = self._chosen(fits)
        if chosen is None:
            return self._unexplained(fits, expected)
        faults = [self._explained(name, chosen, fits) for name in listed(chosen.reading.faults)] + self._plain_faults(chosen.reading)
        others = [fit for fit in fits if fit.fits and fit is not chosen and (chosen.reading.faults or fit.exact >= chosen.exact)]
        also, notes = self._others(chosen, others), self._notes(chosen, others)
        return Diagnosis("Faulty" if faults else "Healthy", numbers, expected, tuple(faults), also, notes)

    def fit(self, reading: Reading) -> _Fit:
        """Compare the sorted numbers with the leading exponents of a reading; entries that are minus infinity there are judged apart."""
        down = np.argsort(-self.numbers, kind="stable")
        numbers, rounding = self.numbers[down], self.rounding[down]
        values, half_widths = reading.values[: len(numbers)], reading.half_widths[: len(numbers)]
        real = np.isfinite(values)
        if not real.any() or not np.isfinite(numbers[real]).all():
            there = not real.any() and bool(np.isneginf(numbers).all())
            return _Fit(reading, len(numbers), 0.0 if there else np.inf, 0.0 if there else np.inf, there)
        differences = np.abs(numbers[real] - values[real])
        scale = reading.factor * np.maximum(1.0, np.abs(values[real] / reading.factor))
        allowed = rounding[real] + _WIDTHS * half_widths[real] + _FLOOR * scale
        exact = bool((differences <= np.minimum(rounding[real], _DIGITS * scale) + _EXACT * scale).all())
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
        allowed = reading.factor * _FLOOR + reading.half_widths
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
        numbers, faults = tuple(self.numbers.tolist()), []
        if repeated := self._repeated():
            faults.append(_fault("no re-orthonormalisation", repeated))
        elif common := self._common_factor():
            faults += common
        elif wrong := self._sum():
            faults.append(_fault("sum against mean log|det J|", wrong))
        notes = ["numbers of another orbit may differ: start where they did (--start), with their input"]
        nearest = min(fits, key=lambda fit: fit.score, default=None)
        if nearest is not None and np.isfinite(nearest.difference):
            notes.append(f"the nearest reading ({_said(nearest.reading)}) differs by up to {nearest.difference:.3g}")
        return Diagnosis("Faulty" if faults else "Unexplained", numbers, expected, tuple(faults), (), tuple(notes))

    def _repeated(self) -> str:
        spread = float(np.ptp(self.numbers)) if np.isfinite(self.numbers).all() else np.inf
        largest = self.readings[0].values[0]
        if len(self.numbers) > 1 and spread <= _ONE_RATIO * max(1.0, abs(largest)) and abs(self.numbers.mean() - largest) <= _ONE_RATIO:
            return f"all {len(self.numbers)} numbers are about the largest exponent, {largest:.6g}"
        return ""

    def _common_factor(self) -> list[Fault]:
        """Return the faults of a reading that the numbers are one multiple of; two numbers at least tell a factor."""
        for reading in self.readings:
            values = reading.values[: len(self.numbers)]
            if len(values) < max(2, len(self.numbers)) or reading.unit != "nats" or reading.length != "steps measured":
                continue
            numbers = np.sort(self.numbers)[::-1]
            if not np.isfinite(values).all() or not np.isfinite(numbers).all() or not np.abs(values).min():
                continue
            ratio = float(values @ numbers / (values @ values))
            scaled = Reading(
                reading.order,
                reading.state,
                reading.window,
                "nats",
                "wrong length",
                ratio,
                ratio * values,
                abs(ratio) * reading.half_widths,
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
        allowed = _WIDTHS * float(right.half_widths.sum()) + _FLOOR * max(1.0, abs(volume))
        return f"the sum is {given:.6g}, the mean of log|det J| is {volume:.6g}" if abs(given - volume) > allowed else ""

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
        return tuple(notes)


def _fault(name: str, evidence: str) -> Fault:
    return Fault(name, evidence, REMEDIES.get(name, REMEDIES["wrong length"]))


def _said(reading: Reading) -> str:
    return ", ".join(listed(reading.faults)) or "the right one"
