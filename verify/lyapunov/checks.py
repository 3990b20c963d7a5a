"""Identities that a right computation obeys, looked at in every run.

Sum of the exponents = mean log|det J|; the pushed frame = the derivative by automatic differentiation; the engine's product = the adjoint
product, transposed and with the time reversed. A product in the wrong order, a transposed Jacobian, a state with a part missing: each
breaks one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, sqrt

import torch
from torch import Tensor

from verify.lyapunov.engine import Moment, Stretch
from verify.lyapunov.orthogonal import orthonormalise
from verify.lyapunov.system import System

_TOLERANCE = {torch.float64: 1e-8, torch.float32: 2e-3}
_DENSE = 64
_DIRECTIONS = 3
_DIFFERENCES = "central differences"
_STEP = {torch.float64: 6e-6, torch.float32: 5e-3}


@dataclass(frozen=True)
class Check:
    """One identity: the largest error found, what was allowed, and whether it held; ``detail`` says what was compared."""

    name: str
    value: float
    tolerance: float
    detail: str

    @property
    def passed(self) -> bool:
        """Tell whether the error is within what rounding may do (an error of nan is not)."""
        return self.value <= self.tolerance

    def as_json(self) -> dict[str, object]:
        """Return the check as ``--json`` prints it."""
        value = None if isnan(self.value) or self.value == inf else self.value
        return {"name": self.name, "value": value, "tolerance": self.tolerance, "passed": self.passed, "detail": self.detail}


def determinant_by_formula(sums: Tensor, volumes: Tensor, dtype: torch.dtype, dimension: int) -> Check:
    """Compare sums of exponents with the means of log|det J| by formula, both (B,); two minus infinities agree."""
    error = torch.where(sums == volumes, 0.0, (sums - volumes).abs()).amax()
    detail = "sum of exponents against mean log|det J| by formula, along the whole run"
    return Check("sum", float(error), _TOLERANCE[dtype] * dimension, detail)


def determinant_by_sample(system: System, stretches: Sequence[Stretch]) -> tuple[Check, list[float]]:
    """Compare sums of exponents with log|det J| of dense Jacobians, built from the identity, over whole stretches of the first sequence.

    Returns the check and the values of log|det J|, step by step. **Cost** n^3 for each step of the sample.
    """
    values: list[float] = []
    error, steps = 0.0, 0
    for stretch in stretches:
        volumes = [_log_det(system, moment) for moment in stretch.trail]
        total, volume = float(stretch.logs[0].sum()), sum(volumes)
        error = max(error, 0.0 if total == volume else abs(total - volume) / len(volumes))
        steps += len(volumes)
        values += volumes
    detail = f"sum of exponents against log|det J| of dense Jacobians, a sample of {steps} steps in {len(stretches)} stretches"
    return Check("sum", error, _TOLERANCE[system.dtype] * system.dimension, detail), values


def dense_jacobian(system: System, moment: Moment) -> Tensor:
    """Return the Jacobian (n, n) at the first state of a moment, from the identity pushed forward."""
    states, inputs = _first(moment)
    return system.push(states, inputs, torch.eye(system.dimension, dtype=states.dtype, device=states.device).unsqueeze(0))[1][0]


def _log_det(system: System, moment: Moment) -> float:
    """Return log|det J| at the first state; minus infinity where J is singular at rounding level."""
    jacobian = dense_jacobian(system, moment)
    if bool(orthonormalise(jacobian.unsqueeze(0)).zero.any()):
        return -inf
    return float(torch.linalg.slogdet(jacobian.double())[1])


def _first(moment: Moment) -> tuple[Tensor, Tensor | None]:
    states, inputs = moment
    return states[:1], None if inputs is None else inputs[:1]


def jacobian_check(system: System, moments: Sequence[Moment], seed: int) -> Check:
    """Compare what is pushed with the derivative of ``step`` by automatic differentiation, and the next state with ``step`` itself.

    The whole Jacobian up to 64 dimensions; beyond, u'(J V) for three random u and V. A step that cannot be differentiated automatically
    is compared with central differences, and the detail says so.
    """
    error, kinds = 0.0, set()
    for moment in moments:
        states, inputs = _first(moment)
        directions = _directions(states, system.dimension, seed)
        moved, pushed = system.push(states, inputs, directions)
        expected, found, kind = _derivative(system, moment, directions[0], pushed[0])
        kinds.add(kind)
        scale = max(float(expected.abs().amax()), torch.finfo(states.dtype).tiny)
        drift = float((moved - system.step(states, inputs)).abs().amax()) / max(1.0, float(moved.abs().amax()))
        worst = torch.tensor([error, float((found - expected).abs().amax()) / scale, drift])
        error = inf if bool(worst.isnan().any()) else float(worst.amax())
    tolerance = _STEP[system.dtype] * 10 if _DIFFERENCES in kinds else _TOLERANCE[system.dtype]
    detail = f"push against {' and '.join(sorted(kinds))} at {len(moments)} states"
    return Check("jacobian", error, tolerance, detail)


def _directions(states: Tensor, dimension: int, seed: int) -> Tensor:
    if dimension <= _DENSE:
        return torch.eye(dimension, dtype=states.dtype, device=states.device).unsqueeze(0)
    normal = torch.randn(1, dimension, _DIRECTIONS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (normal / sqrt(dimension)).to(states)


def _derivative(system: System, moment: Moment, directions: Tensor, pushed: Tensor) -> tuple[Tensor, Tensor, str]:
    """Return the derivative along the directions, what was pushed in the same form, and how the derivative was found."""
    size = system.dimension
    covectors = torch.eye(size).to(pushed) if size <= _DENSE else directions.T.flip(1)
    pulled = _pulled_back(system, [moment], covectors)
    if pulled is not None:
        return pulled @ directions, covectors @ pushed, "autodiff" if size <= _DENSE else "autodiff (random directions)"
    states, inputs = _first(moment)
    reach = _STEP[states.dtype]
    high, low = (torch.cat([system.step(states + sign * reach * column, inputs) for column in directions.T]) for sign in (1, -1))
    return ((high - low) / (2 * reach)).T, pushed, _DIFFERENCES


def adjoint_check(system: System, stretches: Sequence[Stretch], seed: int) -> Check | None:
    """Compare the engine's images P Q with the adjoint product: u'(P Q) = (P'u)'Q, P' = J_1' ... J_T' by reverse mode, time reversed.

    A Jacobian transposed, a product in the wrong order or a step out of time breaks it wherever J_s and J_t do not commute. None where
    ``step`` cannot be differentiated in reverse mode.
    """
    error, steps = 0.0, 0
    for number, stretch in enumerate(stretches):
        images, before = stretch.images[0], stretch.before[0]
        generator = torch.Generator().manual_seed(seed + number)
        covectors = torch.randn(_DIRECTIONS, system.dimension, generator=generator, dtype=torch.float64).to(images)
        pulled = _pulled_back(system, stretch.trail, covectors)
        if pulled is None:
            return None
        scale = float(torch.linalg.vector_norm(images) * torch.linalg.vector_norm(covectors))
        found = float(torch.linalg.vector_norm(covectors @ images - pulled @ before))
        error = max(error, inf if isnan(found) else found / scale if scale else found)
        steps += len(stretch.trail)
    detail = f"the product J_T ... J_1 Q against the adjoint product, time reversed, over {steps} steps in {len(stretches)} stretches"
    return Check("order", error, _TOLERANCE[system.dtype], detail)


def _pulled_back(system: System, trail: Sequence[Moment], covectors: Tensor) -> Tensor | None:
    for moment in reversed(trail):
        states, inputs = _first(moment)
        copies = None if inputs is None else inputs.expand(len(covectors), -1)
        try:
            covectors = _pull(system, states.expand(len(covectors), -1), copies, covectors)
        except (RuntimeError, NotImplementedError):
            return None
    return covectors


def _pull(system: System, states: Tensor, inputs: Tensor | None, covectors: Tensor) -> Tensor:
    """Return J'u for each row u (``torch.func.vjp`` would do the same, after two seconds of imports)."""
    with torch.enable_grad():
        leaves = states.detach().clone().requires_grad_()
        return torch.autograd.grad(system.step(leaves, inputs), leaves, covectors)[0]


def resolution_check(unresolved: int) -> Check:
    """Return the check that no direction fell below rounding level although no Jacobian was singular."""
    return Check("resolution", float(unresolved), 0.0, "directions shrunk below rounding level while log|det J| is finite")
