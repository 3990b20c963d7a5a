# mypy: disable-error-code="no-any-return,no-untyped-call"
"""D8 naively: the orbit and its Jacobians in intervals of Fractions; its truth by difference quotients of F^T in long floats of mpmath."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mpmath import mp, mpf, svd_r

from tests.second import boxes
from tests.second.cards import Step
from tests.second.exponents import MOST_SYMBOLS, driven_by
from tests.second.nets import Net, read_matrix
from tests.second.text import BeyondReach, Json, integer, items, need, numbers, spell

MOST_STEPS = 2**16
MOST_LONG = 4000
MOST_DIFFERENCED = 120
GUARD = 64
TOO_NEAR = mpf(2) ** -40


def finite_time(step: Step) -> dict:
    """D8."""
    driven = "symbols" in step.witness
    turned = " basis" if step.witness.get("basis") is not None else ""
    fields = step.fields("start rates bits " + ("symbols inputs" if driven else "steps") + turned)
    bits, start, rates = step.bits(), numbers(fields["start"]), numbers(fields["rates"])
    spelled, nets = read_symbols(step.net, fields["symbols"]) if driven else ([], [step.net])
    inputs = [integer(i, 0, len(nets) - 1) for i in items(fields["inputs"])] if driven else []
    steps = len(inputs) if driven else integer(fields["steps"], 1, MOST_STEPS)
    need(0 < steps <= MOST_STEPS and len(start) == step.net.dimension, "steps, and a start")
    need(len(rates) > 0 and rates[0] > 0 and rates == sorted(set(rates)), "positive increasing rates")
    if steps * step.net.dimension**2 > MOST_LONG:
        raise BeyondReach("too long an orbit")
    product = along(nets, inputs or [0] * steps, start, bits)
    basis = boxes.eye(len(start)) if not turned else basis_of(fields["basis"], len(start))
    image = boxes.times(product, basis)
    square, plain = (boxes.times(boxes.turned(part), part) for part in (image, basis))
    counts = [below(square, plain, rate ** (2 * steps)) for rate in rates]
    shown = {"steps": steps, "symbols": spelled, "inputs": inputs, "rates": list(map(spell, rates)), "counts": counts}
    return {"claim": "finite_time", "start": list(map(spell, start)), **shown}


def read_symbols(net: Net, content: Json) -> tuple[list, list]:
    """Return the symbols as a claim spells them, and the network with the biases of each."""
    need(0 < len(items(content)) <= MOST_SYMBOLS, "one or more symbols")
    spelled, nets = zip(*(driven_by(net, symbol) for symbol in content), strict=True)
    return list(spelled), list(nets)


def basis_of(content: Json, size: int) -> list:
    """Return the basis, a square matrix without radii."""
    basis = read_matrix(content, size, size)
    need(boxes.is_exact(basis), "a basis without radii")
    return basis


def along(nets: list, inputs: list, start: list, bits: int) -> list:
    """Enclose DF^T along the orbit; refuses where it may touch a border."""
    point, product = [boxes.point(x) for x in start], boxes.eye(len(start))
    bends = any(name == "relu" for name, *_ in nets[0].program)
    for symbol in inputs:
        need(not bends or nets[symbol].pattern(point, bits) is not None, "the orbit may touch a border")
        product = coarse(boxes.times(nets[symbol].slopes(point, bits), product), bits + GUARD)
        point = coarse([nets[symbol].run(point, bits)[0]], bits + GUARD)[0]
    return product


def coarse(rows: list, bits: int) -> list:
    """Round all intervals outward to so many bits behind the point."""
    return [[(down(low, bits), -down(-high, bits)) for low, high in row] for row in rows]


def down(value: Fraction, bits: int) -> Fraction:
    """Round down."""
    return value if value.denominator >> bits == 0 else Fraction((value.numerator << bits) // value.denominator, 1 << bits)


def below(square: list, plain: list, level: Fraction) -> int:
    """Return how many eigenvalues of a pair are below a level; refuses where elimination does not settle it."""
    signs = boxes.inertia(boxes.minus(square, [[boxes.mul(boxes.point(level), x) for x in row] for row in plain]))
    need(signs is not None, "a rate too near to an exponent")
    return signs[1] if signs else 0


def chosen(net: Net, symbols: Json, which: int) -> list:
    """Return the network with each symbol's biases, their middles (0) or upper ends (1) where they have radii."""
    nets = []
    for symbol in symbols or [[]]:
        one = driven_by(net, {str(i): bias for i, bias in symbol})[1]
        program = [
            (name, of, matrices, [[boxes.point(x[1] if which else (x[0] + x[1]) / 2)] for (x,) in bias])
            for name, of, matrices, bias in one.program
        ]
        nets.append(replace(one, program=program))
    return nets


def finite_time_holds(net: Net, claim: dict) -> bool | None:
    """Difference quotients of F^T on both sides, and their singular values; biases with radii at their middles and upper ends."""
    rates, counts, steps = numbers(claim["rates"]), claim["counts"], claim["steps"]
    fits = len(claim["start"]) == net.dimension and len(rates) == len(counts) > 0 and steps >= 1 and rates == sorted(set(rates))
    if not fits or rates[0] <= 0 or (claim["symbols"] and len(claim["inputs"]) != steps):
        return False
    if steps > MOST_DIFFERENCED or net.dimension > 6:
        return None
    single = all("~" not in x for symbol in claim["symbols"] for _, bias in symbol for x in bias)
    answers = []
    for which in (0,) if single else (0, 1):
        nets = chosen(net, claim["symbols"], which)
        path = [nets[i] for i in claim["inputs"]] if claim["inputs"] else nets * steps
        answers.append(counted(path, numbers(claim["start"]), rates, counts))
    return False if False in answers else None if None in answers or not single else True


def counted(path: list, start: list, rates: list, counts: list) -> bool | None:
    """Compare the counts; None where a rate is too near, False where F^T has no derivative."""
    with mp.workprec(600 + 60 * len(path)):
        tiny = mpf(2) ** (-mp.prec // 2)
        base = [mpf(x.numerator) / x.denominator for x in start]
        told = {
            id(net): [(name, of, [long(m) for m in matrices], [row[0] for row in long(bias)]) for name, of, matrices, bias in net.program]
            for net in path
        }
        path = [told[id(net)] for net in path]
        end = after(path, base)
        sides = []
        for sign in (1, -1):
            ends = [after(path, [x + sign * tiny * (i == j) for j, x in enumerate(base)]) for i in range(len(base))]
            sides.append([[(b - a) / (sign * tiny) for a, b in zip(end, other, strict=True)] for other in ends])
        size = max(abs(x) for row in sides[0] for x in row)
        if size == 0:
            return counts == [len(base)] * len(rates)
        bend = max(abs(a - b) for r, s in zip(*sides, strict=True) for a, b in zip(r, s, strict=True))
        if bend > size * mpf(2) ** (-mp.prec // 16):
            return False
        values = [svd_r(mp.matrix(side), compute_uv=False) for side in sides]
        logs = [mp.log(x) / len(path) if x > size * mpf(2) ** (-mp.prec // 4) else -mp.inf for x in values[0]]
        levels = [mp.log(rate.numerator) - mp.log(rate.denominator) for rate in rates]
        if any(abs(a - b) < TOO_NEAR for a in logs for b in levels):
            return None
        least = mp.log(size) / len(path) - mp.log(2) * mp.prec / (4 * len(path))
        if levels[0] < least:
            return None
        return counts == [sum(a < b for a in logs) for b in levels]


def after(path: list, state: list) -> list:
    """Return the state after all steps, in floats of mpmath."""
    for program in path:
        registers = [state]
        for name, of, matrices, bias in program:
            given = [registers[i] for i in of]
            if name == "affine":
                out = bias
                for matrix, values in zip(matrices, given, strict=True):
                    out = [o + sum(w * x for w, x in zip(row, values, strict=True)) for o, row in zip(out, matrix, strict=True)]
            elif name in {"add", "mul"}:
                out = [a + b if name == "add" else a * b for a, b in zip(*given, strict=True)]
            else:
                curve = {"relu": lambda x: max(x, mpf(0)), "tanh": mp.tanh, "sigmoid": lambda x: 1 / (1 + mp.exp(-x))}[name]
                out = [curve(x) for x in given[0]]
            registers.append(out)
        state = registers[-1]
    return state


def long(matrix: list) -> list:
    """Return the middles of a matrix in floats of mpmath."""
    middles = [[(x[0] + x[1]) / 2 for x in row] for row in matrix]
    return [[mpf(x.numerator) / x.denominator for x in row] for row in middles]


CARDS = {"finite_time": finite_time}
FIELDS = {"finite_time": "start steps symbols inputs rates counts"}
TRUTHS = {"finite_time": finite_time_holds}
