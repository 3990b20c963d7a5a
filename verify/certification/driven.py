"""Conditional exponents under inputs from a finite alphabet (driven_graph), and under all inputs or ranges of them where it contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from proofs.certificate import Certificate
from proofs.claims import Claim
from proofs.errors import Malformed, Rejected
from proofs.exponents import BoxContraction, DrivenContraction, DrivenExponents
from proofs.functions import log
from proofs.network import Network
from verify.certification.box_contraction import prove_box_contraction
from verify.certification.cycle_mean import (
    KERNEL_SHARE,
    MANY,
    MOST_STATES,
    TOLERANCE,
    Sizes,
    add_bounds,
    affordable,
    spelled_box,
    trapped_tree,
)
from verify.certification.draft import Draft, in_short
from verify.certification.order import prove_contraction
from verify.certification.symbols import MOST_SYMBOLS, symbols_of
from verify.lyapunov.results import Certified, Scope
from verify.models.gated import Number, layers_of, step_program
from verify.numerics.box_trees import BoxTree, Sides, Walk
from verify.search.box_contraction import hull_of
from verify.search.box_graph import refine

_LOG_BITS = 64
_SHARE = 0.25  # of the budget, for a contraction under all inputs, and as much for one on a box


@dataclass(frozen=True)
class ProvedDriven:
    """Bounds of the largest conditional exponent with one certificate for all of them; what stayed open; the sizes of graph tried.

    ``entries``: at most one of all inputs (contraction), one of all inputs in a range (contraction on a box) and one of all walks through
    the graph of inputs, in nats per step of one input.
    **Guarantee:** exact for the entries: ``proofs.check`` has accepted the certificate.
    """

    entries: tuple[Certified, ...]
    claims: tuple[Claim, ...]
    certificate: Certificate | None
    undecided: tuple[str, ...]
    theorems: tuple[str, ...]
    table: Sizes


def alphabet(source: object, inputs: Sequence[Sequence[Number]]) -> tuple[Network, ...]:
    """Return one exact program a symbol: the step of a recurrent module, or of given layers, under each of these constant inputs.

    **Shapes:** inputs (symbols, m). **Raises:** Malformed without inputs or for one that does not fit, and as ``step_program``.
    """
    if not len(inputs):
        raise Malformed(where="alphabet", law="inputs", expected="one or more inputs", got="none")
    layers = layers_of(source)
    return tuple(step_program(layers, entry) for entry in inputs)


def certify_driven(
    networks: Sequence[Network],
    edges: Sequence[Walk] | None = None,
    nodes: int = 1,
    budget: float = 60.0,
    *,
    box: Sides | None = None,
    tolerance: float = TOLERANCE,
    within: Network | None = None,
) -> ProvedDriven:
    """Bound the largest conditional exponent of every orbit under every input sequence that walks through a graph of symbols.

    ``networks``: one a symbol, the same program but for the biases of affine operations. ``edges``: (node, symbol, node), numbers from 0;
    without them every sequence of symbols is allowed. ``box``: where orbits start; all symbols must map it into itself; without it a box
    that all orbits enter is looked for, then boxes around simulated orbits. ``within``: the same program with biases as ranges, see
    ``input_range``: all that the contraction on a box holds for, and then there is no graph; without it the least ranges that hold all
    symbols. A quarter of the budget (seconds) goes into a contraction under all inputs, and one into that on a box.

    **Guarantee:** exact for the entries. **Raises:** Malformed for networks or edges that do not fit together.
    """
    start = monotonic()
    walks = tuple(edges) if edges is not None else tuple((0, s, 0) for s in range(len(networks)))
    symbols = symbols_of(networks)
    _check_walks(walks, nodes, len(networks))
    draft, found = Draft(networks[0]), list[Claim]()
    contraction, reason = _contraction(draft, _SHARE * budget)
    found += [] if contraction is None else [contraction]
    reasons = [reason] if reason else []
    below = None if contraction is None else contraction.rate
    on_box = prove_box_contraction(draft, within or hull_of(networks), _SHARE * budget, box=box, below=below)
    found += [] if on_box.claim is None else [on_box.claim]
    reasons += on_box.reasons
    table: Sizes = ()
    graph, more = None, list[str]()
    if within is None:
        graph, more, table = _on_graph(draft, networks, symbols, _Inputs(nodes, walks, box, tolerance), start + budget)
    found += [] if graph is None else [graph]
    entries = tuple(entry for claim in found if (entry := _entry(claim)) is not None)
    certificate = draft.finish(found)[0] if found else None
    theorems = tuple(draft.theorem_of(claim) for claim in found)
    return ProvedDriven(entries, tuple(found), certificate, (*reasons, *more), theorems, table)


@dataclass(frozen=True)
class _Inputs:
    nodes: int
    walks: tuple[Walk, ...]
    box: Sides | None
    tolerance: float


def _on_graph(
    draft: Draft, networks: Sequence[Network], symbols: Sequence[dict[str, list[str]]], inputs: _Inputs, deadline: float
) -> tuple[DrivenExponents | None, list[str], Sizes]:
    """Add driven_graph; return its claim, or None, what stood in the way, and the sizes tried."""
    if networks[0].dimension > MOST_STATES:
        return None, [f"driven graph: for at most {MOST_STATES} states"], ()
    try:
        kernel = KERNEL_SHARE * (deadline - monotonic())
        tree = _tree(networks, inputs, deadline - kernel)
        if tree is None:
            return None, ["driven graph: no box was seen that every symbol maps into itself"], ()
        found = refine(tree, deadline - kernel, inputs.tolerance, affordable(tree, kernel))
    except Rejected as failure:
        return None, [f"driven graph: {in_short(failure)}"], ()
    graph = {"symbols": list(symbols), "nodes": inputs.nodes, "edges": [list(walk) for walk in inputs.walks]}
    proved, reasons = add_bounds(draft, "driven_graph", (), graph | spelled_box(tree.sides), found)
    claim = draft.facts[-1] if proved else None
    if not isinstance(claim, DrivenExponents):
        return None, reasons, found.table
    missing = [] if claim.lower is not None else ["driven graph: no lower bound: no forms grow on all of the box"]
    return claim, [*reasons, *missing], found.table


def _tree(networks: Sequence[Network], inputs: _Inputs, deadline: float) -> BoxTree | None:
    if inputs.box is None:
        return trapped_tree(networks, deadline, inputs.nodes, inputs.walks)
    tree = BoxTree(networks, inputs.box, inputs.nodes, inputs.walks)
    return tree if tree.trap(deadline, MANY) else None


def _contraction(draft: Draft, seconds: float) -> tuple[DrivenContraction | None, str]:
    """Add a contraction whatever the inputs are; or return why not, and leave the draft as it was."""
    if any(operation.name == "mul" for operation in draft.network.program):
        return None, "contraction for all inputs: for programs without products of registers (the cell is gated)"
    claim, reason = prove_contraction(draft, seconds)
    if claim is None:
        return None, f"for all inputs: {reason}"
    driven = draft.add("driven_contraction", {}, (len(draft.facts),))[1]
    return (driven, "") if isinstance(driven, DrivenContraction) else (None, "")


def _entry(claim: Claim) -> Certified | None:
    if isinstance(claim, DrivenContraction):
        return Certified(1, None, log(claim.rate, _LOG_BITS).hi, "every orbit, every input", "driven_contraction")
    scope: Scope = "every orbit staying in a region, every sequence of the stated inputs"
    if isinstance(claim, BoxContraction):
        return Certified(1, None, log(claim.rate, _LOG_BITS).hi, scope, "box_contraction")
    if not isinstance(claim, DrivenExponents):
        return None
    lower = None if claim.lower is None else log(claim.lower, _LOG_BITS).lo
    upper = None if claim.upper is None else log(claim.upper, _LOG_BITS).hi
    return Certified(1, lower, upper, scope, "driven_graph")


def _check_walks(walks: Sequence[Walk], nodes: int, symbols: int) -> None:
    limits = (nodes, symbols, nodes)
    wrong = [walk for walk in walks if len(walk) != len(limits) or not all(0 <= i < most for i, most in zip(walk, limits, strict=True))]
    if not walks or wrong:
        expected = f"one or more edges (node, symbol, node) below {limits}"
        raise Malformed(where="driven graph, edges", law="graph of inputs", expected=expected, got=str(wrong[:1] or "none"))


__all__ = ["MOST_SYMBOLS", "ProvedDriven", "alphabet", "certify_driven", "symbols_of"]
