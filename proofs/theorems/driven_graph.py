"""D5 ``driven_graph``. Bounds for the conditional Lyapunov exponents under inputs from a finite alphabet.

Statement   for every input sequence that walks through the stated graph, every orbit (in the stated box, which no input lets it leave) and
            every choice of sides: liminf (1/t) log |J_(t-1)..J_0| >= log c, and limsup (1/t) log |J_(t-1)..J_0| <= log C.
Witness     symbols: for each input the biases it gives to affine operations, by the operation's number from 0, radii allowed (then every
            input within them); nodes: how many; edges [node, symbol, node] from 0; low, high and cuts as in cycle_mean, or neither, then
            slopes hold everywhere and there is one leaf; lower and upper as there, a form for each (node, leaf), leaves first; bits.
Checks      1  symbols and edges fit the network and each other; an edge leads out of every node; the cuts as in cycle_mean
            2  with each symbol the enclosure of F over each leaf lies in the box; for each edge of the inputs, each leaf i and each leaf j
               that this enclosure meets there is an edge from (a, i) to (b, j); at most 2^16; Jacobians as in cycle_mean
            3  lower, 4 upper: as in cycle_mean
Fails when  as cycle_mean; the network has products and no box is given.
Rests on    as D1: the pairs (node of the inputs, leaf of the state) form a walk in the product graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.errors import Malformed
from proofs.exponents import DrivenExponents
from proofs.reader import read_list
from proofs.theorems.box_forms import bounds
from proofs.theorems.boxes import MAX_EDGES, MAX_STATES, edges_of, read_sides, read_tree
from proofs.theorems.symbols import read_symbols

if TYPE_CHECKING:
    from proofs.network import Network
    from proofs.theorems.boxes import Edge, Sides
    from proofs.theorems.card import Application


def check(step: Application) -> DrivenExponents:
    """Verify one application; see the card above."""
    bits = step.needed_bits()
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    symbols, networks = read_symbols(step)
    nodes = step.witness.integer("nodes", 1, MAX_EDGES)
    walks = _walks(step, nodes, len(symbols))
    sides = read_sides(step) if step.witness.has("low") else ()
    moves, leaves = _moves(step, networks, sides, bits)
    total = sum(len(moves[s]) for _, s, _ in walks)
    step.require(2, total <= MAX_EDGES, f"at most {MAX_EDGES} edges", total)
    edges = [(a * leaves + i, b * leaves + j, jacobian) for a, s, b in walks for i, j, jacobian in moves[s]]
    lower, upper = bounds(step, edges, nodes * leaves, bits)
    return DrivenExponents(symbols, walks, tuple(low for low, _ in sides), tuple(high for _, high in sides), lower, upper)


def _walks(step: Application, nodes: int, symbols: int) -> tuple[tuple[int, int, int], ...]:
    where = f"{step.witness.where}, field edges"
    walks: list[tuple[int, int, int]] = []
    for entry in step.witness.items("edges"):
        walk = [number for number in read_list(entry, where) if type(number) is int]
        fits = len(walk) == len(read_list(entry, where)) == 3 and all(  # noqa: PLR2004 - node, symbol, node
            0 <= number < most for number, most in zip(walk, (nodes, symbols, nodes), strict=True)
        )
        if not fits:
            raise Malformed(where=where, law="inputs", expected="node, symbol and node, from 0", got=str(entry)[:200])
        walks.append((walk[0], walk[1], walk[2]))
    step.require(1, {a for a, _, _ in walks} == set(range(nodes)), "an edge out of every node", walks[:8])
    return tuple(walks)


def _moves(step: Application, networks: tuple[Network, ...], sides: Sides, bits: int) -> tuple[list[list[Edge]], int]:
    """Return for each symbol its edges between leaves, and the number of leaves."""
    if not sides:
        step.require_work(2, step.network.products, bits)
        return [[(0, 0, step.network.jacobian(None, bits))]] * len(networks), 1  # no bias enters it
    tree, leaves = read_tree(step, sides)
    step.require_work(2, 2 * sum(network.products for network in networks) * len(leaves), bits)
    moves: list[list[Edge]] = []
    for network in networks:
        moves.append(list(edges_of(step, network, tree, leaves, bits, sides)))
        total = sum(map(len, moves))
        step.require(2, total <= MAX_EDGES, f"at most {MAX_EDGES} edges for all symbols", total)
    return moves, len(leaves)
