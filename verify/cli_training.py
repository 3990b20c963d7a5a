"""``orbitproof train``: train a piecewise linear recurrent network on a time series, with checkpoints the other verbs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verify.training.run import TrainingRun

_CONFIG = "what to train on what: JSON like examples/train_lorenz.json; RUN_DIR/config.json then lists every key, defaults included"
_OUTPUT = "folder of the run: checkpoints, records, state; default: CONFIG without its ending, in the same place"
_RESUME = "go on with the run in that folder; it ends with the same bytes of parameters"


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help=_CONFIG)],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN_DIR", help=_OUTPUT)] = None,
    resume: Annotated[bool, typer.Option("--resume", help=_RESUME)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> None:
    """Train a network by sparse or generalised teacher forcing and keep checkpoints.

    Exit code 0: trained; 2: a configuration that is refused, or a loss that is no longer a number.
    """
    from verify.cli import _finish
    from verify.progress import shown
    from verify.training.run import train as run

    beside = config.with_suffix("") if config.name else config  # "." has no name, and is no file either
    folder = beside if output is None else output
    with shown(rate=True) as progress:
        done = run(config, folder, resume=resume, progress=progress)
    _finish(as_json_of(done), text_of(done), "Estimate", as_json)


def as_json_of(done: TrainingRun) -> dict[str, object]:
    """Return a finished run as ``--json`` prints it."""
    losses = [record.loss for record in done.metrics]
    return {
        "verdict": "Estimate",
        "directory": str(done.directory),
        "name": done.config.name,
        "model": done.config.model.family,
        "seed": done.config.seed,
        "updates": done.updates,
        "seconds": round(done.seconds, 3),
        "loss": {"first": losses[0], "last": losses[-1], "least": min(losses)},
        "largest_gradient_norm": max(record.gradient_norm for record in done.metrics),
        "alpha": done.metrics[-1].alpha,
        "quality": None if done.quality is None else done.quality.as_json(),
        "checkpoints": [str(one.path) for one in done.checkpoints],
        "config": done.config.as_json(),
    }


def text_of(done: TrainingRun) -> list[str]:
    """Return a finished run as lines of text; the last one is the verdict."""
    config, records = done.config, done.metrics
    sizes = ", ".join(f"{name} = {getattr(config.model, name)}" for name in ("M", "P", "H", "B") if getattr(config.model, name) is not None)
    largest = max(records, key=lambda record: record.gradient_norm)
    rate = f", {done.updates / done.seconds:.0f} updates a second" if done.seconds > 0 else ""
    lines = [
        f"{config.name}: {config.model.family} with {sizes}, {config.model.observation} observation, seed {config.seed}",
        f"data         {config.data.describe()}",
        f"forcing      {_forcing(done)}",
        f"optimiser    {config.optimiser.kind}, rate {config.optimiser.rate:g} to {config.optimiser.final_rate:g}",
        f"updates      {done.updates} in {done.seconds:.1f} s{rate}",
        f"loss         {records[0].loss:.6g} at first, {records[-1].loss:.6g} at last, least {min(one.loss for one in records):.6g}",
        f"gradient     largest norm {largest.gradient_norm:.4g}, after update {largest.update}",
        *_quality(done),
        f"checkpoints  {len(done.checkpoints)} in {done.checkpoints[0].path.parent}, last {done.checkpoints[-1].path.name}",
    ]
    return [*lines, f"Estimate: trained for {done.updates} updates; losses and qualities are floating-point estimates, nothing is proved"]


def _forcing(done: TrainingRun) -> str:
    asked = done.config.forcing
    if asked.kind == "sparse":
        return f"sparse, every {asked.interval} steps"
    if asked.kind == "generalised":
        return f"generalised, rule {asked.rule}, alpha {asked.alpha:g} at first, {done.metrics[-1].alpha:.4g} at last"
    return "none"


def _quality(done: TrainingRun) -> list[str]:
    found = done.quality
    if found is None:
        return []
    free = [f"free run     largest entry {found.largest:.4g}" if found.bounded else "free run     unbounded: it left the floats"]
    if found.state_space is not None:
        free.append(f"             divergence of visited states {found.state_space:.4g} (Kullback-Leibler, binned)")
    if found.spectrum is not None:
        free.append(f"             distance of power spectra {found.spectrum:.4g} (Hellinger, 0 to 1)")
    wrong = "no number" if found.prediction is None else f"{found.prediction:.4g}"
    return [*free, f"             squared error {found.ahead} steps ahead {wrong}"]
