"""``orbitproof bifurcations``: events of cycles along a path of networks, or regions over a plane of two entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proofs.errors import Malformed

if TYPE_CHECKING:
    from fractions import Fraction

    from verify.loading import Loaded
    from verify.paths import Path as Line

_NETWORKS = "one network with --vary, or two of one shape: the path is the straight line of weights from A (mu = 0) to B (mu = 1)"
_VARY = "one stored entry that moves, indices from 0, such as 'W[0,0]=-6:2' or 'A[1]=0.5:3/2'; given twice: the plane of both"
_COMPLETE = "ask for the proof that there are no other cycles inside the box, at any mu"
_BOX = "the box of --complete: each coordinate in [LO, HI]"
_FIGURE = "draw the diagram of the path, or the plane of two entries: .svg .png .pdf"
_MOST_ENTRIES = 2
Networks = Annotated[list[str], typer.Argument(metavar="A B | NETWORK", help=_NETWORKS)]
Vary = Annotated[list[str] | None, typer.Option("--vary", metavar="NAME[i,j]=LO:HI", help=_VARY)]
UpTo = Annotated[int, typer.Option("--up-to", min=1, metavar="K", help="largest least period")]
Box = Annotated[tuple[str, str] | None, typer.Option("--box", metavar="LO HI", help=_BOX)]
Model = Annotated[str | None, typer.Option("--model", help="the network's family, such as plrnn, alrnn")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="what the file does not say, such as P=2")]


def bifurcations(  # noqa: PLR0913 - an option is a parameter
    networks: Networks,
    *,
    vary: Vary = None,
    up_to: UpTo = 4,
    complete: Annotated[bool, typer.Option("--complete", help=_COMPLETE)] = False,
    box: Box = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="networks along the path that are searched for cycles")] = 9,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="write the certificate here")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help=_FIGURE)] = None,
    model: Model = None,
    settings: Settings = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="seed of the search")] = 0,
    budget: Annotated[
        float, typer.Option("--budget", min=0.0, metavar="SECONDS", help="time for the search, and as much for proofs")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> None:
    """Prove which bifurcations cycles undergo along a path of networks: where, of which type, and what exists on either side.

    Exit code 0: events or branches were proved (with --complete: and that there are no other cycles in the box); 3: they were not.
    """
    from verify.certification.files import refuse_folder
    from verify.cli import _finish, _number, _refuse_overwriting

    moving = vary or []
    _refuse_odd(networks, moving, figure)
    _refuse_for_plane(moving, complete=complete, box=box)
    for written in (output, figure):
        if written is not None:
            refuse_folder(written)
        for read in networks:
            _refuse_overwriting(read, written)
    loaded = [_loaded(network, model, settings) for network in networks]
    limits = None if box is None else (_number(box[0], "--box"), _number(box[1], "--box"))
    if len(moving) == _MOST_ENTRIES:
        content, lines, verdict = _plane(loaded[0], moving, (up_to, budget), output, figure)
    else:
        files = (output, figure)
        content, lines, verdict = _path(_line(loaded, moving), (up_to, samples, budget, seed), limits, files, complete=complete)
    _finish(content, lines, verdict, as_json)


def _path(
    line: Line,
    wishes: tuple[int, int, float, int],
    box: tuple[Fraction, Fraction] | None,
    files: tuple[Path | None, Path | None],
    *,
    complete: bool,
) -> tuple[dict[str, object], list[str], str]:
    from verify.bifurcation_answers import bifurcations_text
    from verify.certification.bifurcations import bifurcations as run
    from verify.progress import shown

    up_to, samples, budget, seed = wishes
    output, figure = files
    with shown() as progress:
        answer = run(
            line, up_to=up_to, box=box, complete=complete, samples=samples, budget=budget, seed=seed, output=output, progress=progress
        )
    lines, drawn = bifurcations_text(answer), None
    if figure is not None:
        from verify.parameters.diagram import diagram, save

        drawn = str(save(diagram(answer, line), figure))
        lines.insert(-1, f"figure       {drawn} (curves are floats inside proved ranges)")
    return answer.as_json() | {"figure": drawn}, lines, answer.verdict


def _plane(
    loaded: Loaded, moving: list[str], wishes: tuple[int, float], output: Path | None, figure: Path | None
) -> tuple[dict[str, object], list[str], str]:
    from verify.parameters.plane import plane
    from verify.progress import shown

    with shown() as progress:
        found = plane(loaded, *moving, up_to=wishes[0], budget=wishes[1], progress=progress)
    found = found.saved(output) if output is not None and found.verdict == "Proved" else found
    lines, drawn = found.lines(), None
    if figure is not None:
        from verify.parameters.figures import plane_figure
        from verify.sampling.canvas import save

        drawn = str(save(plane_figure(found), figure))
        lines.append(f"figure: {drawn}")
    if not lines[-1].startswith(found.verdict):
        cells, pieces = len(found.regions.settled), len(found.marched.tubes)
        lines.append(f"{found.verdict}  {cells} cells and {pieces} pieces of boundary curves over {', '.join(moving)}; the rest is open")
    return found.as_json() | {"figure": drawn}, lines, found.verdict


def _line(loaded: list[Loaded], moving: list[str]) -> Line:
    from verify.paths import between, vary

    return vary(loaded[0], moving[0]) if moving else between(loaded[0], loaded[1])


def _loaded(network: str, model: str | None, settings: list[str] | None) -> Loaded:
    from verify.cli import _loaded as load

    return load(network, model, settings)


def _refuse_odd(networks: list[str], moving: list[str], figure: Path | None) -> None:
    """Refuse options that do not go together. **Raises** Malformed."""
    expected = "NETWORK with one or two --vary, or two networks without"
    if (len(networks), bool(moving)) not in {(1, True), (2, False)} or len(moving) > _MOST_ENTRIES:
        got = f"{len(networks)} network{'' if len(networks) == 1 else 's'}, {len(moving)} --vary"
        raise Malformed(where="bifurcations", law="a path or a plane", expected=expected, got=got)
    if figure is not None:
        from verify.certification.files import refuse_kind

        refuse_kind(figure)


def _refuse_for_plane(moving: list[str], *, complete: bool, box: tuple[str, str] | None) -> None:
    if len(moving) == _MOST_ENTRIES and (complete or box is not None):
        got = "--complete" if complete else "--box"
        raise Malformed(where=got, law="completeness along a path", expected="one --vary, or two networks", got="a plane of two entries")
