"""``orbitproof regions``: the nonempty cells of a network and the transitions between them."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proofs.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proofs.arithmetic import Interval
    from verify.loading import Loaded
    from verify.numerics.linear_systems import Point
    from verify.regions import Box, Limits

_MOST_CELLS = 60
_MOST_COORDINATES = 3
_NetworkFile = Annotated[
    str, typer.Argument(metavar="NETWORK", help="network file: .json .npz .safetensors .pt .pth .pkl .mat .bson .jld2")
]
_BoxOption = Annotated[tuple[str, str] | None, typer.Option("--box", metavar="LO HI", help="only orbits with all coordinates in [LO, HI]")]
_Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="write the graph here: .graphml or .dot")]
_Model = Annotated[str | None, typer.Option("--model", help="the network's family, such as plrnn, alrnn, scalar")]
_Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="what the file does not say, such as P=2")]
_AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")]


def regions(  # noqa: PLR0913 - an option is a parameter
    network: _NetworkFile,
    *,
    box: _BoxOption = None,
    output: _Output = None,
    memory: Annotated[int, typer.Option(min=1, help="nodes are words of so many patterns")] = 1,
    cells_only: Annotated[bool, typer.Option("--cells-only", help="leave the transitions out")] = False,
    max_cells: Annotated[int, typer.Option("--max-cells", min=1, metavar="N", help="give up beyond so many cells")] = 20_000,
    max_edges: Annotated[int, typer.Option("--max-edges", min=1, metavar="N", help="give up beyond so many transitions")] = 500_000,
    budget: Annotated[float, typer.Option("--budget", min=0.0, metavar="SECONDS", help="give up after this time")] = 120.0,
    model: _Model = None,
    settings: _Settings = None,
    as_json: _AsJson = False,
) -> None:
    """List the nonempty patterns, which can follow which, and where cycles can be."""
    from verify.cli import _finish, _loaded, _number, _refuse_overwriting
    from verify.graph import check_suffix
    from verify.progress import shown
    from verify.regions import Limits

    _refuse_odd_requests(output, cells_only, memory)
    if output is not None:
        check_suffix(output)
        _refuse_overwriting(network, output)
    walls = None if box is None else (_number(box[0], "--box"), _number(box[1], "--box"))
    loaded = _loaded(network, model, settings)
    start = perf_counter()
    with shown() as progress:
        limits = Limits(max_cells, max_edges, budget, progress)
        content = _cells(loaded, walls, limits) if cells_only else _graph(loaded, walls, memory, limits, output)
    content["effort"] = {"seconds": round(perf_counter() - start, 3)}
    _finish(content, _lines(content), "Proved", as_json)


def _refuse_odd_requests(output: Path | None, cells_only: bool, memory: int) -> None:
    """Refuse options that do not go together. **Raises:** Malformed."""
    if cells_only and (output is not None or memory > 1):
        got = "--output" if output is not None else "--memory"
        raise Malformed(where="--cells-only", law="options go together", expected="neither --output nor --memory", got=got)


def _cells(loaded: Loaded, box: Box | None, limits: Limits) -> dict[str, object]:
    """Return the answer without transitions."""
    from verify.regions import is_unbounded
    from verify.regions import regions as run

    found = run(loaded.network, box, limits)
    cells = [_cell(cell.name, cell.point, box is None and is_unbounded(cell, loaded.network.dimension)) for cell in found.cells]
    return {**_about(loaded, box, 1, found.idle), "cells": cells, "transitions": None, "strong_components": None, "path": None}


def _graph(loaded: Loaded, box: Box | None, memory: int, limits: Limits, output: Path | None) -> dict[str, object]:
    """Return the answer with transitions, and write the graph where that is asked for."""
    from verify.graph import region_graph, save_graph, strong_components

    graph = region_graph(loaded, box, memory=memory, limits=limits)
    if output is not None:
        save_graph(graph, output)
    about = _about(loaded, box, memory, graph.graph["idle"])
    cells = [_cell(name, facts["point"], facts["unbounded"], facts["spectral_radius"]) for name, facts in graph.nodes(data=True)]
    parts = [list(part) for part in strong_components(graph)]
    path = None if output is None else str(output)
    return {**about, "cells": cells, "transitions": [list(edge) for edge in graph.edges], "strong_components": parts, "path": path}


def _about(loaded: Loaded, box: Box | None, memory: int, idle: tuple[int, ...]) -> dict[str, object]:
    from verify.loading import describe

    walls = None if box is None else [str(end) for end in box]
    return {"network": describe(loaded), "box": walls, "memory": memory, "idle_hinges": [hinge + 1 for hinge in idle]}


def _cell(name: str, point: Point, unbounded: bool, radius: Interval | None = None) -> dict[str, object]:
    from verify.numerics.linear_systems import coordinates
    from verify.rounding import decimal_pair

    enclosure = None if radius is None else decimal_pair(radius)
    return {
        "word": name.split("."),
        "point": [str(value) for value in coordinates(point)],
        "unbounded": unbounded,
        "spectral_radius": enclosure,
    }


def _lines(content: Mapping[str, Any]) -> list[str]:
    """Return the answer as text; the last line says what was decided, and how surely."""
    network, box, cells = content["network"], content["box"], content["cells"]
    lines = [f"network      {network['name']} ({network['model']}, {network['dimension']} states, {network['hinges']} hinges)"]
    lines += [f"digest       {network['digest']}", *(f"assumed      {text}" for text in network["assumptions"])]
    if content["idle_hinges"]:
        lines.append(f"idle         hinge {', '.join(map(str, content['idle_hinges']))}: no orbit depends on it")
    lines += [_cell_line(cell) for cell in cells[:_MOST_CELLS]]
    if len(cells) > _MOST_CELLS:
        lines.append(f"... and {len(cells) - _MOST_CELLS} more (--json lists all)")
    within = "" if box is None else f" for orbits with every coordinate in [{box[0]}, {box[1]}]"
    kind = "nonempty cells" if content["memory"] == 1 else f"nonempty words of {content['memory']} patterns"
    counts = f"{len(cells)} {kind}"
    if content["transitions"] is not None:
        sizes = ", ".join(str(len(part)) for part in content["strong_components"]) or "none, so there is no cycle"
        lines.append(f"strong       components that can hold cycles, in cells: {sizes}")
        counts += f", {len(content['transitions'])} transitions of {len(cells) ** 2}"
    lines += [f"graph        {content['path']}"] if content["path"] else []
    return [*lines, f"Exact  {counts}{within} (decided in rational arithmetic; not a certificate)"]


def _cell_line(cell: Mapping[str, Any]) -> str:
    extent = "unbounded" if cell["unbounded"] else "bounded"
    radius = "" if cell["spectral_radius"] is None else f", spectral radius {float(cell['spectral_radius'][1]):.6g}"
    point = ", ".join(cell["point"][:_MOST_COORDINATES]) + (", ..." if len(cell["point"]) > _MOST_COORDINATES else "")
    return f"cell         {'.'.join(cell['word'])}  {extent}{radius}, holds ({point})"
