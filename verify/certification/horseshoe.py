"""A covering graph that floats suggest becomes a proof of chaos: card B5, then B8.

Strips are spelled in short dyadics; those that would not be told apart are left out, the longer first, and so is each that the checker
refuses. The best strong component of what is left gets weights and a rate, rounded down until every box grows by at least that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, exp, log2
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Rejected
from proofs.space import CoveringGraph
from proofs.theorems.lifted import live_hinges
from verify.candidates import Covering, Slab, Strip
from verify.center import without_radius
from verify.certification.draft import Draft, in_short, spelled
from verify.certification.polish import polished
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.growth import best_component, log_growth, weights_at
from verify.numerics.strips import shortened, told_apart

if TYPE_CHECKING:
    from proofs.claims import Claim
    from proofs.network import Network

OFFSET_BITS = 14  # to which the image of a strip keeps its place in units of the box it crosses
WEIGHT_BITS = 40
RATE_BITS = 40  # of the rate, and how far below the float one it starts; fewer and fewer until it is proved
SPARE_BITS = 64
MAX_BITS = 20_000
RETRIES = 24
_PATH = re.compile(r"path (\d+)")


@dataclass(frozen=True)
class Proof:
    """The steps that prove chaos, with what they claim."""

    entropy: tuple[int, CoveringGraph]
    chaos: tuple[int, Claim]


def prove_horseshoe(draft: Draft, covering: Covering) -> Proof | str:
    """Add B5 for as much of the covering graph as the checker accepts, and B8; or say why nothing is left.

    **Guarantee:** exact: both steps have been checked. Nothing is added where a reason is returned.
    """
    strips = _apart(covering, [_shortened(strip) for strip in covering.strips])
    refused, retried = "", set[int]()
    for _ in range(RETRIES):
        graph = best_component([(strip.start, strip.end, strip.steps) for strip in strips])
        if graph is None:
            break
        boxes, kept = graph
        chosen = sorted((strips[i] for i in kept), key=lambda strip: (strip.start, strip.itinerary or (), strip.end))
        witness = _witness(draft, covering, boxes, chosen)
        if witness is None:
            return "the growth rate of the strips is 1 to within rounding"
        try:
            number, claim = draft.add("covering_graph", witness)
        except Rejected as failure:
            refused = f"; the checker refused a strip: {in_short(failure)}"
            guilty = _PATH.search(failure.expected)
            if guilty is None:
                break
            bad = chosen[int(guilty[1]) - 1]
            better = _again(draft, covering, bad) if id(bad) not in retried and failure.law.endswith("check 4") else None
            strips = [strip for strip in strips if strip is not bad]
            strips = strips if better is None else _apart(covering, [*strips, better])
            retried.add(id(better))
            continue
        if isinstance(claim, CoveringGraph):
            return Proof((number, claim), draft.add("entropy_gives_scrambling", {}, [number]))
    return f"the strips that are left do not make entropy{refused}"


def _again(draft: Draft, covering: Covering, strip: Strip) -> Strip | None:
    """Solve a strip again, exactly; None where that cannot be done or what comes out does not fit into its slab."""
    if strip.itinerary is None:
        return None
    slabs = (covering.slabs[strip.start], covering.slabs[strip.end])
    better = polished(without_radius(draft.network), slabs, strip, _bits(draft, [strip]))
    if better is None or not np.isfinite(better.width).all():
        return None
    better = _shortened(better)
    reach = np.abs(better.offset) + np.abs(better.width).sum(axis=1) + np.abs(better.tilt).sum(axis=1)
    return better if reach.max() < 1.0 else None


def _shortened(strip: Strip) -> Strip:
    """Round a strip so little that its image stays in place."""
    unit = 2.0**-OFFSET_BITS / (np.linalg.norm(np.linalg.inv(strip.width), np.inf) * (1 + strip.tilt.shape[1]))
    offset, width, tilt = (shortened(part, float(unit)) for part in (strip.offset, strip.width, strip.tilt))
    return replace(strip, offset=offset, width=width, tilt=tilt)


def _apart(covering: Covering, strips: Iterable[Strip]) -> list[Strip]:
    """Leave out strips until any two of one slab are told apart, by their letters or by a form; the shorter stay."""
    groups: dict[int, list[Strip]] = defaultdict(list)
    for strip in strips:
        groups[strip.start].append(strip)
    return [strip for start, group in sorted(groups.items()) for strip in _first_apart(covering.slabs[start], group)]


def _first_apart(slab: Slab, group: list[Strip]) -> list[Strip]:
    kept: list[Strip] = []
    by_word: dict[tuple[str, ...], list[Strip]] = defaultdict(list)  # every beginning of a kept strip's word, while words are few
    lengths: set[int] = set()
    for strip in sorted(group, key=lambda strip: (strip.steps, len(strip.itinerary or ()), strip.itinerary or ())):
        word = strip.itinerary
        rivals = kept if word is None else [other for length in lengths if length <= len(word) for other in by_word[word[:length]]]
        rivals = rivals if word is None else [*rivals, *by_word.get((), [])]
        if all(told_apart(slab, strip, other) for other in rivals):
            kept.append(strip)
            by_word[word or ()].append(strip)
            lengths.add(len(word or ()))
    return kept


def _witness(draft: Draft, covering: Covering, boxes: Sequence[int], strips: Sequence[Strip]) -> dict[str, object] | None:
    place = {box: i for i, box in enumerate(boxes)}
    edges = [(place[strip.start], place[strip.end], strip.steps) for strip in strips]
    growth = _weights(edges, len(boxes))
    if growth is None:
        return None
    weights, rate = growth
    slabs, idle = [covering.slabs[box] for box in boxes], _idle(draft.network)
    witness: dict[str, object] = {
        "unstable": covering.unstable,
        "boxes": [{"center": _spelled(slab.center), "basis": [_spelled(row) for row in slab.basis]} for slab in slabs],
        "paths": [_path(strip, edge, idle) for strip, edge in zip(strips, edges, strict=True)],
        "weights": spelled(weights),
        "rate": spelled([rate])[0],
        "bits": _bits(draft, strips),
    }
    if any(slab.forms is not None for slab in slabs):
        witness["forms"] = [[_spelled(form) for form in slab.forms] if slab.forms is not None else [] for slab in slabs]
    return witness


def _idle(network: Network) -> list[bool]:
    """Say for each hinge whether it counts within the radius only: then its letters are left open."""
    if network.is_exact or not network.is_piecewise_linear:
        return [False] * network.hinges
    live = set(live_hinges(without_radius(network)))
    return [hinge not in live for hinge in range(network.hinges)]


def _either(letter: str, idle: bool) -> str:
    return "?" if idle else letter


def _path(strip: Strip, edge: tuple[int, int, int], idle: Sequence[bool]) -> dict[str, object]:
    content: dict[str, object] = {
        "from": edge[0],
        "to": edge[1],
        "steps": strip.steps,
        "offset": _spelled(strip.offset),
        "width": [_spelled(row) for row in strip.width],
    }
    if strip.tilt.shape[1]:
        content |= {"tilt": [_spelled(row) for row in strip.tilt], "height": _spelled(np.array([strip.height]))[0]}
    return (
        content
        if strip.itinerary is None
        else {**content, "itinerary": ["".join(map(_either, pattern, idle)) for pattern in strip.itinerary]}
    )


def _spelled(values: Floats) -> list[str]:
    return spelled(Fraction(value) for value in values.tolist())


def _bits(draft: Draft, strips: Sequence[Strip]) -> int:
    """Return a working precision at which the rounding of the maps along the longest words stays far below the strips' widths."""
    network = FloatNetwork(draft.network)
    worst = 0.0
    known: dict[str, Floats] = {}
    for strip in strips:
        vector, total = np.ones(network.dimension), 0.0
        for pattern in (strip.itinerary or ())[::-1]:
            if pattern not in known:
                known[pattern] = np.abs(network.pieces(np.array([[letter == "1" for letter in pattern]]))[0][0])
            vector = known[pattern].T @ vector + 1.0
            size = float(vector.max())
            vector, total = vector / size, total + log2(size)
        worst = max(worst, total)
    return min(MAX_BITS, SPARE_BITS + ceil(worst / 32) * 32)


def _weights(edges: Sequence[tuple[int, int, int]], count: int) -> tuple[list[Fraction], Fraction] | None:
    """Return weights and a rate that satisfy the last check of the card exactly."""
    growth = log_growth(edges, count)
    for bits in range(RATE_BITS, 5, -4):
        rate = Fraction(int(exp(growth) * (1.0 - 2.0**-bits) * 2**bits), 2**bits)
        if rate <= 1:
            continue
        vector = weights_at(edges, count, float(rate))
        weights = [max(1, round(value * 2**WEIGHT_BITS)) * Fraction(1, 2**WEIGHT_BITS) for value in vector.tolist()]
        if _grows(edges, weights, rate):
            return weights, rate
    return None


def _grows(edges: Sequence[tuple[int, int, int]], weights: Sequence[Fraction], rate: Fraction) -> bool:
    totals: dict[int, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for start, end, steps in edges:
        totals[start][steps] += weights[end]
    longest = max(steps for _, _, steps in edges)
    powers = [rate**0]
    for _ in range(longest):
        powers.append(powers[-1] * rate)
    return all(
        sum((total * powers[longest - steps] for steps, total in totals[box].items()), Fraction(0)) >= weight * powers[longest]
        for box, weight in enumerate(weights)
    )
