"""Identities that a right computation obeys, looked at in every run.

Sum of the exponents = mean log|det J|; the pushed frame = the derivative by automatic differentiation; the engine's product = the adjoint
product, transposed and with the time reversed; sums of log diag R = log volumes of the images. A product in the wrong order, a transposed
Jacobian, a state with a part missing, logarithms out of place: each breaks one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, log, sqrt

import torch
from torch import Tensor

from proofs.errors import Malformed
from verify.lyapunov.engine import Moment, Stretch
from verify.lyapunov.orthogonal import orthonormalise
from verify.lyapunov.system import System

_TOLERANCE = {torch.float64: 1e-8, torch.float32: 2e-3}
_DENSE = 64
_DIRECTIONS = 3
_STEP = {torch.float64: 6e-6, torch.float32: 5e-3}
_FINER = 64
_VAGUE = 0.1
_BY_DIFFERENCES = {torch.float64: 1e-5, torch.float32: 5e-2}


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


def determinant_by_formula(sums: Tensor, volumes: Tensor, dtype: torch.dtype, dimension: int, *, lost: bool = False) -> Check:
    """Compare sums of exponents with the means of log|det J| by formula, both (B,); two minus infinities agree.

    ``lost``: some directions shrank below rounding level although no Jacobian was singular; the sequences that have one are left out.
    """
    beyond = torch.isneginf(sums) & torch.isfinite(volumes) & lost
    error = torch.where((sums == volumes) | beyond, 0.0, (sums - volumes).abs()).amax()
    left_out = f", {int(beyond.sum())} of {len(sums)} sequences left out: directions below rounding level" if bool(beyond.any()) else ""
    detail = f"sum of exponents against mean log|det J| by formula, along the whole run{left_out}"
    return Check("sum", float(error), _TOLERANCE[dtype] * dimension, detail)


def determinant_by_sample(system: System, stretches: Sequence[Stretch]) -> tuple[Check, list[float]]:
    """Compare sums of exponents with log|det J| of dense Jacobians, built from the identity, over whole stretches of the first sequence.

    Returns the check and the values of log|det J|, step by step. **Cost** n^3 for each step of the sample.
    """
    values: list[float] = []
    error, steps = 0.0, 0
    for stretch in stretches:
        volumes = _log_dets(system, stretch.trail)
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


def _log_dets(system: System, trail: Sequence[Moment]) -> list[float]:
    """Return log|det J| at the first state of each moment, from one push; minus infinity where J is singular at rounding level."""
    states, inputs = zip(*(_first(moment) for moment in trail), strict=True)
    known = [x for x in inputs if x is not None]
    columns = torch.eye(system.dimension, dtype=states[0].dtype, device=states[0].device).expand(len(trail), -1, -1)
    jacobians = system.push(torch.cat(states), torch.cat(known) if known else None, columns)[1]
    singular = orthonormalise(jacobians).zero.any(dim=1)
    logs: list[float] = torch.linalg.slogdet(jacobians.double())[1].where(~singular, -inf).tolist()
    return logs


def _first(moment: Moment) -> tuple[Tensor, Tensor | None]:
    states, inputs = moment
    return states[:1], None if inputs is None else inputs[:1]


def jacobian_check(system: System, moments: Sequence[Moment], seed: int, drift: float = 0.0) -> Check:
    """Compare what is pushed with the derivative of ``step``, and the next state with ``step`` itself.

    By automatic differentiation: the whole Jacobian up to 64 dimensions; beyond, u'(J V) for three random u and V. By central differences
    in three random directions as well: they see what automatic differentiation is blind to, such as a detached tensor. Where the step is
    kinked or too steep for differences they tell nothing, and the detail says so. The check that failed is returned, else that of autodiff.
    ``drift``: how far the orbit went away from what is pushed, along the whole run where that is known.
    """
    if not drift <= _TOLERANCE[system.dtype]:
        return Check("jacobian", drift, _TOLERANCE[system.dtype], "the states of the run against those that push moves to")
    by_autodiff = _autodiff_check(system, moments, seed)
    differences = _difference_check(system, moments, seed)
    if by_autodiff is None:
        return differences
    if by_autodiff.passed and not differences.passed:
        return differences
    detail = f"{by_autodiff.detail} and {differences.detail.removeprefix('push ')}"
    return Check("jacobian", by_autodiff.value, by_autodiff.tolerance, detail)


def _autodiff_check(system: System, moments: Sequence[Moment], seed: int) -> Check | None:
    """Return None where ``step`` cannot be differentiated in reverse mode."""
    error, kind = 0.0, "autodiff" if system.dimension <= _DENSE else "autodiff (random directions)"
    for moment in moments:
        states, inputs = _first(moment)
        directions = _directions(states, system.dimension, seed)
        covectors = directions[0] if system.dimension <= _DENSE else directions[0].T.flip(1)
        pulled = _pulled_back(system, [moment], covectors)
        if pulled is None:
            return None
        moved, pushed = system.push(states, inputs, directions)
        expected, found = pulled @ directions[0], covectors @ pushed[0].to(covectors)
        scale = max(float(expected.abs().amax()), _floor(states.dtype, _TOLERANCE[states.dtype]))
        error = _worst(error, float((found - expected).abs().amax()) / scale, _drift(system, moment, moved))
    return Check("jacobian", error, _TOLERANCE[system.dtype], f"push against {kind} at {len(moments)} states")


def _difference_check(system: System, moments: Sequence[Moment], seed: int) -> Check:
    error, silent, tolerance = 0.0, 0, _BY_DIFFERENCES[system.dtype]
    for moment in moments:
        states, inputs = _first(moment)
        directions = _weighted(states, seed)
        moved, pushed = system.push(states, inputs, directions.T.unsqueeze(0))
        error = _worst(error, _drift(system, moment, moved))
        found = _disagreement(system, moment, directions, pushed[0].T.to(directions), tolerance)
        silent += found is None
        error = _worst(error, found or 0.0)
    skipped = f", {silent} left out: kinked or too steep for differences" if silent else ""
    return Check("jacobian", error, tolerance, f"push against central differences at {len(moments)} states{skipped}")


def _floor(dtype: torch.dtype, tolerance: float) -> float:
    """Return the size below which slopes are compared absolutely: 1 - tanh^2 has an error of eps, however small it is."""
    return 1000 * torch.finfo(dtype).eps / tolerance


def _worst(*errors: float) -> float:
    return inf if any(isnan(error) for error in errors) else max(errors)


def _drift(system: System, moment: Moment, moved: Tensor) -> float:
    states, inputs = _first(moment)
    with torch.no_grad():
        return float((moved - system.step(states, inputs)).abs().amax()) / max(1.0, float(moved.abs().amax()))


def _weighted(states: Tensor, seed: int) -> Tensor:
    """Return up to three directions (d, n) with every entry between half the size of its state (1 at least) and that size."""
    count = min(_DIRECTIONS, states.shape[1])
    draws = 2 * torch.rand(count, states.shape[1], generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1
    return torch.where(draws < 0, draws - 1, draws + 1).to(states) / 2 * states[0].abs().clamp_min(1)


def _disagreement(system: System, moment: Moment, directions: Tensor, pushed: Tensor, tolerance: float) -> float | None:
    """Return the relative error of the images ``pushed`` (d, n), None where differences are too uncertain to judge.

    Images that agree at one of two reaches are right; a disagreement at the longer reach counts only where rounding spoils the shorter.
    """
    verdict: float | None = None
    if not bool(torch.isfinite(pushed).all()):
        return inf
    for reach in (_STEP[pushed.dtype], _STEP[pushed.dtype] / _FINER):
        slope, doubt, rounding = _differences(system, moment, directions, reach)
        if not doubt < inf:
            verdict = None
            continue
        scale = max(float(slope.abs().amax()), float(pushed.abs().amax()), _floor(pushed.dtype, tolerance))
        error = float((slope - pushed).abs().amax()) / scale
        if error <= tolerance:
            return error
        if doubt + rounding <= tolerance / 4 * scale and doubt <= _VAGUE * float(slope.abs().amax()) + 4 * rounding:
            verdict = error
        elif doubt > 4 * rounding:
            verdict = None
    return verdict


def _differences(system: System, moment: Moment, directions: Tensor, reach: float) -> tuple[Tensor, float, float]:
    """Return central differences (d, n) of ``step``, how uncertain they are, and how large rounding of numbers near 1 makes them.

    The uncertainty is the change of the difference when its length is doubled, and what a kink leaves of the second differences of both
    lengths (for a smooth step these vanish with the square of the length); infinite where the step cannot be taken nearby.
    """
    states, inputs = _first(moment)
    lengths = [0.0, reach, -reach, 2 * reach, -2 * reach]
    points = torch.cat([states + length * directions for length in lengths])
    copies = None if inputs is None else inputs.expand(len(points), -1)
    try:
        with torch.no_grad():
            here, up, down, far_up, far_down = system.step(points, copies).chunk(len(lengths))
    except Malformed:
        return torch.full_like(directions, inf), inf, 0.0
    slope, longer = (up - down) / (2 * reach), (far_up - far_down) / (4 * reach)
    bend, wider = (up - 2 * here + down) / reach, (far_up - 2 * here + far_down) / (2 * reach)
    rounding = 8 * torch.finfo(states.dtype).eps / reach * max(1.0, float(here.abs().amax()))
    return slope, float((slope - longer).abs().amax()) + float((2 * bend - wider).abs().amax()), rounding


def _directions(states: Tensor, dimension: int, seed: int) -> Tensor:
    if dimension <= _DENSE:
        return torch.eye(dimension, dtype=states.dtype, device=states.device).unsqueeze(0)
    normal = torch.randn(1, dimension, _DIRECTIONS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (normal / sqrt(dimension)).to(states)


def spread(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return the first, the middle and the last of the stretches, fewer where there are not so many."""
    last = len(stretches) - 1
    return [stretches[index] for index in sorted({0, last // 2, last})] if stretches else []


def order_check(system: System, stretches: Sequence[Stretch], seed: int) -> Check | None:
    """Return ``adjoint_check`` of some stretches, unless the logarithms of one of all are wrong: then the check that says so."""
    found, error = adjoint_check(system, spread(stretches), seed), logs_error(system, stretches)
    tolerance = _TOLERANCE[system.dtype]
    if error <= tolerance or (found is not None and not found.passed):
        return found
    return Check("order", error, tolerance, f"sums of log diag R against volumes of the images, in {len(stretches)} stretches")


def logs_error(system: System, stretches: Sequence[Stretch]) -> float:
    """Return how far the sum of the first j logarithms of a stretch is from the log volume of the first j images, the worst j of all.

    Beyond what rounding may do, 4 n eps |images| / r_i for each i <= j; images from the first near rounding level on are left out.
    """
    error, eps = 0.0, torch.finfo(system.dtype).eps
    least = torch.finfo(system.dtype).tiny / eps
    for stretch in stretches:
        images, logs = stretch.images[0].cpu().double(), stretch.logs[0].cpu()
        peak = float(images.abs().amax())
        if not 0 < peak < inf:
            continue
        diagonal = torch.linalg.qr(images / peak, mode="r")[1].diagonal().abs()
        rounding = 4 * len(images) * eps * float(torch.linalg.vector_norm(images / peak)) / diagonal
        clear = (rounding < _VAGUE) & (diagonal > least / peak) & ~torch.isneginf(logs)
        known = clear.to(torch.int8).cumprod(dim=0).bool()
        apart = (logs - diagonal.log() - log(peak))[known].cumsum(dim=0).abs() - rounding[known].cumsum(dim=0)
        error = _worst(error, *apart.tolist())
    return error


def adjoint_check(system: System, stretches: Sequence[Stretch], seed: int) -> Check | None:
    """Compare the engine's images P Q with the adjoint product: u'(P Q) = (P'u)'Q, P' = J_1' ... J_T' by reverse mode, time reversed.

    A Jacobian transposed, a product in the wrong order or a step out of time breaks it wherever J_s and J_t do not commute. None where
    ``step`` cannot be differentiated in reverse mode.
    Stretches that shrink everything by more than the rounding of 1 - tanh^2 are left out.
    """
    error, steps, faint = 0.0, 0, 0
    for number, stretch in enumerate(stretches):
        images, before = stretch.images[0], stretch.before[0]
        if 0 < float(images.abs().amax()) < _floor(system.dtype, _TOLERANCE[system.dtype]) ** len(stretch.trail):
            faint += 1
            continue
        generator = torch.Generator().manual_seed(seed + number)
        covectors = torch.randn(_DIRECTIONS, system.dimension, generator=generator, dtype=torch.float64).to(images)
        pulled = _pulled_back(system, stretch.trail, covectors)
        if pulled is None:
            return None
        scale = float(torch.linalg.vector_norm(images) * torch.linalg.vector_norm(covectors))
        found = float(torch.linalg.vector_norm(covectors @ images - pulled @ before))
        error = max(error, inf if isnan(found) else found / scale if scale else found)
        steps += len(stretch.trail)
    detail = (
        f"the product J_T ... J_1 Q against the adjoint product, time reversed, over {steps} steps in {len(stretches) - faint} stretches"
    )
    left_out = f", {faint} left out: shrunk too much to compare" if faint else ""
    return Check("order", error, _TOLERANCE[system.dtype], detail + left_out)


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


def resolution_check(finite: int, lost: int) -> Check:
    """Return the check that no direction that fell below rounding level, though no Jacobian was singular, has a finite exponent."""
    detail = f"directions below rounding level while log|det J| is finite: {lost}, all minus infinity"
    return Check("resolution", float(finite), 0.0, detail)
