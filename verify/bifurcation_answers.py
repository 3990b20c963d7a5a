"""The answer of ``bifurcations`` as text, in order of mu. The last line is the verdict and the claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from proofs.wording import enclosure_text, range_text

if TYPE_CHECKING:
    from fractions import Fraction

    from verify.certification.bifurcation_results import Bifurcations, ProvedBranch, ProvedEvent, Undecided
    from verify.events import Cluster, Virtual, Word

_MOST_LINES = 60
_MOST_LETTERS = 60
_MOST_WORDS = 12
_MOST_DIGITS = 30
_TYPES = {
    "border_collision": "border collision",
    "to_infinity": "escape to infinity",
    "multiplier_one": "multiplier 1",
    "flip": "flip",
    "complex_pair": "complex pair",
    "fold": "fold",
}
_WHAT = {
    "border_collision": "pre-activation 0",
    "to_infinity": "multiplier 1",
    "multiplier_one": "multiplier 1",
    "flip": "multiplier -1",
    "complex_pair": "complex pair on the unit circle",
    "fold": "fold",
}


def bifurcations_text(answer: Bifurcations) -> list[str]:
    """Return the lines for an answer."""
    found = answer.found
    lines = _network_lines(answer)
    lines += _capped([_event_line(event) for event in found.events], "events")
    lines += _capped([_branch_line(branch) for branch in merged(found.branches)], "branches")
    lines += _capped([_absent_line(branch) for branch in merged(found.absent)], "absences")
    lines += _capped([_virtual_line(item, proved=found.excluded(item)) for item in found.virtual], "virtual events")
    lines += _capped([_cluster_line(item) for item in found.clusters], "clusters")
    lines += _capped([_undecided_line(item) for item in found.undecided], "undecided ranges")
    lines += _settled_lines(answer)
    lines += [f"note         {text} (not kernel-checked)" for text in found.notes]
    if answer.complete and answer.box is not None:
        which = f"every cycle of period at most {answer.up_to} in the box {_box(answer.box)}"
        lines.append(
            f"complete     proved: at every mu {which} is one of these; flips and complex pairs are excluded where stability is proved"
        )
    else:
        lines.append(f"complete     {_not_complete(answer)}")
    if answer.saved_as:
        steps = answer.effort["steps"]
        lines.append(f"certificate  {answer.saved_as} ({steps} step{'' if steps == 1 else 's'}; accepted by the checker)")
    return [*lines, f"{answer.verdict}  {_listing(answer)}"]


def cycle_text(word: Word, period: int) -> str:
    """Name a cycle: its period and its itinerary.

    >>> cycle_text(("0", "1"), 2), cycle_text(("10",), 1), cycle_text((), 3)
    ('2-cycle 0 1', 'fixed point 10', '3-cycle')
    """
    name = "fixed point" if period == 1 else f"{period}-cycle"
    return f"{name} {word_text(word)}".rstrip()


def word_text(word: Word) -> str:
    """Write an itinerary, cut where it is long."""
    text = " ".join(word)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."


def merged(branches: tuple[ProvedBranch, ...]) -> list[ProvedBranch]:
    """Join branches of one itinerary and one stability that meet."""
    joined: list[ProvedBranch] = []
    for branch in branches:
        last = joined[-1] if joined else None
        if last and (last.itinerary, last.label, last.high, last.period) == (branch.itinerary, branch.label, branch.low, branch.period):
            joined[-1] = replace(last, high=branch.high, cells=last.cells + branch.cells)
        else:
            joined.append(branch)
    return joined


def _network_lines(answer: Bifurcations) -> list[str]:
    about, path = answer.network, answer.path
    states, hinges = about["dimension"], about["hinges"]
    sizes = f"{states} state{'' if states == 1 else 's'}, {hinges} hinge{'' if hinges == 1 else 's'}"
    assumptions = about["assumptions"]
    assumed = [f"assumed      {text}" for text in assumptions] if isinstance(assumptions, list) else []
    return [
        f"network      {about['name']} ({about['model']}, {sizes})",
        f"path         {path['parameter']} from {path['low']} (digest {about['digest']})",
        f"             to {path['high']} (digest {path['end_digest']})",
        *assumed,
    ]


def _event_line(event: ProvedEvent) -> str:
    where = enclosure_text(event.low, event.high)
    exact = f" (exactly {event.closed_form}; not kernel-checked)" if event.closed_form and len(event.closed_form) <= _MOST_DIGITS else ""
    touched = f" at the border of unit {event.unit}, time {event.time}" if event.unit is not None else ""
    who = cycle_text(event.itinerary, event.period)
    sides = f"before: {_side(event.before)}; after: {_side(event.after)}" if event.itinerary else _smooth_sides(event)
    alone = f"; no other of its type in {range_text(*event.reach)}" if event.reach != (event.low, event.high) else ""
    return f"event        {where}{exact}  {_TYPES[event.kind]} of the {who}{touched}; {sides}{alone}"


def _smooth_sides(event: ProvedEvent) -> str:
    """Say what card ``smooth_fold`` proves of a neighbourhood."""
    other = "before" if event.side == "after" else "after"
    named = (("before", event.before), ("after", event.after))
    beside = "".join(f"; proved beside it, {name}: {_side(cycles)}" for name, cycles in named if cycles)
    if event.kind == "fold":
        return f"{event.side}: two such cycles near it; {other}: none near it{beside}"
    return f"{event.side}: its multiplier is below -1; {other}: above -1; cycles of twice the period are born there{beside}"


def _not_complete(answer: Bifurcations) -> str:
    """Say why the list may miss something."""
    reason = answer.why_not_complete
    return reason if reason.startswith("not proved") else f"not proved: {reason}"


def _settled_lines(answer: Bifurcations) -> list[str]:
    """Say of which itineraries every mu of the path is accounted for, and where the others have gaps."""
    gaps = answer.gaps
    closed = [word_text(word) for word, left in gaps.items() if not left]
    shown = "; ".join(closed[:_MOST_WORDS]) + ("; ..." if len(closed) > _MOST_WORDS else "")
    lines = [f"settled      {len(closed)} of {len(gaps)} itineraries for every mu of the path, without a gap: {shown}"] if closed else []
    for word, left in gaps.items():
        if left:
            parts = ", ".join(enclosure_text(*gap) for gap in left[:_MOST_WORDS])
            lines.append(f"gaps         itinerary {word_text(word)}: nothing is proved for mu in {parts}")
    return _capped(lines, "itineraries")


def _side(cycles: tuple[tuple[Word, str | None], ...]) -> str:
    told = [f"{cycle_text(word, len(word))} ({label or 'stability not proved'})" for word, label in cycles]
    return ", ".join(told) or "it does not exist"


def _branch_line(branch: ProvedBranch) -> str:
    label = f"{branch.label} ({branch.inside} inside, {branch.outside} outside)" if branch.label else "stability not proved"
    return f"exists       {range_text(branch.low, branch.high)}  {cycle_text(branch.itinerary, branch.period)}  {label}"


def _absent_line(branch: ProvedBranch) -> str:
    return f"absent       {range_text(branch.low, branch.high)}  {cycle_text(branch.itinerary, branch.period)}"


def _virtual_line(item: Virtual, *, proved: bool) -> str:
    where = f"{float((item.low + item.high) / 2):.12g}"
    why = f"virtual, unit {item.unit} at time {item.time} has the wrong sign"
    said = "proved: no cycle has this itinerary there" if proved else "not kernel-checked"
    return f"virtual      {_WHAT[item.kind]} of itinerary {word_text(item.itinerary)} at {where}: {why} ({said})"


def _cluster_line(item: Cluster) -> str:
    words = "; ".join(word_text(word) for word in item.itineraries[:3]) + ("; ..." if len(item.itineraries) > 3 else "")  # noqa: PLR2004
    who = f"itinerary {words}: " if words else ""
    return f"unresolved   {enclosure_text(item.low, item.high)}  {who}{item.reason}"


def _undecided_line(item: Undecided) -> str:
    who = f" of itinerary {word_text(item.itinerary)}" if item.itinerary else ""
    return f"undecided    {enclosure_text(item.low, item.high)}  {item.what}{who}: {item.reason}"


def _capped(lines: list[str], what: str) -> list[str]:
    return (
        lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], f"... and {len(lines) - _MOST_LINES} more {what} (--json lists all)"]
    )


def _listing(answer: Bifurcations) -> str:
    found, path = answer.found, answer.path
    kinds = Counter(event.kind for event in found.events)
    counts = f"{len(found.events)} event{'' if len(found.events) == 1 else 's'}"
    listed = f" ({', '.join(f'{count} {_TYPES[kind]}' for kind, count in sorted(kinds.items()))})" if kinds else ""
    paths = len(merged(found.branches))
    within = f"of cycles of least period at most {answer.up_to}, {path['parameter']} from {path['low']} to {path['high']}"
    unsure = (
        ", but for flips and complex pairs where stability is not proved"
        if any(item.what == "stability" for item in found.undecided)
        else ""
    )
    tail = f"; complete in the box {_box(answer.box)}{unsure}" if answer.complete and answer.box is not None else "; there may be others"
    gaps = sum(bool(left) for left in answer.gaps.values())
    open_parts = f"; {gaps} itinerar{'y' if gaps == 1 else 'ies'} with gaps" if gaps else ""
    open_parts += f"; {len(found.clusters)} unresolved" if found.clusters else ""
    if answer.verdict == "NotFound" and not found.events and not found.branches:
        return f"no event or branch {within} was proved; that excludes none"
    missing = "completeness was not proved; proved: " if answer.verdict == "NotFound" else ""
    return f"{missing}{counts}{listed} and {paths} stretch{'' if paths == 1 else 'es'} of branches {within}{open_parts}{tail}"


def _box(box: tuple[Fraction, Fraction]) -> str:
    return f"[{box[0]}, {box[1]}]"
