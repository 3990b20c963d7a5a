"""Gradients of a loss by the weights, by automatic differentiation through a run: free, or forced towards a teacher (GTF)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofs.errors import Malformed
from verify.center import without_radius
from verify.errors import Unsupported
from verify.numerics.batch import floats_of
from verify.training.gradients import Place, places

if TYPE_CHECKING:
    import torch

    from proofs.network import Network, Operation

    Floats = NDArray[np.float64]
    Registers = list[torch.Tensor]

_CURVES = ("relu", "tanh", "sigmoid")


@dataclass(frozen=True)
class RunGradients:
    """The loss of one run and its gradient: max norms by the name of the array (``verify.training.gradients.places``).

    ``norm``: Euclidean norm over all weights; inf or nan once the run has left the range of floats.
    **Guarantee:** heuristic: floats (float64), automatic differentiation through all steps.
    """

    loss: float
    norms: Mapping[str, float]
    norm: float
    last: tuple[float, ...]

    @property
    def is_finite(self) -> bool:
        """Say whether loss and gradient are numbers."""
        return isfinite(self.loss) and isfinite(self.norm)


def run_gradients(
    network: Network, start: ArrayLike, targets: ArrayLike, *, forced: int = 0, alpha: float = 0.0, settle: int = 0
) -> RunGradients:
    """Run T steps from a state, compare with targets (T, N), and differentiate the mean squared error by every weight.

    With ``forced`` n > 0 each step starts from (1 - alpha) z + alpha target of the step before on the first n states (generalised teacher
    forcing: Hess et al. 2023); the first step is free. The first ``settle`` steps do not count in the loss, but gradients pass through.

    **Shapes:** start (M,), targets (T, N), N <= M. **Cost:** one pass through T steps and back.
    **Raises:** Malformed for shapes, numbers of forced states and shares that do not fit; Unsupported for products of registers.
    """
    import torch

    from verify.numerics.threads import one_thread

    goal, state = _checked(network, start, targets, forced, alpha, settle)
    with one_thread():
        weights = weights_of(network)
        step = step_of(network, weights)
        z, wanted, shown = torch.from_numpy(state), torch.from_numpy(goal), list[torch.Tensor]()
        for time in range(len(goal)):
            if forced and time:
                z = torch.cat([(1 - alpha) * z[:forced] + alpha * wanted[time - 1, :forced], z[forced:]])
            z = step(z)
            shown.append(z[: goal.shape[1]])
        loss = torch.mean((torch.stack(shown[settle:]) - wanted[settle:]) ** 2)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = {name: weights[place].grad for place, name in places(network).items()}
        parts = {name: value.detach().numpy() for name, value in gradients.items() if value is not None}
    norms = {name: float(np.abs(value).max(initial=0.0)) for name, value in parts.items()}
    whole = float(np.linalg.norm(np.concatenate([value.ravel() for value in parts.values()])))
    return RunGradients(float(loss.detach()), norms, whole, tuple(map(float, z.detach())))


def weights_of(network: Network) -> dict[Place, torch.Tensor]:
    """Return every matrix and bias of the program (the middles of intervals) as float64 leaves that gradients are gathered in."""
    import torch

    leaves: dict[Place, torch.Tensor] = {}
    for number, operation in enumerate(without_radius(network).program):
        if operation.bias is not None:
            for index, matrix in enumerate(operation.matrices):
                leaves[Place(number, index)] = torch.tensor(floats_of(matrix), requires_grad=True)
            leaves[Place(number)] = torch.tensor(floats_of(operation.bias)[:, 0], requires_grad=True)
    return leaves


def step_of(network: Network, weights: Mapping[Place, torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the state map z (M,) -> F(z) on tensors, its weights taken from ``weights``. **Raises:** Unsupported for ``mul``."""
    import torch

    if any(operation.name == "mul" for operation in network.program):
        got = "an operation mul"
        raise Unsupported(where="run gradients", law="networks without gates", expected="affine, relu, tanh, sigmoid, add", got=got)
    curves = {name: getattr(torch, name) for name in _CURVES}

    def apply(number: int, operation: Operation, registers: Registers) -> torch.Tensor:
        inputs = [registers[i] for i in operation.of]
        if operation.bias is None:
            value: torch.Tensor = inputs[0] + inputs[1] if operation.name == "add" else curves[operation.name](inputs[0])
            return value
        total = weights[Place(number)]
        for index, register in enumerate(inputs):
            total = total + weights[Place(number, index)] @ register
        return total

    def step(z: torch.Tensor) -> torch.Tensor:
        registers = [z]
        for number, operation in enumerate(network.program):
            registers.append(apply(number, operation, registers))
        return registers[-1]

    return step


def _checked(network: Network, start: ArrayLike, targets: ArrayLike, forced: int, alpha: float, settle: int) -> tuple[Floats, Floats]:
    size = network.dimension
    state, goal = np.array(start, dtype=np.float64), np.array(targets, dtype=np.float64)
    observed = goal.shape[1] if goal.ndim == 2 else 0  # noqa: PLR2004 - (T, N)
    wrong = [
        ("start", f"{size} finite numbers", str(state.shape), state.shape == (size,) and bool(np.isfinite(state).all())),
        ("targets", f"(T, N), N from 1 to {size}, finite", str(goal.shape), 1 <= observed <= size and bool(np.isfinite(goal).all())),
        ("forced", f"from 0 to {observed} states", str(forced), 0 <= forced <= observed),
        ("alpha", "from 0 to 1", str(alpha), 0 <= alpha <= 1),
        ("settle", f"from 0 to {len(goal) - 1} steps", str(settle), 0 <= settle < len(goal)),
    ]
    for where, expected, got, holds in wrong:
        if not holds:
            raise Malformed(where=f"run gradients, {where}", law="what a run needs", expected=expected, got=got)
    return goal, state
