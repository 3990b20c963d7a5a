"""Conditional exponents under inputs from a finite alphabet (driven_graph), and under all inputs where the network contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from proofs.certificate import Certificate
from proofs.claims import Claim
from proofs.errors import Malformed, Rejected
from proofs.exponents import DrivenContraction, DrivenExponents
from proofs.functions import log
from proofs.grammar import write_entry
from proofs.network import Network
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
from verify.lyapunov.results import Certified
from verify.models.gated import Number, layers_of, step_program
from verify.numerics.box_trees import BoxTree, Sides, Walk
from verify.search.box_graph import refine

MOST_SYMBOLS = 4096
_LOG_BITS = 64
_SHARE = 0.25  # of the budget, for a contraction under all inputs


@dataclass(frozen=True)
class ProvedDriven:
    """Bounds of the largest conditional exponent with one certificate for all of them; what stayed open; the sizes of graph tried.

    ``entries``: at most one of all inputs (contraction) and one of all walks through the graph of inputs, in nats per step of one input.
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
) -> ProvedDriven:
    """Bound the largest conditional exponent of every orbit under every input sequence that walks through a graph of symbols.

    ``networks``: one a symbol, the same program but for the biases of affine operations. ``edges``: (node, symbol, node), numbers from 0;
    without them every sequence of symbols is allowed. ``box``: where orbits start; all symbols must map it into itself; without it a box
    that all orbits enter is looked for, then boxes around simulated orbits. A quarter of the budget (seconds) goes into a contraction under
    all inputs.

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
    graph, more, table = _on_graph(draft, networks, symbols, _Inputs(nodes, walks, box, tolerance), start + budget)
    found += [] if graph is None else [graph]
    entries = tuple(entry for claim in found if (entry := _entry(claim)) is not None)
    certificate = draft.finish(found)[0] if found else None
    theorems = tuple(draft.theorem_of(claim) for claim in found)
    return ProvedDriven(entries, tuple(found), certificate, (*reasons, *more), theorems, table)


def symbols_of(networks: Sequence[Network]) -> tuple[dict[str, list[str]], ...]:
    """Return for each network the biases that are not the same in all, by the number of the operation, as card driven_graph reads them.

    **Raises:** Malformed without networks, for too many, and where anything but biases differs.
    """
    if not 0 < len(networks) <= MOST_SYMBOLS:
        raise _unfit(f"from 1 to {MOST_SYMBOLS} networks, one a symbol", str(len(networks)))
    plain = {tuple((one.name, one.of, one.matrices) for one in network.program) for network in networks}
    if len(plain) > 1:
        raise _unfit("programs that are alike but for the biases of affine operations", f"{len(plain)} different ones")
    places = [
        number
        for number, operation in enumerate(networks[0].program)
        if operation.bias is not None and len({network.program[number].bias for network in networks}) > 1
    ]
    return tuple({str(number): _spelled(network, number) for number in places} for network in networks)


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
    if not isinstance(claim, DrivenExponents):
        return None
    lower = None if claim.lower is None else log(claim.lower, _LOG_BITS).lo
    upper = None if claim.upper is None else log(claim.upper, _LOG_BITS).hi
    return Certified(1, lower, upper, "every orbit staying in a region, every sequence of the stated inputs", "driven_graph")


def _check_walks(walks: Sequence[Walk], nodes: int, symbols: int) -> None:
    limits = (nodes, symbols, nodes)
    wrong = [walk for walk in walks if len(walk) != len(limits) or not all(0 <= i < most for i, most in zip(walk, limits, strict=True))]
    if not walks or wrong:
        expected = f"one or more edges (node, symbol, node) below {limits}"
        raise Malformed(where="driven graph, edges", law="graph of inputs", expected=expected, got=str(wrong[:1] or "none"))


def _spelled(network: Network, number: int) -> list[str]:
    bias = network.program[number].bias
    return [] if bias is None else [write_entry(bias.middle(i), bias.radius(i)) for i in range(len(bias.mid))]


def _unfit(expected: str, got: str) -> Malformed:
    return Malformed(where="driven graph, networks", law="one program, a bias a symbol", expected=expected, got=got)
