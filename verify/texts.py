"""The answers as text: what a person reads on the terminal. The last line is the verdict and the claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.rounding import fixed_above, fixed_below

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from verify.answers import Certified, CycleEntry, CycleList

_MOST_POINTS = 3
_MOST_CYCLES = 60


def certified_text(answer: Certified) -> list[str]:
    """Return the lines for a certificate and its report."""
    report = answer.report
    lines = [*_network_lines(report.network), f"decision     {report.decision}"]
    low, high = report.entropy
    if low is not None or high is not None:
        lines.append(f"entropy      {_bounds(low, high)} nats a step")
    if report.radius is not None:
        lines.append(f"radius       {report.radius} on every stored weight, about {float(report.radius):.3g}")
    if report.sup_radius is not None:
        lines.append(f"sup radius   {report.sup_radius}: as chaotic is every continuous map this near")
    if report.outside:
        lines.append(f"outside      {report.outside} (computed exactly, not part of the certificate)")
    lines += [f"{number:>3}. {claim.statement()}." for number, claim in enumerate(answer.claims, 1)]
    lines += [f"undecided    {text}" for text in report.undecided]
    lines += _path_lines(report.path, len(answer.steps))
    return [*lines, _verdict(answer.claims[0].statement(), len(answer.claims) - 1)]


def cycles_text(answer: CycleList, *, complete: bool) -> list[str]:
    """Return the lines for a list of cycles."""
    lines = _network_lines(answer.network)
    lines += [_cycle_line(entry) for entry in answer.cycles[:_MOST_CYCLES]]
    if len(answer.cycles) > _MOST_CYCLES:
        lines.append(f"... and {len(answer.cycles) - _MOST_CYCLES} more (--json lists all)")
    lines += [f"residual     {text}" for text in answer.residual]
    lines += [f"unresolved   {text}" for text in answer.unresolved]
    lines.append(f"index sums   {_index_text(answer.index_sum)}")
    lines.append(f"complete     {'yes, up to period ' + str(answer.up_to) if answer.complete else 'not proved'}")
    lines += _path_lines(answer.path, len(answer.certificate.steps) if answer.certificate else 0)
    counts = ", ".join(f"{count} of period {period}" for period, count in answer.cycles_by_least_period.items()) or "none"
    what = "all cycles" if answer.complete else "cycles"
    asked = f" (the complete list up to period {answer.up_to} was asked for)" if complete and not answer.complete else ""
    return [*lines, f"{answer.verdict}  {what} of least period at most {answer.up_to}: {counts}{asked}"]


def _network_lines(network: Mapping[str, object]) -> list[str]:
    about = f"{network['name']} ({network['model']}, {network['dimension']} states, {network['hinges']} hinges)"
    assumptions = network["assumptions"]
    assumed = [f"assumed      {text}" for text in assumptions] if isinstance(assumptions, list) else []
    return [f"network      {about}", f"digest       {network['digest']}", *assumed]


def _path_lines(path: str | None, steps: int) -> list[str]:
    return [f"certificate  {path} ({steps} steps; accepted by the checker)"] if path else []


def _cycle_line(entry: CycleEntry) -> str:
    point = ", ".join(f"{float(x.lo):.6g}" for x in entry.points[0][:_MOST_POINTS])
    more = ", ..." if len(entry.points[0]) > _MOST_POINTS else ""
    stability = f"{entry.label}: {entry.inside} multipliers inside, {entry.outside} outside" if entry.label else entry.note or "stability not asked"
    return f"period {entry.period:<5} near ({point}{more})  {stability}{_leading(entry)}"


def _leading(entry: CycleEntry) -> str:
    if not entry.multipliers:
        return ""
    real, imaginary = entry.multipliers[0]
    return f", largest modulus {abs(complex(float(real.lo), float(imaginary.lo))):.6g}"


def _index_text(sums: Mapping[int, int | None]) -> str:
    known = [f"k={k}: {total}" for k, total in sums.items() if total is not None]
    return ", ".join(known[:12]) + (", ..." if len(known) > 12 else "") if known else "not defined here"  # noqa: PLR2004


def _bounds(low: Fraction | None, high: Fraction | None) -> str:
    below = "unknown" if low is None else fixed_below(low)
    above = "unknown" if high is None else fixed_above(high)
    return f"between {below} and {above}"


def _verdict(first: str, more: int) -> str:
    rest = f" (and {more} more claim{'s' if more > 1 else ''} above)" if more else ""
    return f"Proved  {first}{rest}"
