"""Teacher forcing: sparse (every tau steps the data replace the state) and generalised (every step they are mixed in).

    z <- F(z),  the prediction x^ is of this z,  then  z~ = (1 - alpha) z + alpha z^  on the forced states

z^ is the state of the data, from the inverse of the observation. Sparse forcing is alpha = 1 at every tau-th step and 0 between. The
rules for alpha take Jacobians of F at the forcing states; with N their norm in the rule's sense, alpha* = max(0, 1 - 1 / N). Every
``every`` batches alpha becomes alpha* if that is larger, else gamma alpha + (1 - gamma) alpha*.

See Mikhaeil et al. 2022 (sparse), Doya 1992 and Hess et al. 2023 (generalised).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from proofs.errors import Malformed
from verify.training.drive import drive
from verify.training.models import FLOAT, Recurrent
from verify.training.observation import Observation


@dataclass
class Forcing:
    """How the data drive the network: with an ``interval`` sparse, otherwise generalised, ``alpha`` being its state.

    **Guarantee:** heuristic.
    """

    interval: int | None = None
    alpha: float = 0.0
    rule: str = "constant"
    gamma: float = 0.999
    every: int = 5

    def shares(self, steps: int) -> list[float]:
        """Return the share of the data in the forced states after each of ``steps`` steps."""
        if self.interval is None:
            return [self.alpha] * steps
        return [float(t % self.interval == 0) for t in range(1, steps + 1)]

    def adapt(self, model: Recurrent, observation: Observation, x: Tensor, batch: int) -> None:
        """Let the rule set alpha, at every ``every``-th batch; x: (T, B, N) data after the first step. **Raises:** as ``norm``."""
        if self.interval is not None or self.rule == "constant" or batch % self.every:
            return
        with torch.no_grad():
            wanted = published_alpha(norm(self.rule, model, forcing_states(model, observation, x)))
        self.alpha = wanted if wanted > self.alpha else self.gamma * self.alpha + (1 - self.gamma) * wanted


def driven(model: Recurrent, observation: Observation, x: Tensor, forcing: Forcing) -> Tensor:
    """Return the predicted states of sequences. **Shapes:** x (T + 1, B, N), result (T, B, M). **Cost:** T steps, one after the other."""
    states = forcing_states(model, observation, x[1:])
    forced = torch.arange(model.dimension) < observation.forced
    shares = torch.tensor(forcing.shares(len(states)), dtype=FLOAT).unsqueeze(1) * forced
    return drive(observation.first(x[0]), shares.unsqueeze(1) * states, 1 - shares, model.form())


def forcing_states(model: Recurrent, observation: Observation, x: Tensor) -> Tensor:
    """Return the states z^ at which the rules take Jacobians, unobserved entries 0. **Shapes:** (T, B, N) to (T, B, M)."""
    states = observation.invert(x)
    return torch.nn.functional.pad(states, (0, model.dimension - states.shape[-1]))


def published_alpha(found: float) -> float:
    """Return max(0, 1 - 1 / N). **Example:** a norm of 2 asks for one half.

    >>> published_alpha(2.0), published_alpha(0.5)
    (0.5, 0.0)
    """
    return max(0.0, 1.0 - 1.0 / found) if found > 0 else 0.0


def norm(rule: str, model: Recurrent, states: Tensor) -> float:
    """Return the norm N of a rule at forcing states (T, B, M).

    jacobian_upper_bound: a bound from norms of the parameters; batch_maximum: the largest spectral norm of a Jacobian; of the other rules
    each sequence has one value and the largest counts: product_upper_bound the geometric mean of the spectral norms, arithmetic_mean the
    spectral norm of the mean Jacobian, explog_approx that of exp(mean(log J)).

    **Guarantee:** heuristic; infinite where a Jacobian overflows. **Raises:** Malformed: explog_approx where a Jacobian has no logarithm.
    """
    if rule == "jacobian_upper_bound":
        return model.norm_bound()
    patterns, which = torch.unique(model.pattern(states).flatten(0, 1), dim=0, return_inverse=True)
    jacobians, which = model.jacobians(patterns), which.unflatten(0, states.shape[:2])
    if not bool(jacobians.isfinite().all()):
        return math.inf
    if rule in {"batch_maximum", "product_upper_bound"}:
        norms = torch.linalg.matrix_norm(jacobians, 2)
        each = norms if rule == "batch_maximum" else norms[which].log().mean(0).exp()
        return float(each.max())
    counts = torch.nn.functional.one_hot(which, len(patterns)).to(FLOAT).mean(0)
    if rule == "arithmetic_mean":
        return float(torch.linalg.matrix_norm(torch.einsum("bp,pij->bij", counts, jacobians), 2).max())
    logs = np.stack([_logarithm(jacobian) for jacobian in jacobians.numpy()])
    return max(_exponential_norm(mean) for mean in np.einsum("bp,pij->bij", counts.numpy(), logs))


def _logarithm(jacobian: np.ndarray) -> np.ndarray:
    """Return the principal logarithm, complex where an eigenvalue is negative. **Raises:** Malformed."""
    from scipy.linalg import logm

    if np.linalg.slogdet(jacobian)[0] == 0:
        raise _no_logarithm()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = np.asarray(logm(jacobian))
    except (ValueError, np.linalg.LinAlgError) as failure:
        raise _no_logarithm() from failure
    if not np.isfinite(found).all():
        raise _no_logarithm()
    return found


def _no_logarithm() -> Malformed:
    law, remedy = "Jacobians have a logarithm", "take the rule product_upper_bound"
    return Malformed(where="rule explog_approx", law=law, expected="Jacobians that are not singular", got="a singular one", remedy=remedy)


def _exponential_norm(mean: np.ndarray) -> float:
    from scipy.linalg import expm

    return float(np.linalg.norm(expm(mean), 2))
