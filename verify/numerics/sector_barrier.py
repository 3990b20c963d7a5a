"""Quadratic forms for card C1(ii) by a barrier method of our own: it uses the structure of the matrix, so that 100 states take a second.

A cone solver holds the square of the M (M + 1) / 2 unknowns; here Newton's equations are solved by conjugate gradients with products of
M x M matrices only (or directly where Q has few parameters: multiples of one matrix, or all diagonal ones).

Problem: maximise t subject to T(Q, L) > t I, Q > 0, L > 0, 1/2 < size(Q, L) < 1; T is ``Sector.matrix``, the size a weighted trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from verify.numerics.sectors import Sector

    Floats = NDArray[np.float64]
    Step = tuple[Floats, Floats, float, float]

Shape = Literal["identity", "diagonal", "full"]
_GROWTH = 4.0
_DECREASE = 0.5
_ARMIJO = 0.1
_BACK = 0.6
_LEAST_STEP = 1e-9
_LEAST_GAP = 1e-9
_SHARE = 0.1
_AHEAD = 3.0  # the level still rises by less than this times its last rise, or than the duality gap
MOST_STEPS = 150
_MOST_GRADIENTS = 150
_GRADIENT_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Quadratic:
    """A form Q (M x M), multipliers L (n) and the least eigenvalue ``margin`` of T(Q, L), Q and L being of size 1/2 to 1."""

    form: Floats
    multipliers: Floats
    margin: float


@dataclass(frozen=True)
class Ended:
    """How a solve ended: the last point, whether it became clear that no form will do, and how many Newton steps it took."""

    point: Quadratic
    hopeless: bool
    steps: int


@dataclass(frozen=True)
class Question:
    """A sector form (balanced), the rate c, and which forms Q may be used: ``ties`` (M x k) spans the diagonals; None for all of them."""

    sector: Sector
    rate: float
    ties: Floats | None

    @property
    def sizes(self) -> tuple[int, int]:
        """Return the numbers of states and of units."""
        return len(self.sector.J), len(self.sector.limits)

    def size_of(self, form: Floats, multipliers: Floats) -> float:
        """Return the weighted trace that fixes the scale."""
        states, units = self.sizes
        return float(np.trace(form)) / (2 * states) + float(multipliers.sum()) / (2 * max(1, units))

    def margin_of(self, form: Floats, multipliers: Floats) -> float:
        """Return the least eigenvalue of T(Q, L)."""
        return float(linalg.eigvalsh(self.sector.matrix(self.rate, form, multipliers), subset_by_index=[0, 0])[0])


def question(sector: Sector, rate: float, shape: Shape) -> Question:
    """Ask for forms of one shape; ``identity`` means multiples of the identity in the network's own coordinates."""
    ties = {"identity": sector.states[:, None] ** 2, "diagonal": np.eye(len(sector.J)), "full": None}[shape]
    return Question(sector, rate, None if ties is None else np.asarray(ties / np.abs(ties).max(axis=0), dtype=np.float64))


def start_of(asked: Question) -> Quadratic:
    """Return the plainest form of the shape asked for, not yet one that works."""
    states, units = asked.sizes
    form = np.eye(states) if asked.ties is None else np.diag(asked.ties.sum(axis=1))
    return Quadratic(form, np.ones(units), -np.inf)


def solve(asked: Question, start: Quadratic, seconds: float, *, enough: float = np.inf, steps: int = MOST_STEPS) -> Ended:
    """Raise the margin until it is ``enough``, or within a tenth of the largest possible, or it is clear that it stays negative.

    **Guarantee:** heuristic (floats). **Cost:** per Newton step a few products and one inverse of matrices of M + n rows, for full forms
    such products for each of up to 150 conjugate gradients.
    """
    deadline = monotonic() + seconds
    walk = _Walk.begin(asked, start, steps)
    count = 2 * sum(asked.sizes) + 2
    before = -np.inf
    while walk.steps < walk.most:
        centred = walk.centre(deadline, enough)
        margin = asked.margin_of(walk.form, walk.multipliers)
        left = min(1.2 * count / walk.weight, _AHEAD * (walk.level - before))
        if margin >= enough or (margin > 0 and left < _SHARE * margin):
            return walk.ended(margin)
        if centred and walk.level + left < 0:
            return walk.ended(margin, hopeless=True)
        if not centred or monotonic() > deadline or count / walk.weight < _LEAST_GAP:
            break
        before = walk.level
        walk.weight *= _GROWTH
    return walk.ended(asked.margin_of(walk.form, walk.multipliers))


@dataclass
class _Walk:
    """The point that moves: Q, L, t, and the weight of t against the barrier."""

    asked: Question
    form: Floats
    multipliers: Floats
    level: float
    weight: float
    most: int
    steps: int = 0

    @classmethod
    def begin(cls, asked: Question, start: Quadratic, most: int) -> _Walk:
        scale = 0.75 / asked.size_of(start.form, start.multipliers)
        form, multipliers = start.form * scale, start.multipliers * scale
        margin = asked.margin_of(form, multipliers)
        level = margin - 0.1 * max(abs(margin), 1e-3)
        return cls(asked, form, multipliers, level, 2 * sum(asked.sizes) / max(1e-2, abs(level)), most)

    def ended(self, margin: float, *, hopeless: bool = False) -> Ended:
        return Ended(Quadratic(self.form, self.multipliers, margin), hopeless, self.steps)

    def centre(self, deadline: float, enough: float) -> bool:
        """Take Newton steps until the decrement is small; say whether it became so."""
        value = _barrier(self, self.form, self.multipliers, self.level)
        while self.steps < self.most and monotonic() < deadline:
            self.steps += 1
            local = _Local.at(self)
            step = local.direct_step() if self.asked.ties is not None else local.gradient_step(deadline)
            length = self._advance(step, value)
            if length == 0.0:
                return False
            value = _barrier(self, self.form, self.multipliers, self.level)
            if step[3] < _DECREASE or (enough < np.inf and self.asked.margin_of(self.form, self.multipliers) >= enough):
                return True
        return False

    def _advance(self, step: Step, value: float) -> float:
        """Go along a step as far as the barrier falls; return the length, 0 where it does not."""
        change, units, level, decrement = step
        length = 1.0
        while length > _LEAST_STEP:
            moved = self.form + length * change, self.multipliers + length * units, self.level + length * level
            if _barrier(self, *moved) <= value - _ARMIJO * length * decrement:
                self.form, self.multipliers, self.level = moved
                return length
            length *= _BACK
        return 0.0


def _barrier(walk: _Walk, form: Floats, multipliers: Floats, level: float) -> float:
    """Return -weight t minus the logarithms of everything that is to stay positive; infinity where something is not."""
    room = 1.0 - walk.asked.size_of(form, multipliers)
    if room <= 0 or room >= 0.5 or (multipliers <= 0).any():  # noqa: PLR2004 - the size lies between 1/2 and 1
        return np.inf
    slack = walk.asked.sector.matrix(walk.asked.rate, form, multipliers)
    slack[np.diag_indices_from(slack)] -= level
    try:
        one, two = np.linalg.cholesky(slack), np.linalg.cholesky(form)
    except np.linalg.LinAlgError:
        return np.inf
    logs = 2 * np.log(np.diag(one)).sum() + 2 * np.log(np.diag(two)).sum() + np.log(multipliers).sum() + np.log(room) + np.log(0.5 - room)
    return float(-walk.weight * level - logs)


@dataclass(frozen=True)
class _Local:
    """Inverses, gradient and second derivatives of the barrier at one point (X is the inverse of T - t I)."""

    asked: Question
    X: Floats
    form_inverse: Floats
    multipliers: Floats
    bend: float
    gradient: tuple[Floats, Floats, float]
    small: Floats

    @classmethod
    def at(cls, walk: _Walk) -> _Local:
        asked, sector = walk.asked, walk.asked.sector
        states, units = asked.sizes
        slack = sector.matrix(asked.rate, walk.form, walk.multipliers)
        slack[np.diag_indices_from(slack)] -= walk.level
        X, inverse = _inverse(slack), _inverse(walk.form)
        room = 1.0 - asked.size_of(walk.form, walk.multipliers)
        pull, bend = 1 / room - 1 / (0.5 - room), 1 / room**2 + 1 / (0.5 - room) ** 2
        forms, weights = sector.adjoint(asked.rate, X)
        gradient = (
            -forms - inverse + np.eye(states) * pull / (2 * states),
            -weights - 1 / walk.multipliers + pull / (2 * max(1, units)),
            float(np.trace(X)) - walk.weight,
        )
        return cls(asked, X, inverse, walk.multipliers, bend, gradient, _small_block(asked, X, walk.multipliers, bend))

    def direct_step(self) -> Step:
        """Solve Newton's equations for a form with few parameters, all second derivatives written out."""
        asked, ties = self.asked, self.asked.ties
        if ties is None:
            message = "a direct step needs a form with few parameters"
            raise ValueError(message)
        forms, mixed = _diagonal_blocks(asked, self.X, self.form_inverse, self.bend)
        hessian = np.block([[ties.T @ forms @ ties, ties.T @ mixed], [mixed.T @ ties, self.small]])
        gradient = np.concatenate([ties.T @ np.diag(self.gradient[0]), self.gradient[1], [self.gradient[2]]])
        step = -_solved(hessian, gradient)
        count = ties.shape[1]
        return np.diag(ties @ step[:count]), step[count:-1], float(step[-1]), float(-gradient @ step)

    def gradient_step(self, deadline: float) -> Step:
        """Solve Newton's equations for a full form by preconditioned conjugate gradients."""
        units = len(self.multipliers)
        right = -self.gradient[0], -np.concatenate([self.gradient[1], [self.gradient[2]]])
        form, rest = _conjugate_gradients(self.curvature, self._preconditioner(), right, deadline)
        form = (form + form.T) / 2
        decrement = float((right[0] * form).sum() + right[1] @ rest)
        return form, rest[:units], float(rest[units]), decrement

    def curvature(self, form: Floats, rest: Floats) -> tuple[Floats, Floats]:
        """Apply the second derivative to a change (Q, (L, t))."""
        asked, units = self.asked, len(self.multipliers)
        change = asked.sector.matrix(asked.rate, form, rest[:units])
        change[np.diag_indices_from(change)] -= rest[units]
        weight = self.X @ change @ self.X
        forms, weights = asked.sector.adjoint(asked.rate, weight)
        states = len(form)
        bend = self.bend * asked.size_of(form, rest[:units])
        forms = forms + self.form_inverse @ form @ self.form_inverse + np.eye(states) * bend / (2 * states)
        weights = weights + rest[:units] / self.multipliers**2 + bend / (2 * max(1, units))
        return forms, np.concatenate([weights, [-np.trace(weight)]])

    def _preconditioner(self) -> Callable[[Floats, Floats], tuple[Floats, Floats]]:
        """Return the inverse of E -> A E A + B E B for the form, exactly by diagonalising both, and of the block of the rest."""
        states, ahead, rate = len(self.form_inverse), self.asked.sector.ahead, self.asked.rate
        here = rate * rate * self.X[:states, :states] + self.form_inverse
        values, vectors = linalg.eigh(ahead @ self.X @ ahead.T, here)
        scale = 1.0 + np.outer(values, values)
        factor = linalg.cho_factor(self.small)

        def apply(form: Floats, rest: Floats) -> tuple[Floats, Floats]:
            return vectors @ ((vectors.T @ form @ vectors) / scale) @ vectors.T, np.asarray(linalg.cho_solve(factor, rest))

        return apply


def _conjugate_gradients(
    curvature: Callable[[Floats, Floats], tuple[Floats, Floats]],
    preconditioner: Callable[[Floats, Floats], tuple[Floats, Floats]],
    right: tuple[Floats, Floats],
    deadline: float,
) -> tuple[Floats, Floats]:
    form, rest = np.zeros_like(right[0]), np.zeros_like(right[1])
    left_form, left_rest = right
    along = ahead = preconditioner(*right)
    power = first = float((left_form * ahead[0]).sum() + left_rest @ ahead[1])
    for _ in range(_MOST_GRADIENTS):
        bent = curvature(*along)
        length = power / float((along[0] * bent[0]).sum() + along[1] @ bent[1])
        form, rest = form + length * along[0], rest + length * along[1]
        left_form, left_rest = left_form - length * bent[0], left_rest - length * bent[1]
        ahead = preconditioner(left_form, left_rest)
        before, power = power, float((left_form * ahead[0]).sum() + left_rest @ ahead[1])
        if power < _GRADIENT_TOLERANCE * first or monotonic() > deadline:
            break
        along = ahead[0] + power / before * along[0], ahead[1] + power / before * along[1]
    return form, rest


def _small_block(asked: Question, X: Floats, multipliers: Floats, bend: float) -> Floats:
    """Return the second derivatives with respect to (L, t)."""
    (states, units), slack = asked.sizes, asked.sector.slack
    across = slack @ X
    mixed = across[:, states:]
    block = np.zeros((units + 1, units + 1))
    block[:units, :units] = 2 * mixed * mixed.T + 2 * X[states:, states:] * (across @ slack.T) + np.diag(1 / multipliers**2)
    block[:units, :units] += bend / (2 * max(1, units)) ** 2
    square = X @ X
    block[:units, units] = block[units, :units] = -2 * np.einsum("ij,ji->i", slack, square[:, states:])
    block[units, units] = np.trace(square)
    return block


def _diagonal_blocks(asked: Question, X: Floats, inverse: Floats, bend: float) -> tuple[Floats, Floats]:
    """Return the second derivatives with respect to the diagonal of Q twice, and once with (L, t)."""
    sector, (states, units), square = asked.sector, asked.sizes, asked.rate**2
    ahead = sector.ahead @ X
    here, cross = X[:states, :states], ahead[:, :states].T
    forms = square**2 * here**2 - square * (cross**2 + (cross**2).T) + (ahead @ sector.ahead.T) ** 2 + inverse**2 + bend / (2 * states) ** 2
    slack = (sector.slack @ X)[:, :states].T
    mixed = 2 * (square * X[:states, states:] * slack - ahead[:, states:] * (ahead @ sector.slack.T))
    mixed += bend / (2 * states) / (2 * max(1, units))
    level = -np.diag(sector.adjoint(asked.rate, X @ X)[0])
    return forms, np.hstack([mixed, level[:, None]])


def _inverse(matrix: Floats) -> Floats:
    inverse = np.linalg.inv(matrix)
    return np.asarray((inverse + inverse.T) / 2, dtype=np.float64)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """Solve a positive definite system, with a little added to the diagonal where rounding spoils it."""
    for lift in (0.0, 1e-12, 1e-9):
        try:
            factor = linalg.cho_factor(matrix + lift * np.diag(np.diag(matrix)))
        except linalg.LinAlgError:
            continue
        return np.asarray(linalg.cho_solve(factor, right), dtype=np.float64)
    return np.asarray(linalg.lstsq(matrix, right)[0], dtype=np.float64)
