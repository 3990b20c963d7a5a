"""Quadratic forms on a graph of boxes: what cycle_mean and driven_graph conclude.

If J'S_j J - c^2 S_i > 0 on each edge i -> j, then v'S v grows at least like c^2t along every orbit whose boxes follow the edges, for each v
on which the first form is positive; likewise from above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.inertia import is_positive_definite, pivot_signs
from proofs.reader import read_matrix

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.arithmetic import Matrix
    from proofs.theorems.boxes import Edge
    from proofs.theorems.card import Application


def bounds(step: Application, edges: list[Edge], nodes: int, bits: int) -> tuple[Fraction | None, Fraction | None]:
    """Return the lower and the upper rate that the witness's forms prove; None for one that is not given (checks 3 and 4)."""
    size = step.network.dimension
    step.require_work(2, 2 * size**3 * (len(edges) + nodes), bits)
    step.require(3, step.witness.has("lower") or step.witness.has("upper"), "a lower or an upper bound", "neither")
    lower = _rate(step, "lower", edges, nodes, bits) if step.witness.has("lower") else None
    return lower, _rate(step, "upper", edges, nodes, bits) if step.witness.has("upper") else None


def _rate(step: Application, name: str, edges: list[Edge], nodes: int, bits: int) -> Fraction:
    check = 3 if name == "lower" else 4
    fields = step.witness.part(name)
    rate, forms = fields.number("rate"), _forms(step, check, fields.items("forms"), f"{fields.where}, field forms")
    fields.close()
    step.require(check, rate > 0, "a positive rate", rate)
    step.require(check, len(forms) == nodes, f"{nodes} forms, one a node", len(forms))
    for i, form in enumerate(forms, 1):
        holds = 1 in pivot_signs(form, bits) if name == "lower" else is_positive_definite(form, bits)
        step.require(check, holds, f"form {i} {'with a positive direction' if name == 'lower' else 'positive definite'}", "not proved")
    scaled = [form.times(rate * rate) for form in forms]
    for i, j, jacobian in edges:
        moved = jacobian.transposed() @ forms[j] @ jacobian
        gap = moved - scaled[i] if name == "lower" else scaled[i] - moved
        law = f"{'J SJ - c^2 S' if name == 'lower' else 'C^2 Q - J QJ'} positive definite from node {i + 1} to {j + 1}"
        step.require(check, is_positive_definite(gap, bits), law, "not proved", "smaller boxes, or a rate with more slack")
    return rate


def _forms(step: Application, check: int, entries: list[object], where: str) -> list[Matrix]:
    size = step.network.dimension
    forms = [read_matrix(rows, (size, size), f"{where}[{i}]") for i, rows in enumerate(entries)]
    for form in forms:
        step.require(check, form.is_exact and form.mid == form.transposed().mid, "symmetric forms without radii", "another matrix")
    return forms
