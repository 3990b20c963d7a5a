"""The answers as text: what a person reads on the terminal. The last line is the verdict and the claim."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from proofs.claims import CycleClaim, MultiplierModuli, Stability
from verify.rounding import fixed_above, fixed_below

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from proofs.claims import Claim
    from verify.answers import Certified, CycleEntry, CycleList

_MOST_POINTS = 3
_MOST_CYCLES = 60
_NO_INDEX = "not defined (a cycle on a border, a smooth map, a box or a residual)"


def certified_text(answer: Certified) -> list[str]:
    """Return the lines for a certificate and its report."""
    report = answer.report
    lines = _network_lines(report.network)
    if report.decision != "undecided" or report.undecided:  # else only a theorem was asked for
        lines.append(f"decision     {report.decision}")
    if report.entropy is not None:
        lines.append(f"entropy      {_entropy_text(*report.entropy)}")
    if report.radius is not None:
        lines.append(f"radius       {report.radius} on every stored weight, about {float(report.radius):.3g}")
    if report.sup_radius is not None:
        lines.append(f"sup radius   {report.sup_radius}: every continuous map within this distance of F everywhere is chaotic too")
    if report.outside:
        lines.append(f"outside      {report.outside}")
    lines += [f"note         {text}" for text in report.notes]
    apart = _listed_apart(answer)
    lines += [f"theorem      {claim.statement()}." for claim in apart if len(apart) > 1]  # a single one is the last line
    lines += _cycle_lines(report.cycles)
    lines += [f"undecided    {text}" for text in report.undecided]
    lines += _path_lines(report.path, len(answer.steps))
    return [*lines, _verdict(answer)]


def cycles_text(answer: CycleList, *, complete: bool) -> list[str]:
    """Return the lines for a list of cycles."""
    lines = _network_lines(answer.network)
    lines += _cycle_lines(answer.cycles)
    lines += [f"residual     {text}" for text in answer.residual]
    lines += [f"unresolved   {text}" for text in answer.unresolved]
    lines.append(f"index sums   {_index_text(answer.index_sum)} (of the cycles listed; not kernel-checked)")
    if answer.box is not None:
        others = f"; {_count(answer.outside_box, 'other cycle')} left out" if answer.everywhere else ""
        lines.append(f"box          every point in [{answer.box[0]}, {answer.box[1]}]{others}")
    lines += _method_lines(answer.effort)
    reach = f"proved up to period {answer.complete_up_to}{_everywhere(answer)}" if answer.complete_up_to else "not proved"
    lines.append(f"complete     {reach}")
    lines += _path_lines(answer.path, answer.steps)
    return [*lines, f"{answer.verdict}  {_listing(answer, complete=complete)}"]


def _entropy_text(low: Fraction, high: Fraction | None) -> str:
    if high is None:
        return f"at least {fixed_below(low)} nats per step"
    return f"between {fixed_below(low)} and {fixed_above(high)} nats per step" if high else "0 (implied by the order below)"


def _method_lines(effort: Mapping[str, object]) -> list[str]:
    """Say how a search for completeness was made."""
    if "method" not in effort:
        return []
    parts = [f"{effort['nodes']} nodes", f"search {effort.get('search_seconds')} s"]
    parts += [f"check {effort['check_seconds']} s"] if "check_seconds" in effort else []
    return [f"method       {effort['method']} ({effort['method_because']}); {', '.join(parts)}"]


def _everywhere(answer: CycleList) -> str:
    if answer.box is None:
        return ""
    return " on all of R^M, not in the box alone" if answer.everywhere else " in the box"


def _listing(answer: CycleList, *, complete: bool) -> str:
    within = "" if answer.box is None else f" with every point in [{answer.box[0]}, {answer.box[1]}]"
    if not answer.cycles and not answer.complete:
        starts = answer.effort.get("starts")
        tried = f" in {starts} starts" if starts is not None else ""
        return f"no cycle of least period at most {answer.up_to}{within} was found{tried}; that excludes none"
    what = "all cycles" if answer.complete else "cycles"
    sets = "intervals" if answer.network["dimension"] == 1 else "polyhedra"
    apart = f", apart from the residual {sets} above" if answer.residual else ""
    asked = f" (the complete list up to period {answer.up_to} was asked for)" if complete and not answer.complete else ""
    return f"{what} of least period at most {answer.up_to}{within}: {_counts(answer.cycles)}{apart}{asked}"


def _network_lines(network: Mapping[str, object]) -> list[str]:
    about = f"{network['name']} ({network['model']}, {_count(network['dimension'], 'state')}, {_count(network['hinges'], 'hinge')})"
    assumptions = network["assumptions"]
    assumed = [f"assumed      {text}" for text in assumptions] if isinstance(assumptions, list) else []
    return [f"network      {about}", f"digest       {network['digest']}", *assumed]


def _count(number: object, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _path_lines(path: str | None, steps: int) -> list[str]:
    return [f"certificate  {path} ({_count(steps, 'step')}; accepted by the checker)"] if path else []


def _cycle_lines(cycles: tuple[CycleEntry, ...]) -> list[str]:
    lines = [_cycle_line(entry) for entry in cycles[:_MOST_CYCLES]]
    return [*lines, f"... and {len(cycles) - _MOST_CYCLES} more (--json lists all)"] if len(cycles) > _MOST_CYCLES else lines


def _cycle_line(entry: CycleEntry) -> str:
    point = ", ".join(f"{float((x.lo + x.hi) / 2):.6g}" for x in entry.points[0][:_MOST_POINTS])
    more = ", ..." if len(entry.points[0]) > _MOST_POINTS else ""
    stability = (
        f"{entry.label} (multipliers: {entry.inside} inside, {entry.outside} outside)"
        if entry.label
        else entry.note or "proved; stability not computed"
    )
    exponent = f"; largest exponent in [{fixed_below(entry.exponent[0])}, {fixed_above(entry.exponent[1])}]" if entry.exponent else ""
    return f"{'fixed point ' if entry.period == 1 else f'{entry.period}-cycle':<12} near ({point}{more})  {stability}{exponent}"


def _index_text(sums: Mapping[int, int | None]) -> str:
    known = [f"k={k}: {total}" for k, total in sums.items() if total is not None]
    return ", ".join(known[:12]) + (", ..." if len(known) > 12 else "") if known else _NO_INDEX  # noqa: PLR2004


def _verdict(answer: Certified) -> str:
    apart = _listed_apart(answer)
    if apart:
        more = len(answer.claims) - 1
        rest = f" (and {_count(more, 'more claim')} above)" if more else ""
        return f"Proved  {apart[0].statement()}{_within(answer)}{rest}"
    reach = f" (searched to period {answer.report.searched_to}; there may be others)" if answer.report.searched_to else ""
    return f"Proved  cycles of F: {_counts(answer.report.cycles)}{_within(answer)}{reach}"


def _within(answer: Certified) -> str:
    return "" if answer.report.radius is None else f", for every network within radius {answer.report.radius} of this one"


def _listed_apart(answer: Certified) -> list[Claim]:
    """Return the claims that are not of one cycle; those have lines of their own."""
    return [claim for claim in answer.claims if not isinstance(claim, CycleClaim | Stability | MultiplierModuli)]


def _counts(cycles: tuple[CycleEntry, ...]) -> str:
    periods = Counter(entry.period for entry in cycles)
    return ", ".join(f"{count} of period {period}" for period, count in sorted(periods.items())) or "none"
