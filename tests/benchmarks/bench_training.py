"""Ten seeds with and without generalised teacher forcing: events of the free-running map, jumps of the loss, and whether they meet.

The task is the ellipse, a cycle of 14 points, learnt by a PLRNN of 5 states with an affine observation (forcing then acts on all states) by
plain gradient descent; a checkpoint every 5 updates. A jump is a loss that more than doubles from one checkpoint to the next, as was
fixed before any run. Events are those of the cycles up to period 3, proved by the kernel. A folder
as argument keeps the runs (and goes on with them); ``--figure FILE`` draws the first seed; ``--every 1 --alphas 0`` looks at every update.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from verify.sampling.statistics import clopper_pearson
from verify.training.comparison import compare, shifted_p_value, table_of
from verify.training.figures import save, tracking_figure
from verify.training.records import Diverged
from verify.training.run import train
from verify.training.track_answers import TYPES, SegmentRecord, Tracking
from verify.training.tracking import Settings, track

ALPHAS = (0.0, 0.1, 0.5)
SEEDS, UPDATES, EVERY, RATE = 10, 200, 5, 0.05
SETTINGS = Settings(up_to=3, budget=5.0, exponents=0, branches=False)


def config(seed: int, alpha: float, updates: int, every: int) -> dict[str, object]:
    """Return one run's configuration."""
    return {
        "name": f"ellipse, alpha {alpha:g}, seed {seed}",
        "seed": seed,
        "model": {"family": "plrnn", "M": 5, "observation": "affine"},
        "data": {"system": "ellipse", "steps": 400},
        "forcing": {"kind": "generalised", "alpha": alpha},
        "training": {"epochs": updates // 10, "batches_per_epoch": 10, "batch_size": 32, "sequence_length": 14},
        "optimiser": {"kind": "gradient_descent", "rate": RATE, "final_rate": RATE},
        "checkpoints": {"every_updates": every},
    }


def tracked(folder: Path, seed: int, alpha: float, updates: int, every: int) -> tuple[Tracking, bool]:
    """Train and track one run; say, too, whether it diverged (its checkpoints before that count)."""
    place = folder / f"alpha_{alpha:g}_seed_{seed}_every_{every}"
    try:
        if not (place / "result.json").exists():
            train(config(seed, alpha, updates, every), place)
    except Diverged:
        return track(place, SETTINGS), True
    return track(place, SETTINGS), False


def main() -> None:
    """Train, track, print."""
    parser = argparse.ArgumentParser(description="ten seeds with and without generalised teacher forcing")
    parser.add_argument("folder", nargs="?", type=Path, help="keep the runs here")
    parser.add_argument("--quick", action="store_true", help="two seeds, 60 updates")
    parser.add_argument("--every", type=int, default=EVERY, help="updates from one checkpoint to the next")
    parser.add_argument("--alphas", type=float, nargs="+", default=ALPHAS, help="the first is what the others are compared with")
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        seeds, updates = (2, 60) if asked.quick else (SEEDS, UPDATES)
        start = process_time()
        runs = {alpha: [tracked(folder, seed, alpha, updates, asked.every) for seed in range(seeds)] for alpha in asked.alphas}
        print(f"{len(runs)} x {seeds} runs of {updates} updates, trained and tracked in {process_time() - start:.0f} s of processor time")
        for alpha, rows in runs.items():
            summary(alpha, [run for run, _ in rows], sum(lost for _, lost in rows))
        first, *others = runs
        plain = [run for run, _ in runs[first]]
        for alpha in others:
            print(f"\nalpha {first:g} against alpha {alpha:g}, seed by seed")
            for pair in compare(plain, [run for run, _ in runs[alpha]], [kind for kind in TYPES if kind not in {"fold", "multiplier_one"}]):
                print(f"  {pair.statement()}")
        largest(folder, first, plain, updates)
        if asked.figure is not None:
            save(tracking_figure([(f"alpha = {alpha:g}", rows[0][0]) for alpha, rows in runs.items()]), asked.figure)


def summary(alpha: float, runs: Sequence[Tracking], lost: int) -> None:
    """Print what one alpha gave: events, jumps, whether they meet, whether the driven map contracts."""
    segments = [segment for run in runs for segment in run.segments]
    jumps = [jump for run in runs for jump in run.jumps()]
    counts = Counter(event.type for segment in segments for event in segment.events)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    print(f"\nalpha {alpha:g}: {len(segments)} segments, {lost} runs diverged")
    print(f"  events of the free-running map: {told}; {sum(s.proved for s in segments)} proved")
    print(f"  places not resolved (on a checkpoint itself, or refused by the checker): {sum(run.unresolved for run in runs)}")
    print(f"  segments with an event {share(sum(bool(segment.events) for segment in segments), len(segments))}")
    print(f"  segments with a jump   {share(sum(jumps), len(jumps))}")
    if any(jumps):
        print(f"  {table_of(runs).statement()}; cyclic shifts, one-sided, p = {shifted_p_value(runs):.2g}")
    norms = [record.forced_norm for run in runs for record in run.checkpoints if record.forced_norm is not None]
    print(f"  the driven training map contracts ((1 - alpha) max |J| < 1) at {share(sum(norm < 1 for norm in norms), len(norms))}")
    gradients(runs)


def gradients(runs: Sequence[Tracking]) -> None:
    """Print the median, over segments, of the largest gradient norm within, by what happens there."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for segment in run.segments:
            for kind in {event.type for event in segment.events} or {"no event"}:
                found.setdefault(kind, []).append(max(gradient_norms(run, segment)))
    rows = [f"{kind} {np.median(norms):.3g} ({len(norms)})" for kind, norms in sorted(found.items())]
    print(f"  median of the largest gradient norm of a segment: {', '.join(rows)}")


def gradient_norms(run: Tracking, segment: SegmentRecord) -> list[float]:
    """Return the gradient norms of the updates of a segment, its two ends among them."""
    return [float(line["gradient_norm"]) for line in run.metrics if segment.first <= line["update"] <= segment.last]


def largest(folder: Path, alpha: float, runs: Sequence[Tracking], updates: int) -> None:
    """Print the largest jump that has an event, and the same stretch again with a checkpoint at every update."""
    found = [
        (ratio, seed, segment)
        for seed, run in enumerate(runs)
        for segment, jump, ratio in zip(run.segments, run.jumps(), run.ratios(), strict=True)
        if jump and ratio is not None and segment.events
    ]
    if not found:
        print("\nno jump has an event")
        return
    ratio, seed, coarse = max(found, key=lambda item: item[0])
    print(f"\nthe largest jump with an event: alpha {alpha:g}, seed {seed}, updates {coarse.first} to {coarse.last}, loss x {ratio:.4g}")
    told(runs[seed], coarse)
    place = folder / f"alpha_{alpha:g}_seed_{seed}_every_1"
    if not (place / "result.json").exists():
        train(config(seed, alpha, updates, 1), place)
    fine = track(place, replace(SETTINGS, branches=True, low=coarse.first, high=coarse.last))
    print("update by update, where the straight line is the gradient step itself:")
    for segment, step in zip(fine.segments, fine.ratios(), strict=True):
        print(f"  {segment.first} to {segment.last}: loss x {step:.4g}")
        told(fine, segment)


def told(run: Tracking, segment: SegmentRecord) -> None:
    """Print the gradient norms of a segment, and its events with their exact places."""
    print(f"    gradient norms {', '.join(f'{norm:.4g}' for norm in gradient_norms(run, segment))}")
    for event in segment.events:
        low, high = event.parameter
        gate = "" if event.unit is None else f", unit {event.unit} at time {event.time}"
        place = f"at ({float(low):.13f}, {float(high):.13f})"
        proof = f"proved by {event.theorem}" if event.theorem else "not proved"
        print(f"    {event.type} of the cycle {' '.join(event.itinerary)}{gate}, exists {event.side or 'on both sides'}, {place}: {proof}")


def share(hits: int, total: int) -> str:
    """Return a share with its Clopper-Pearson interval."""
    low, high = clopper_pearson(hits, 0, total)
    return f"{hits} of {total} (95 % {low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
