"""The answers of ``lyapunov`` and ``doctor lyapunov`` as text. Estimates and proofs stand apart; the unit is always said."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf, isfinite, log10
from typing import TYPE_CHECKING

from verify.lyapunov.results import UNIT, Certified, Estimate, Exact
from verify.rounding import fixed_above, fixed_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.lyapunov.answers import Answer, Proofs
    from verify.lyapunov.doctor import Diagnosis
    from verify.lyapunov.spectra import Spectrum

_MOST = 40
_TAIL = 3
_SHORT_PLACES = 10
_FINITE_PLACES = 8
_FEW_STATES = 8
_LEAST_PLACES, _MOST_PLACES = 3, 12
_TINY = 1e-12
_MODES = {
    "autonomous": "autonomous",
    "driven": "driven by the input: conditional exponents",
    "closed_loop": "closed loop: the output is the next input",
}


def answer_text(answer: Answer) -> list[str]:
    """Return the lines of an answer; the last one is its verdict."""
    found = answer.spectrum
    lines = [*_network_lines(answer.network), f"mode         {_MODES[found.mode]}{_from(answer.inputs)}", *_run_lines(found), ""]
    lines += [f"{'exponent':<12} estimate, {UNIT}, with 95 % interval", *_table(found.exponents), *_sum_lines(found), ""]
    lines += _check_lines(found)
    lines += (
        []
        if answer.proofs is None
        else ["", *_proof_lines(answer.proofs, answer.digits, [] if found.start is None else found.start.tolist())]
    )
    lines += [f"certificate  {answer.certificate}"] if answer.certificate else []
    lines += [f"figure       {answer.figure}"] if answer.figure else []
    return [*lines, _verdict(answer)]


def measured(value: float, half_width: float) -> str:
    """Return an estimate with as many places as its half width supports.

    >>> measured(0.4192403, 0.000061), measured(float("-inf"), 0.0), measured(0.25, float("nan"))
    ('0.419240 +- 0.000061', '-inf', '0.250000 +- unknown')
    """
    if value == -inf:
        return "-inf"
    if not isfinite(half_width):
        return f"{value:.6f} +- unknown"
    if half_width < _TINY:
        return f"{value:.{_MOST_PLACES}f} +- {half_width:.0e}"
    places = min(_MOST_PLACES, max(_LEAST_PLACES, 1 - floor(log10(half_width))))
    return f"{value:.{places}f} +- {half_width:.{places}f}"


def enclosed(entry: Exact | Certified, digits: int) -> str:
    """Return a proved entry, ends rounded outward to ``digits`` places; a formula first.

    >>> from fractions import Fraction
    >>> enclosed(Certified(1, Fraction(-1, 3), None, "every orbit", "D1"), 4)
    'at least -0.3334'
    """
    if isinstance(entry, Exact) and entry.lower is None:
        return "-inf"
    low = None if entry.lower is None else fixed_below(entry.lower, digits)
    high = None if entry.upper is None else fixed_above(entry.upper, digits)
    text = f"at most {high}" if low is None else f"at least {low}" if high is None else f"in [{low}, {high}]"
    return f"{entry.text}, {text}" if isinstance(entry, Exact) else text


def _network_lines(network: Mapping[str, object]) -> list[str]:
    assumptions = network["assumptions"]
    lines = [f"network      {network['name']} ({network['kind']}, {network['dimension']} state{'' if network['dimension'] == 1 else 's'})"]
    lines += [f"digest       {network['digest']}"] if network["digest"] else []
    return lines + [f"assumed      {text}" for text in (assumptions if isinstance(assumptions, list) else [])]


def _from(inputs: str | None) -> str:
    return "" if inputs is None else f", {inputs}"


def _run_lines(found: Spectrum) -> list[str]:
    batch = "1 sequence" if found.batch == 1 else f"{found.batch} sequences"
    warmup = f"after a warm-up of {found.warmup} (state) and {found.tangent_warmup} (tangent)"
    return [
        f"run          {found.steps} steps {warmup}, {batch}, seed {found.seed}",
        f"arithmetic   {found.dtype} on {found.device}, a QR every {found.qr_interval:.3g} steps",
    ]


def _table(exponents: Sequence[Estimate]) -> list[str]:
    rows = [f"{entry.of:<12} {measured(entry.value, entry.half_width)}" for entry in exponents]
    if len(rows) <= _MOST:
        return rows
    left = len(rows) - _MOST + 1
    return [*rows[: _MOST - _TAIL - 1], f"... {left} more (--json lists all)", *rows[-_TAIL:]]


def _sum_lines(found: Spectrum) -> list[str]:
    lines = [f"{'sum':<12} {measured(found.sum.value, found.sum.half_width)}"] if found.sum is not None else []
    if found.log_det is not None:
        lines.append(f"log|det J|   {measured(found.log_det.value, found.log_det.half_width)} (mean along the run)")
    dimension = "not known from so few exponents" if found.kaplan_yorke is None else f"{found.kaplan_yorke:.6g}"
    lines.append(f"dimension    {dimension} (Kaplan-Yorke)")
    lines.append(f"entropy      at most {found.entropy_sum:.6g} by these estimates (sum of the positive ones)")
    if found.participation is not None:
        lines.append(f"spread       {found.participation:.6g} directions of the state (participation ratio of its covariance)")
    if found.covariant is not None:
        lines.append(
            f"covariant    {len(found.covariant.vectors)} steps of vectors, least angle {float(found.covariant.angles.min()):.3g} rad"
        )
    return lines


def _check_lines(found: Spectrum) -> list[str]:
    lines = []
    for check in found.checks:
        held = f"{check.name:<11}{'ok' if check.passed else 'FAILED':<7}{check.value:.1e} (at most {check.tolerance:.1e})"
        lines.append(f"check        {held}: {check.detail}")
    return lines + [f"note         {text}" for text in found.notes]


def _proof_lines(proofs: Proofs, digits: int, start: Sequence[float]) -> list[str]:
    lines = ["Proved (accepted by the checker, nothing here rests on the estimates)"] if proofs.entries else ["Nothing was proved"]
    for entry in proofs.entries:
        of = "sum" if entry.of == "sum" else f"exponent {entry.of}"
        if not is_finite_time(entry):
            lines.append(f"{of:<12} {enclosed(entry, digits)} {UNIT}; {entry.scope}; theorem {entry.theorem}")
    lines += _finite_lines([entry for entry in proofs.entries if is_finite_time(entry)], min(digits, _FINITE_PLACES), start)
    lines += [f"this cycle   {text}; that the orbit above goes there is seen in floats" for text in proofs.cycles]
    lines += [f"region       {region.told(start)}" for region in proofs.regions]
    return lines + [f"undecided    {text}" for text in proofs.undecided]


def is_finite_time(entry: Exact | Certified) -> bool:
    """Say whether a proved entry is of finitely many steps, and so no limit."""
    return isinstance(entry, Certified) and entry.steps is not None


def _finite_lines(entries: Sequence[Exact | Certified], digits: int, start: Sequence[float]) -> list[str]:
    """Return what is proved of the first steps of the exact orbit of ``start``, apart from all limits."""
    if not entries:
        return []
    state = ", ".join(f"{value!r}" for value in start[:_FEW_STATES]) + (", .." if len(start) > _FEW_STATES else "")
    rows = [f"proved for this orbit: exponent {entry.of} over {_steps(entry)} {_closed(entry, digits)} {UNIT}" for entry in entries]
    rows = rows if len(rows) <= _MOST else [*rows[: _MOST - _TAIL], f"... {len(rows) - _MOST + _TAIL} more (--json lists all)"]
    inputs = ", under the first inputs" if "inputs" in entries[0].scope else ""
    begins = f"this orbit   the exact one from ({state}){inputs}, without a warm-up"
    warning = f"finite-time exponents (theorem {entries[0].theorem}) are no limits, and floats leave an orbit that is chaotic"
    return [*rows, f"{begins}: {warning}"]


def _steps(entry: Exact | Certified) -> str:
    steps = entry.steps if isinstance(entry, Certified) else None
    return f"{steps} step{'' if steps == 1 else 's'}"


def _closed(entry: Exact | Certified, digits: int) -> str:
    """Return the interval of a finite-time exponent, with an end that is not bounded as -inf or inf."""
    low = "-inf" if entry.lower is None else fixed_below(entry.lower, digits)
    return f"in [{low}, {'inf' if entry.upper is None else fixed_above(entry.upper, digits)}]"


def _verdict(answer: Answer) -> str:
    failed = answer.spectrum.failed
    broken = f"; {len(failed)} identity check{'' if len(failed) == 1 else 's'} FAILED: do not trust the estimates" if failed else ""
    if answer.verdict == "Proved" and answer.proofs is not None:
        if all(is_finite_time(entry) for entry in answer.proofs.entries):
            return f"Proved  {_finite_in_short(answer.proofs.entries)}; no limit is proved, everything else above is an estimate{broken}"
        return f"Proved  {_proved_in_short(answer.proofs)}; everything else above is an estimate{broken}"
    if answer.verdict == "NotFound":
        return f"NotFound  no exponent was proved; the numbers above are estimates{broken}"
    first = answer.spectrum.exponents[0]
    return f"Estimate  largest exponent {measured(first.value, first.half_width)} {UNIT} along this run; nothing is proved{broken}"


def _finite_in_short(entries: Sequence[Exact | Certified]) -> str:
    first, more = entries[0], len(entries) - 1
    rest = f" (and {more} more above)" if more else ""
    return f"finite-time exponent {first.of} of this orbit over {_steps(first)}: {_closed(first, _FINITE_PLACES)} {UNIT}{rest}"


def _proved_in_short(proofs: Proofs) -> str:
    """Return the sharpest proof of the largest exponent, or of what comes next, and how many more there are; limits first."""
    first = min(proofs.entries, key=_rank)
    more = len(proofs.entries) - 1
    of = "the sum of all exponents" if first.of == "sum" else f"exponent {first.of}"
    rest = f" (and {more} more above)" if more else ""
    return f"{of} of {first.scope}: {enclosed(first, _SHORT_PLACES)} {UNIT}{rest}"


def _rank(entry: Exact | Certified) -> tuple[bool, bool, bool, float, float, float]:
    """Order limits before finite times, two-sided before one-sided, exponents before the sum, then by number, the sharpest first."""
    exact = isinstance(entry, Exact)
    width = 0.0 if exact else inf if entry.lower is None or entry.upper is None else float(entry.upper - entry.lower)
    upper = inf if entry.upper is None else float(entry.upper)
    return is_finite_time(entry), width == inf, entry.of == "sum", inf if entry.of == "sum" else entry.of, width, upper


def diagnosis_text(name: str, found: Diagnosis, function: str | None = None) -> list[str]:
    """Return the lines of a diagnosis of numbers, or of a function that gave them; the last one is its verdict."""
    shown = "  ".join(f"{number:.6g}" for number in found.numbers[:_MOST]) or "none"
    lines = [f"network      {name}", f"given        {shown}{f' (by {function})' if function else ''}"]
    lines += [
        f"expected     {measured(entry.value, entry.half_width)} {UNIT}" for entry in found.expected[: max(1, len(found.numbers))][:_MOST]
    ]
    for fault in found.faults:
        lines += [f"fault        {fault.name}: {fault.evidence}", f"remedy       {fault.remedy}"]
    lines += [f"or           {text}: within the error bars, too" for text in found.also]
    lines += [f"note         {text}" for text in found.notes]
    said = {
        "Healthy": "Healthy  the numbers are the exponents within the error bars of this run (an estimate, no proof)",
        "Faulty": f"Faulty  {', '.join(found.names)} (by estimates of this run, no proof)",
        "Unexplained": "Unexplained  the numbers are not the exponents, and no known fault gives them",
    }
    return [*lines, said[found.verdict]]
