"""One training in memory: the modules, the optimiser, the random numbers; one update at a time, and all of it as a state to go on from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from proofs.errors import Malformed
from verify.training.config import Config
from verify.training.forcing import Forcing, driven
from verify.training.models import Recurrent, make_model
from verify.training.observation import Observation, make_observation
from verify.training.optimiser import optimiser_of, rate_at, set_rate
from verify.training.records import Record


class Loop:
    """The training of one network on a series (T, N), at ``update``.

    **Guarantee:** exact in this sense: configuration, series and libraries give the parameters, bit for bit, whether or not the work is
    interrupted and continued from ``state``.
    """

    def __init__(self, config: Config, series: np.ndarray) -> None:
        """Draw the starting weights."""
        self.config, self.update = config, 0
        self.series = torch.from_numpy(np.ascontiguousarray(series, dtype=np.float64))
        self.generator = Generator().manual_seed(config.seed)
        self.model: Recurrent = make_model(config.model, self.generator)
        self.observation: Observation = make_observation(config.model, series.shape[1], self.generator)
        self.parameters = [*self.model.parameters(), *(value for value in self.observation.parameters() if value.numel())]
        self.optimiser = optimiser_of(config.optimiser, self.parameters)
        asked = config.forcing
        interval = asked.interval if asked.kind == "sparse" else None
        self.forcing = Forcing(interval, asked.alpha or 0.0, asked.rule, asked.gamma, asked.every)

    @property
    def epoch(self) -> int:
        """Return how many epochs are done."""
        return self.update // self.config.training.batches_per_epoch

    def batch(self) -> Tensor:
        """Return sequences that start anywhere in the series, with the noise asked for. **Shapes:** (sequence_length + 1, B, N)."""
        asked = self.config.training
        length = asked.sequence_length
        starts = torch.randint(len(self.series) - length, (asked.batch_size,), generator=self.generator)
        found = self.series[starts + torch.arange(length + 1).unsqueeze(1)]
        if asked.noise:
            found = found + asked.noise * torch.randn(found.shape, dtype=found.dtype, generator=self.generator)
        return found

    def measure(self, seconds: float) -> Record:
        """Take the next batch, let forcing adapt, and leave the gradient of the loss in the parameters; NaN where those are no numbers."""
        asked, x = self.config.training, self.batch()
        if not all(bool(part.isfinite().all()) for part in self.parameters):
            return Record(self.update, self.epoch, math.nan, math.nan, math.nan, None, seconds)
        self.forcing.adapt(self.model, self.observation, x[1:], self.update + 1)
        self.optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(self.observation(driven(self.model, self.observation, x, self.forcing)), x[1:])
        penalty = torch.zeros_like(loss)
        if asked.latent_regularisation:
            penalty = penalty + asked.latent_regularisation * self.model.penalty()
        if asked.observation_regularisation:
            penalty = penalty + asked.observation_regularisation * self.observation.penalty()
        (loss + penalty).backward()  # type: ignore[no-untyped-call]
        gradient = torch.linalg.vector_norm(torch.stack([part.grad.norm() for part in self.parameters if part.grad is not None]))
        alpha = self.forcing.alpha if self.config.forcing.kind == "generalised" else None
        return Record(self.update, self.epoch, loss.item(), penalty.item(), gradient.item(), alpha, seconds)

    def step(self) -> None:
        """Take the optimiser's step along the gradient that ``measure`` left."""
        training, optimiser = self.config.training, self.config.optimiser
        if training.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, training.clip)
        set_rate(self.optimiser, rate_at(optimiser, self.update, training.updates))
        self.optimiser.step()
        self.update += 1

    def state(self) -> dict[str, Any]:
        """Return all that the next update depends on."""
        return {
            "update": self.update,
            "config": self.config.digest,
            "alpha": self.forcing.alpha,
            "model": self.model.state_dict(),
            "observation": self.observation.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state. **Raises:** Malformed: it is of another configuration, or damaged."""
        where = "state of the training"
        if state.get("config") != self.config.digest:
            law, remedy = "a run goes on with its own configuration", "resume with the configuration of the run, or take another folder"
            raise Malformed(where=where, law=law, expected=self.config.digest, got=str(state.get("config")), remedy=remedy)
        try:
            self.model.load_state_dict(state["model"])
            self.observation.load_state_dict(state["observation"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["generator"])
            self.forcing.alpha, self.update = float(state["alpha"]), _within(state["update"], self.config.training.updates)
        except (KeyError, RuntimeError, ValueError, TypeError) as failure:
            law = "a run that can be resumed"
            raise Malformed(where=where, law=law, expected="a whole state", got=f"{type(failure).__name__}: {failure}"[:300]) from failure

    def free_run(self, steps: int) -> np.ndarray:
        """Return observations of the network on its own, from the first point of the series. **Shapes:** (steps, N)."""
        with torch.no_grad():
            z, step, found = self.observation.first(self.series[:1]), self.model.step(), []
            for _ in range(steps):
                found.append(self.observation(z)[0])
                z = step(z)
        return np.asarray(torch.stack(found).numpy())

    def predict(self, points: np.ndarray, ahead: int) -> np.ndarray:
        """Return predictions ``ahead`` steps later, each from one point. **Shapes:** (T, N) to (T, N)."""
        with torch.no_grad():
            z, step = self.observation.first(torch.from_numpy(np.ascontiguousarray(points))), self.model.step()
            for _ in range(ahead):
                z = step(z)
            return np.asarray(self.observation(z).numpy())


def _within(update: object, updates: int) -> int:
    if type(update) is not int or not 0 <= update <= updates:
        message = f"update {update!r} of {updates}"
        raise ValueError(message)
    return update
