"""What the tracking of a training run keeps of each checkpoint and of each segment between two, and what it says in the end.

Cycles, stability and exponents of a checkpoint are estimates in floats. An event of a segment has a theorem where the kernel accepted it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from proofs.errors import Malformed

SHOWN = 24  # events printed
JUMP = 2.0  # a loss that grows by more than this factor from one checkpoint to the next
TYPES = ("border_collision", "to_infinity", "multiplier_one", "flip", "complex_pair", "fold")


@dataclass(frozen=True)
class CycleRecord:
    """A cycle that floats found: least period, itinerary, its first point (M,), the largest multiplier's modulus, multipliers outside."""

    period: int
    itinerary: tuple[str, ...] | None
    point: tuple[float, ...]
    radius: float
    outside: int

    @property
    def stability(self) -> str:
        """Say what the multipliers say: stable, saddle, or repelling."""
        return "stable" if self.outside == 0 else "repelling" if self.outside == len(self.point) else "saddle"


@dataclass(frozen=True)
class CheckpointRecord:
    """What was estimated of one checkpoint; ``loss`` and ``gradient_norm`` are the run's own records of these parameters.

    ``exponents``: value and half width of the 95 % interval, nats per step, largest first; empty with ``escaped`` told where the orbit
    diverges. ``forced_norm``: the largest spectral norm over all patterns of the Jacobian of the driven training map (states forced with
    ``alpha`` before the step); below 1 that map contracts, whatever the free model does. None where there are too many patterns.
    """

    update: int
    digest: str
    loss: float | None
    gradient_norm: float | None
    alpha: float | None
    cycles: tuple[CycleRecord, ...]
    saturated: bool
    exponents: tuple[tuple[float, float], ...]
    escaped: str = ""
    forced_norm: float | None = None

    @property
    def by_period(self) -> dict[int, int]:
        """Return the number of cycles of each period that has any."""
        return dict(sorted(Counter(cycle.period for cycle in self.cycles).items()))

    @property
    def stable(self) -> int:
        """Return how many of them are stable."""
        return sum(cycle.outside == 0 for cycle in self.cycles)


@dataclass(frozen=True)
class EventRecord:
    """One event on the straight line between two checkpoints, at exactly one share of the way in ``parameter`` (0 the first checkpoint).

    ``side``: where the cycle exists, "before" or "after"; None on both sides. ``partners``: itineraries that meet it there, each with its
    side, which may be "never". ``stable``: whether one of these cycles is proved stable before it, and after it (None: nothing is proved
    of their stability). ``theorem``: of the certificate's step that proves it; None: found, not proved.
    """

    type: str
    parameter: tuple[Fraction, Fraction]
    itinerary: tuple[str, ...]
    unit: int | None = None
    time: int | None = None
    side: str | None = None
    partners: tuple[tuple[tuple[str, ...], str], ...] = ()
    stable: tuple[bool | None, bool | None] = (None, None)
    theorem: str | None = None

    @property
    def share(self) -> float:
        """Return the middle of the enclosure."""
        return float((self.parameter[0] + self.parameter[1]) / 2)

    @property
    def period(self) -> int:
        """Return the period."""
        return len(self.itinerary)


@dataclass(frozen=True)
class SegmentRecord:
    """What happens between two consecutive checkpoints; the line between them is a chord where the run made several updates."""

    first: int
    last: int
    digests: tuple[str, str]
    events: tuple[EventRecord, ...]
    branches: int
    unresolved: tuple[str, ...] = ()
    virtual: int = 0
    certificate: str | None = None
    seconds: float = 0.0

    @property
    def proved(self) -> int:
        """Return how many of the events are proved."""
        return sum(event.theorem is not None for event in self.events)

    def update_of(self, event: EventRecord) -> float:
        """Return the place of an event on the axis of updates."""
        return self.first + event.share * (self.last - self.first)


@dataclass(frozen=True)
class Tracking:
    """All of a run: checkpoints, the segments between them, and the run's own metrics (one object an update)."""

    name: str
    folder: str
    settings: Mapping[str, object]
    checkpoints: tuple[CheckpointRecord, ...]
    segments: tuple[SegmentRecord, ...]
    metrics: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    figure: str | None = None

    @property
    def events(self) -> int:
        """Return the number of events."""
        return sum(len(segment.events) for segment in self.segments)

    @property
    def proved(self) -> int:
        """Return how many of them are proved."""
        return sum(segment.proved for segment in self.segments)

    @property
    def unresolved(self) -> int:
        """Return how much was left open: events that the kernel refused or that no card covers, branches not proved, searches cut short."""
        return sum(len(segment.unresolved) for segment in self.segments)

    @property
    def verdict(self) -> str:
        """Return Proved where there are events and all are proved, else Estimate."""
        return "Proved" if self.events and self.proved == self.events else "Estimate"

    def ratios(self) -> list[float | None]:
        """Return for each segment the loss at its end over the loss at its start; None where one is not known."""
        losses = [record.loss for record in self.checkpoints]
        return [_ratio(one, two) for one, two in pairwise(losses)]

    def jumps(self, factor: float = JUMP) -> list[bool]:
        """Say for each segment whether the loss grows by more than ``factor`` across it, or is lost (infinite, not a number)."""
        return [ratio is not None and not ratio <= factor for ratio in self.ratios()]

    def as_json(self) -> dict[str, object]:
        """Return what ``--json`` prints."""
        jumps = self.jumps()
        segments = [as_plain(one) | {"jump": jump} for one, jump in zip(self.segments, jumps, strict=True)]
        return {
            "verdict": self.verdict,
            "run": self.name,
            "folder": self.folder,
            "settings": dict(self.settings),
            "checkpoints": [as_plain(one) for one in self.checkpoints],
            "segments": segments,
            "events": self.events,
            "events_proved": self.proved,
            "unresolved": self.unresolved,
            "events_by_type": dict(sorted(Counter(event.type for one in self.segments for event in one.events).items())),
            "jumps": sum(jumps),
            "figure": self.figure,
        }


def _ratio(one: float | None, two: float | None) -> float | None:
    if one is None or two is None or not math.isfinite(one):
        return None
    return two / one if one > 0 else None


def as_plain(record: CheckpointRecord | SegmentRecord) -> dict[str, object]:
    """Return a record as JSON writes it: exact numbers as strings p/q, what is not finite as a string."""
    plain = {name: _plain(value) for name, value in vars(record).items()}
    if isinstance(record, CheckpointRecord):
        extra = {"cycles_by_least_period": {str(k): n for k, n in record.by_period.items()}, "stable": record.stable}
        return plain | extra
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, CycleRecord | EventRecord):
        return {name: _plain(part) for name, part in vars(value).items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def checkpoint_of(content: Mapping[str, Any], where: str) -> CheckpointRecord:
    """Read a checkpoint's record back. **Raises** Malformed."""
    try:
        cycles = tuple(
            CycleRecord(each["period"], _word(each["itinerary"]), _floats(each["point"]), float(each["radius"]), each["outside"])
            for each in content["cycles"]
        )
        exponents = tuple((float(value), float(half)) for value, half in content["exponents"])
        one, two, three, norm = (_float(content[name]) for name in ("loss", "gradient_norm", "alpha", "forced_norm"))
        return CheckpointRecord(
            content["update"], content["digest"], one, two, three, cycles, content["saturated"], exponents, content["escaped"], norm
        )
    except (KeyError, TypeError, ValueError) as failure:
        raise _damaged(where, failure) from failure


def segment_of(content: Mapping[str, Any], where: str) -> SegmentRecord:
    """Read a segment's record back. **Raises** Malformed."""
    try:
        events = tuple(
            EventRecord(
                each["type"], (Fraction(each["parameter"][0]), Fraction(each["parameter"][1])), tuple(each["itinerary"]),
                each["unit"], each["time"], each["side"], tuple((tuple(word), str(side)) for word, side in each["partners"]),
                (each["stable"][0], each["stable"][1]), each["theorem"],
            )
            for each in content["events"]
        )  # fmt: skip
        digests = (str(content["digests"][0]), str(content["digests"][1]))
        return SegmentRecord(
            content["first"], content["last"], digests, events, content["branches"], tuple(content["unresolved"]),
            content["virtual"], content["certificate"], content["seconds"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as failure:
        raise _damaged(where, failure) from failure


def _word(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _float(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _damaged(where: str, failure: Exception) -> Malformed:
    got = f"{type(failure).__name__}: {failure}"
    return Malformed(where=where, law="a record of tracking", expected="the fields that tracking writes", got=got, remedy="remove the file")


def track_text(found: Tracking) -> list[str]:
    """Return the lines that ``orbitproof track`` prints: a row a checkpoint, the events between, the verdict last."""
    lines = [f"{found.name}: {len(found.checkpoints)} checkpoints, cycles up to period {found.settings['up_to']} (estimates)", ""]
    lines += [f"{'update':>8} {'loss':>11} {'|gradient|':>11} {'alpha':>7} {'forced':>8} {'exponent':>15}  cycles by period (stable)"]
    lines += [_row(record) for record in found.checkpoints]
    jumps, ratios = found.jumps(), found.ratios()
    if any(jumps):
        lines += ["", f"jumps: the loss grows by more than {JUMP:g} from one checkpoint to the next"]
        rows = zip(found.segments, jumps, ratios, strict=True)
        lines += [_jump(segment, ratio) for segment, jump, ratio in rows if jump and ratio is not None]
    lines += ["", "events on the straight lines between checkpoints"]
    told = [(segment, event) for segment in found.segments for event in segment.events]
    lines += [_event(segment, event) for segment, event in told[:SHOWN]] or ["  none found"]
    lines += [f"  ... and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    unresolved = [f"  {s.first} to {s.last}: {text}" for s in found.segments for text in s.unresolved]
    lines += ["", "not resolved, not guessed", *unresolved[:SHOWN]] if unresolved else []
    lines += [f"  ... and {len(unresolved) - SHOWN} more"] if len(unresolved) > SHOWN else []
    return [*lines, "", *([f"figure: {found.figure}"] if found.figure else []), *_verdict(found)]


def _row(record: CheckpointRecord) -> str:
    exponent = record.escaped and "escapes"
    if record.exponents:
        value, half = record.exponents[0]
        exponent = f"{value:+.4f} ± {half:.2g}"
    cycles = ", ".join(f"{k}: {n}" for k, n in record.by_period.items()) or "none found"
    numbers = f"{_short(record.loss):>11} {_short(record.gradient_norm):>11} {_short(record.alpha, '.3g'):>7}"
    numbers += f" {_short(record.forced_norm):>8}"
    return f"{record.update:>8} {numbers} {exponent:>15}  {cycles} ({record.stable})"


def _short(value: float | None, form: str = ".4g") -> str:
    return "-" if value is None else format(value, form)


def _jump(segment: SegmentRecord, ratio: float) -> str:
    types = Counter(event.type for event in segment.events)
    told = ", ".join(f"{count} {name}" for name, count in sorted(types.items())) or "no event found"
    return f"  {segment.first} to {segment.last}: loss x {ratio:.4g}; {told}"


def _event(segment: SegmentRecord, event: EventRecord) -> str:
    low, high = event.parameter
    narrow = high - low < Fraction(1, 10**9)
    place = f"{event.share:.12f}" if narrow else f"[{float(low):.12g}, {float(high):.12g}]"
    word = " ".join(event.itinerary)
    word = word if len(word) <= 60 else f"{word[:57]}..."  # noqa: PLR2004 - a line's width
    gate = "" if event.unit is None else f", unit {event.unit} at time {event.time}"
    side = ("" if event.side is None else f", exists {event.side}") + _partners(event)
    proof = f"proved by {event.theorem}" if event.theorem else "found, not proved"
    return f"  {segment.first} to {segment.last} at {place}: {event.type}, period {event.period} ({word}){gate}{side}; {proof}"


def _partners(event: EventRecord) -> str:
    """Say what meets the cycle there, and what becomes of stability."""
    met = [f"; meets period {len(word)}, which exists {side}" for word, side in event.partners if side != "never"]
    change = "; stability is lost" if event.stable == (True, False) else "; becomes stable" if event.stable == (False, True) else ""
    return "".join(met) + change


def _verdict(found: Tracking) -> list[str]:
    if not found.events:
        count = len(found.segments)
        left = f"; not resolved: {found.unresolved}, see above" if found.unresolved else ""
        return [f"Estimate  no event was found on {count} segments{left}; none is excluded"]
    where = f"certificates in {found.folder}" if found.proved else "none has a certificate"
    left = f"; not resolved: {found.unresolved}, see above" if found.unresolved else ""
    return [f"{found.verdict}  {found.proved} of {found.events} events between checkpoints are proved{left}; {where}"]
