"""The region graph: which patterns can follow which, as a networkx ``DiGraph`` for people to look at and walk.

Nodes are the nonempty patterns (or words of ``memory`` patterns). An edge R -> S says that some state of R has its image in S, a missing
edge that none has: both are decided exactly. Every orbit is a path of the graph, every cycle a closed walk inside one strong component; the
converse does not hold, for a path only says that each of its steps is possible. With a box, all of this is about the orbits that stay in
it.

    graph         network, box, memory, idle (hinges, from 0, that no orbit depends on)
    graph.nodes   patterns, rows and point (see ``verify.regions.Cell``), unbounded, spectral_radius (an Interval around that of the
                  Jacobian of F^memory there)
    graph.edges   point: a state, homogeneous as in ``Cell``, of the word R then S
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html import escape
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.grammar import shown
from verify.numerics.balls import eigenvalues
from verify.numerics.linear_systems import Point, coordinates
from verify.regions import Box, Cell, Excluded, Explorer, Limits, flow_along, idle_hinges, is_unbounded, why_empty
from verify.rounding import decimal_pair

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.certification.prove import Subject

MAX_MEMORY = 64
SUFFIXES = (".graphml", ".dot")
_BITS = 40  # of a spectral radius
_AFFINE = "affine"  # the name, in GraphML, of the one pattern of a network without hinges
_NODE_KEYS = ("polyhedron", "point", "unbounded", "spectral_radius")


def region_graph(
    source: Subject,
    box: Box | None = None,
    *,
    memory: int = 1,
    limits: Limits | None = None,
    model: str | None = None,
    **meta: object,
) -> nx.DiGraph:
    """Return the region graph of a piecewise-linear network, on R^M or for the orbits that stay in the closed box [low, high]^M.

    ``memory``: the nodes are words of so many patterns. ``limits``: a ``verify.regions.Limits``.

    **Guarantee:** exact; not kernel-checked. **Cost:** about one linear program an edge, 0.2 ms; ten hinges and states: a minute.
    **Raises:** Unsupported: a network that is smooth or has radii. Malformed: a box without points, a memory below 1. NotFound: more
    cells, transitions or time than ``limits`` allows.
    **Example**

    >>> tent = {"A": [2], "W": [[-4]], "h": ["1/2"]}
    >>> graph = region_graph(tent, model="plrnn")
    >>> list(graph.edges)
    [('0', '0'), ('0', '1'), ('1', '0'), ('1', '1')]
    >>> strong_components(graph)
    [('0', '1')]
    """
    from verify.certification.prove import loaded_of

    if not 1 <= memory <= MAX_MEMORY:
        raise Malformed(where="memory", law="words of patterns", expected=f"1 to {MAX_MEMORY} patterns", got=str(memory))
    limits = limits or Limits()
    network = loaded_of(source, model, meta).network
    explorer = Explorer(network, box)
    explorer.refuse_many(limits.max_cells)
    words = [explorer.start]
    for length in range(1, memory + 1):
        words = list(_longer(explorer, words, limits, "cells" if length == memory else f"words of {length}"))
    graph = nx.DiGraph(network=network, box=box, memory=memory, idle=idle_hinges(network))
    for word in words:
        graph.add_node(word.name, **_facts(network, word, box))
    for step in _longer(explorer, words, limits, "transitions"):
        start, end = (".".join(patterns) for patterns in (step.patterns[:-1], step.patterns[1:]))
        graph.add_edge(start, end, point=step.point)
    return graph


def strong_components(graph: nx.DiGraph) -> list[tuple[str, ...]]:
    """Return the strong components with an edge inside, sorted: every cycle (in the box) follows a closed walk inside one of them."""
    parts = (tuple(sorted(part)) for part in nx.strongly_connected_components(graph))
    return sorted(part for part in parts if len(part) > 1 or graph.has_edge(part[0], part[0]))


def closed_walks(graph: nx.DiGraph, up_to: int) -> Iterator[tuple[str, ...]]:
    """Yield the closed walks of at most ``up_to`` steps, each once: the least of its rotations, in lexicographic order.

    Repetitions of shorter walks count too: a cycle may pass through the same patterns twice before it closes.

    **Guarantee:** exact: a cycle of period k <= ``up_to`` (in the box) follows one of the walks of length k.
    **Cost:** few dead ends: a walk goes on only while it can still come home in time.
    **See:** Fredricksen, Kessler 1986; Cattell et al. 2000 (J. Algorithms 37, 267-282) for the rule by which rotations are left out.

    **Example**

    >>> graph = region_graph({"A": [2], "W": [[-4]], "h": ["1/2"]}, model="plrnn")
    >>> ["".join(walk) for walk in closed_walks(graph, 3)]
    ['0', '00', '000', '001', '01', '011', '1', '11', '111']
    """
    for part in strong_components(graph):
        for start in part:
            yield from _walks_from(graph, start, _steps_home(graph, start, up_to), up_to)


def why_not(graph: nx.DiGraph, start: str, end: str) -> Excluded:
    """Return the Farkas certificate that no state of one node has its image in another.

    **Guarantee:** exact. **Raises:** Malformed: a name that is no node, an edge that is there, words that do not overlap.

    **Example**

    >>> halving = region_graph({"A": ["1/2"], "W": [[0]], "h": [1]}, model="plrnn")
    >>> print(why_not(halving, "1", "0"))
    1 times  -z1 - 2 > 0  (hinge 1, time 1)
    1 times  z1 >= 0  (hinge 1, time 0)
    sum  -2 > 0, which is false
    """
    missing = [name for name in (start, end) if name not in graph]
    if missing:
        raise Malformed(where="region graph", law="nodes are nonempty words", expected="two nodes", got=f"no node {missing[0]}")
    if graph.has_edge(start, end):
        point = point_text(graph.edges[start, end]["point"])
        raise Malformed(
            where=f"edge {start} -> {end}", law="certificates of missing edges", expected="no edge", got=f"an edge, from {point}"
        )
    first, second = (graph.nodes[name]["patterns"] for name in (start, end))
    if first[1:] != second[:-1]:
        expected = f"a word that begins with {'.'.join(first[1:])}"
        raise Malformed(where=f"edge {start} -> {end}", law="words one step apart overlap", expected=expected, got=end)
    return why_empty(graph.graph["network"], (*first, second[-1]), graph.graph["box"])


def save_graph(graph: nx.DiGraph, path: str | Path) -> None:
    """Write a region graph as GraphML or DOT, as the suffix says; exact numbers are strings. The file appears whole or not at all.

    **Raises:** Malformed: another suffix, or a place that cannot be written to.
    """
    from verify.certification.files import write_lines

    check_suffix(path)
    lines = _dot(graph) if Path(path).suffix == ".dot" else _graphml(graph)
    write_lines(Path(path), (f"{line}\n".encode() for line in lines))


def point_text(point: Point) -> str:
    """Spell a point exactly.

    >>> point_text((1, -4, 2))
    '(1/2, -2)'
    """
    return f"({', '.join(map(shown, coordinates(point)))})"


def check_suffix(path: str | Path) -> None:
    """Refuse a file name that does not say which format is meant. **Raises:** Malformed."""
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise Malformed(where=str(path), law="the suffix chooses the format", expected=" or ".join(SUFFIXES), got=suffix or "no suffix")


def _longer(explorer: Explorer, words: list[Cell], limits: Limits, what: str) -> Iterator[Cell]:
    """Yield the cells one pattern longer than these."""
    most = limits.max_edges if what == "transitions" else limits.max_cells
    found = 0
    for done, word in enumerate(words):
        for branch in explorer.extensions(word):
            if isinstance(branch, Cell):
                found += 1
                limits.tell(what, (done + explorer.done) / len(words))
                yield branch
            limits.check(found, what, most)


def _facts(network: Network, word: Cell, box: Box | None) -> dict[str, object]:
    flow = flow_along(network, word.patterns)
    return {
        "patterns": word.patterns,
        "rows": word.rows,
        "point": word.point,
        "unbounded": box is None and is_unbounded(word, network.dimension),
        "spectral_radius": None if flow is None else _spectral_radius(flow[0]),
    }


def _spectral_radius(matrix: Matrix) -> Interval | None:
    """Enclose the largest modulus of an eigenvalue; None where FLINT does not succeed."""
    found = eigenvalues(matrix)
    if found is None:
        return None
    squares = [tuple(map(sum, zip(_squared(real), _squared(imaginary), strict=True))) for real, imaginary in found]
    least, most = (max(ends) for ends in zip(*squares, strict=True))
    unit = 1 << _BITS
    return Interval(Fraction(isqrt(int(least * unit**2)), unit), Fraction(isqrt(int(most * unit**2)) + 1, unit))


def _squared(values: Interval) -> tuple[Fraction, Fraction]:
    least = Fraction(0) if values.lo <= 0 <= values.hi else min(abs(values.lo), abs(values.hi))
    return least**2, values.magnitude**2


def _steps_home(graph: nx.DiGraph, start: str, most: int) -> dict[str, int]:
    """Return how many steps at least it takes to ``start`` through nodes that are not below it, where that is at most ``most``."""
    steps, queue = {start: 0}, deque([start])
    while queue:
        node = queue.popleft()
        if steps[node] == most:
            break
        for before in graph.predecessors(node):
            if before > start and before not in steps:
                steps[before] = steps[node] + 1
                queue.append(before)
    return steps


def _walks_from(graph: nx.DiGraph, start: str, home: Mapping[str, int], up_to: int) -> Iterator[tuple[str, ...]]:
    """Yield the necklaces that begin at ``start``: depth first over prenecklaces, whose longest Lyndon prefix has length ``lyndon``."""
    stack: list[tuple[tuple[str, ...], int]] = [((start,), 1)] if up_to >= 1 else []
    while stack:
        walk, lyndon = stack.pop()
        if len(walk) % lyndon == 0 and graph.has_edge(walk[-1], start):
            yield walk
        least = walk[len(walk) - lyndon]
        onward = (node for node in graph.successors(walk[-1]) if node >= least and len(walk) + max(1, home.get(node, up_to)) <= up_to)
        stack += [((*walk, node), lyndon if node == least else len(walk) + 1) for node in sorted(onward, reverse=True)]


def _about(graph: nx.DiGraph) -> dict[str, str]:
    box, idle = graph.graph["box"], graph.graph["idle"]
    return {
        "network": graph.graph["network"].digest,
        "box": "all states" if box is None else f"[{shown(box[0])}, {shown(box[1])}] in every coordinate",
        "memory": str(graph.graph["memory"]),
        "idle_hinges": ", ".join(str(hinge + 1) for hinge in idle) or "none",
    }


def _node_text(facts: Mapping[str, Any]) -> dict[str, str]:
    radius = facts["spectral_radius"]
    return {
        "polyhedron": "; ".join(map(str, facts["rows"])),
        "point": point_text(facts["point"]),
        "unbounded": str(facts["unbounded"]).lower(),
        "spectral_radius": "unknown" if radius is None else " to ".join(decimal_pair(radius)),
    }


def _edge_text(facts: Mapping[str, Any]) -> dict[str, str]:
    return {"point": point_text(facts["point"])}


def _dot(graph: nx.DiGraph) -> Iterator[str]:
    """Yield the lines of a DOT file; no program is needed for it."""
    yield "digraph regions {"
    yield f"  graph [{_attributes(_about(graph))}];"
    yield from (f"  {_quoted(name)} [{_attributes(_node_text(facts))}];" for name, facts in graph.nodes(data=True))
    yield from (f"  {_quoted(a)} -> {_quoted(b)} [{_attributes(_edge_text(facts))}];" for a, b, facts in graph.edges(data=True))
    yield "}"


def _attributes(texts: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={_quoted(text)}" for key, text in texts.items())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _graphml(graph: nx.DiGraph) -> Iterator[str]:
    """Yield the lines of a GraphML file, without holding a tree of the whole."""
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for owner, keys in {"graph": tuple(_about(graph)), "node": _NODE_KEYS, "edge": ("point",)}.items():
        yield from (f'<key id="{owner}_{key}" for="{owner}" attr.name="{key}" attr.type="string"/>' for key in keys)
    yield '<graph id="regions" edgedefault="directed">'
    yield _data("graph", _about(graph))
    for name, facts in graph.nodes(data=True):
        yield f'<node id="{name or _AFFINE}">{_data("node", _node_text(facts))}</node>'
    for start, end, facts in graph.edges(data=True):
        yield f'<edge source="{start or _AFFINE}" target="{end or _AFFINE}">{_data("edge", _edge_text(facts))}</edge>'
    yield "</graph>"
    yield "</graphml>"


def _data(owner: str, texts: Mapping[str, str]) -> str:
    return "".join(f'<data key="{owner}_{key}">{escape(text)}</data>' for key, text in texts.items())
