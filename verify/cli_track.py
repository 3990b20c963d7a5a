"""``orbitproof track``: cycles, stability and exponents along a training run, and the proved events between its checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proofs.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.training.track_answers import Tracking
    from verify.training.tracking import Settings

_AGAINST = "a second run, tracked in the same way and drawn beside the first"
_EVERY = "of the checkpoints in range only each N-th, and the last"
_OUTPUT = "folder for records and certificates; default RUN_DIR/tracking. What is there already is not done again"
_BUDGET = "time for each search, of a checkpoint and of a segment"
RunFolder = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="folder of a training run, as orbitproof train writes it")]


def track(  # noqa: PLR0913 - an option is a parameter
    run: RunFolder,
    *,
    up_to: Annotated[int, typer.Option("--up-to", metavar="K", min=1, help="largest least period of cycles")] = 4,
    every: Annotated[int, typer.Option("--every", metavar="N", min=1, help=_EVERY)] = 1,
    low: Annotated[int | None, typer.Option("--from", metavar="U", min=0, help="first update")] = None,
    high: Annotated[int | None, typer.Option("--to", metavar="U", min=0, help="last update")] = None,
    against: Annotated[Path | None, typer.Option("--against", metavar="RUN_DIR2", help=_AGAINST)] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="draw the run: .svg .png .pdf")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help=_OUTPUT)] = None,
    budget: Annotated[float, typer.Option("--budget", min=0.0, metavar="SECONDS", help=_BUDGET)] = 10.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the searches and of the exponents' starting states")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> None:
    """Track a training run: cycles and exponents at its checkpoints (estimates), exact events between them (proved where it says so).

    In the table, forced is the largest norm of the teacher-forced map's Jacobian (below 1 it contracts), exponent the largest one of the
    network running freely. Interrupt it at any time: what is done is kept, and the same command goes on from there.
    """
    from verify.cli import _finish
    from verify.progress import shown
    from verify.training.track_answers import track_text
    from verify.training.tracking import Settings

    settings = Settings(up_to=up_to, budget=budget, seed=seed, every=every, low=low, high=high)
    _refuse_odd(run, against, output, figure)
    with shown() as progress:
        one = _tracked(run, settings, output, "first", against, progress)
        two = None if against is None else _tracked(against, settings, output, "second", run, progress)
    runs = [one] if two is None else [one, two]
    if figure is not None:
        runs = _drawn(runs, figure)
    lines = track_text(runs[0]) if two is None else [*track_text(runs[0]), "", *track_text(runs[1])]
    content = runs[0].as_json() if two is None else runs[0].as_json() | {"against": runs[1].as_json()}
    proved = all(each.verdict == "Proved" for each in runs)
    _finish(content, lines, "Proved" if proved else "Estimate", as_json)


def _tracked(
    run: Path,
    settings: Settings,
    output: Path | None,
    name: str,
    other: Path | None,
    progress: Callable[[str, int, int], None] | None,
) -> Tracking:
    """Track one run; of two, each has a folder of its own below ``output``."""
    from verify.training.tracking import track as run_tracking

    place = output if output is None or other is None else output / name
    return run_tracking(run, settings, output=place, progress=progress)


def _drawn(runs: list[Tracking], figure: Path) -> list[Tracking]:
    from verify.training.figures import save, tracking_figure

    names = [run.name for run in runs]
    save(tracking_figure(list(zip(names, runs, strict=True))), figure)
    return [replace(runs[0], figure=str(figure)), *runs[1:]]


def _refuse_odd(run: Path, against: Path | None, output: Path | None, figure: Path | None) -> None:
    """Refuse what could not be done in the end. **Raises** Malformed."""
    from verify.certification.files import refuse_folder, refuse_kind

    if against is not None and against.resolve() == run.resolve():
        raise Malformed(where="--against", law="two runs", expected="another run's folder", got="the same folder")
    if output is not None and output.exists() and not output.is_dir():
        raise Malformed(where=str(output), law="records go to a folder", expected="a folder, or a new name", got="a file")
    if figure is not None:
        refuse_folder(figure)
        refuse_kind(figure)
