"""A sweep read for one question: whether spectra go with the final loss, and predict it, beyond size and architecture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.errors import Malformed
from verify.lyapunov.correlation import LEAST, Correlation, Interval, correlation, holm
from verify.lyapunov.embedding import Components, Embedding, Settings, embedded, principal_components
from verify.lyapunov.interpolation import LENGTH, Interpolated, interpolated
from verify.lyapunov.prediction import Report, prediction

if TYPE_CHECKING:
    from verify.lyapunov.sweep import Run

Floats = NDArray[np.float64]
WHERE = "study of a sweep"
BY = ("cell", "hidden")
PAIR = 2


@dataclass(frozen=True)
class Entry:
    """A finished run: architecture and size, the stratum, its last exponents and those at an early step, final loss (nats)."""

    run_id: str
    architecture: str
    size: int
    stratum: tuple[object, ...]
    exponents: tuple[float, ...]
    half_widths: tuple[float, ...]
    early: tuple[float, ...]
    dimension: int
    loss: float


@dataclass(frozen=True)
class Link:
    """One summary of the spectra and the loss: over all runs, within strata, and Holm's p-value of the latter over all links.

    ``architecture``: the link is over the runs of this architecture alone.
    """

    name: str
    overall: Correlation
    within: Correlation
    adjusted: float
    architecture: str | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """What a sweep says. ``failed`` runs have no loss and ``bare`` ones no spectrum: both are left out.

    ``after``: predictions from the spectra at the end of training, ``prior``: from those at the step ``early`` (None where some run has
    none); each of the loss and of its differences within strata.
    """

    entries: tuple[Entry, ...]
    failed: int
    bare: int
    spectra: Interpolated
    links: tuple[Link, ...]
    after: tuple[Report, Report]
    prior: tuple[Report, Report] | None
    early: int

    def statement(self) -> str:
        """Say all of it, with every number."""
        strata = len({entry.stratum for entry in self.entries})
        head = f"{len(self.entries)} runs in {strata} strata; left out: {self.failed} diverged, {self.bare} without spectra."
        lines = [head, self.spectra.statement(), f"Links with the final loss (Holm over {len(self.links)}):"]
        for link in self.links:
            lines += [f"  {link.name}: overall {link.overall.statement()}", f"    {link.within.statement()} Holm p = {link.adjusted:.2g}"]
        lines += ["From the spectra at the end of training:", *(report.statement() for report in self.after)]
        if self.prior is not None:
            lines += [f"From the spectra at step {self.early}:", *(report.statement() for report in self.prior)]
        return "\n".join(lines)

    def latent(self, settings: Settings | None = None, seed: int = 0) -> tuple[Embedding, Components]:
        """Return the embedding trained on all runs, and the first principal components of its latent: a picture, not a test."""
        found = embedded(self.spectra.spectra, self._losses, settings, seed)
        return found, principal_components(found.latent(self.spectra.spectra))

    @property
    def _losses(self) -> Floats:
        return np.array([entry.loss for entry in self.entries])


def study(  # noqa: PLR0913
    runs: Sequence[Run] | Path | str,
    *,
    by: Sequence[str] = BY,
    floor: float | None = None,
    length: int = LENGTH,
    settings: Settings | None = None,
    splits: int = 5,
    early: int = 0,
    interval: Interval = "fisher",
    seed: int = 0,
) -> Study:
    """Read a sweep: correlations of summaries with the final loss, and predictions of unseen runs.

    ``runs``: those of a sweep, or its file. ``by``: the names in the configuration that make a stratum, the first the architecture, the
    second the size. ``floor``: what stands for exponents of -inf. ``early``: the step of the spectra that are compared with the last ones.
    **Raises** Malformed: no such names, too few runs, -inf without a floor.
    """
    entries, failed, bare = _entries(runs, tuple(by), early)
    labels, losses = [entry.stratum for entry in entries], [entry.loss for entry in entries]
    sizes = [entry.dimension for entry in entries]
    last = interpolated([entry.exponents for entry in entries], length, floor=floor, sizes=sizes)
    there = all(entry.early for entry in entries)
    first = interpolated([entry.early for entry in entries], length, floor=floor, sizes=sizes) if there else None
    tables = {"end": last} | ({f"step {early}": first} if first is not None else {})
    links = _links(entries, {when: table.spectra for when, table in tables.items()}, interval, seed)

    def predicted(table: Interpolated, within: bool) -> Report:
        return prediction(table.spectra, losses, strata=labels, within=within, splits=splits, settings=settings, seed=seed)

    after = predicted(last, False), predicted(last, True)
    prior = None if first is None else (predicted(first, False), predicted(first, True))
    return Study(entries, failed, bare, last, links, after, prior, early)


def summaries(spectra: Floats) -> dict[str, Floats]:
    """Return what is read from interpolated spectra (runs, length): largest, its distance from 0, mean and smallest, each (runs,).

    >>> {name: values.tolist() for name, values in summaries(np.array([[0.5, -1.0, -4.0]])).items()}
    {'largest': [0.5], 'distance of the largest from 0': [0.5], 'mean': [-1.5], 'smallest': [-4.0]}
    """
    largest = spectra[:, 0]
    return {"largest": largest, "distance of the largest from 0": np.abs(largest), "mean": spectra.mean(axis=1), "smallest": spectra[:, -1]}


def _links(entries: tuple[Entry, ...], tables: dict[str, Floats], interval: Interval, seed: int) -> tuple[Link, ...]:
    """Correlate every summary with the loss, then the largest exponent at the end by architecture (of four runs that share strata)."""
    everything = list(range(len(entries)))
    asked: list[tuple[str, Floats, list[int], str | None]] = [
        (f"{name}, {when}", values, everything, None) for when, table in tables.items() for name, values in summaries(table).items()
    ]
    names = list(dict.fromkeys(entry.architecture for entry in entries))
    counts = Counter(entry.stratum for entry in entries)
    for architecture in names if len(names) > 1 else []:
        rows = [i for i in everything if entries[i].architecture == architecture]
        if sum(counts[entries[i].stratum] > 1 for i in rows) >= LEAST:
            asked.append((f"largest, end, {architecture} alone", tables["end"][:, 0], rows, architecture))
    found = []
    for name, values, rows, kind in asked:
        losses, strata = [entries[i].loss for i in rows], [entries[i].stratum for i in rows]
        overall = correlation(values[rows], losses, interval=interval, seed=seed)
        found.append((name, overall, correlation(values[rows], losses, strata=strata, interval=interval, seed=seed), kind))
    adjusted = holm({name: within.p_value for name, _, within, _ in found})
    return tuple(Link(name, overall, within, adjusted[name], kind) for name, overall, within, kind in found)


def _entries(runs: Sequence[Run] | Path | str, by: tuple[str, ...], early: int) -> tuple[tuple[Entry, ...], int, int]:
    if isinstance(runs, (str, Path)):
        from verify.lyapunov.sweep import read_runs

        runs = read_runs(runs)
    if len(by) < PAIR:
        raise Malformed(where=WHERE, law="strata", expected="two or more names of the configuration", got=str(by))
    failed = [run for run in runs if run.final_loss is None or not isfinite(run.final_loss)]
    kept = [run for run in runs if run.final_loss is not None and isfinite(run.final_loss)]
    found = tuple(_entry(run, run.final_loss or 0.0, by, early) for run in kept if run.records)
    if not found:
        raise Malformed(where=WHERE, law="runs to study", expected="finished runs with spectra", got=f"none of {len(runs)}")
    return found, len(failed), len(kept) - len(found)


def _entry(run: Run, loss: float, by: tuple[str, ...], early: int) -> Entry:
    missing = [name for name in by if name not in run.config]
    size = run.config.get(by[1])
    if missing or not isinstance(size, int):
        expected, got = f"{', '.join(by)}, {by[1]} an integer", ", ".join(map(str, run.config))
        raise Malformed(where=f"{WHERE}, run {run.run_id}", law="configuration", expected=expected, got=got)
    last = run.records[-1]
    first = next((record.exponents for record in run.records[:-1] if record.step == early), ())
    stratum = tuple(run.config[name] for name in by)
    dimension = _dimension(run.config, len(last.exponents))
    return Entry(run.run_id, str(stratum[0]), size, stratum, last.exponents, last.half_widths, first, dimension, loss)


def _dimension(config: dict[str, object], known: int) -> int:
    """Return the size of the full state of a torch layer as configured; without a hidden size, all exponents are taken to be there."""
    hidden, layers = config.get("hidden"), config.get("layers", 1)
    if not (isinstance(hidden, int) and isinstance(layers, int)):
        return known
    return hidden * layers * (2 if config.get("cell") == "lstm" else 1)
