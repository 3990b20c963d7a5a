"""The loop: states and frames move together, the frames are orthonormalised at a pace that keeps them well conditioned.

The frames after T steps span J_T ... J_1 Q: the last Jacobian stands left, as the chain rule has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import torch
from torch import Tensor

from proofs.errors import Malformed
from verify.lyapunov.orthogonal import Factored, Pace, orthonormalise, random_frames
from verify.lyapunov.system import System

Moment = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class Stretch:
    """What happened between two factorisations.

    **Shapes:** trail: the (states, inputs) before each step; before, images (B, n, k); logs (B, k) in float64, of the diagonal; volume (B,)
    the sum of log|det J| by formula (k = n and a formula only). ``whole``: no direction of the first sequence had died before.
    """

    trail: tuple[Moment, ...]
    before: Tensor
    images: Tensor
    logs: Tensor
    volume: Tensor | None
    whole: bool

    def first_sequence(self) -> Stretch:
        """Return a copy that holds the first sequence alone."""
        trail = tuple((states[:1].clone(), None if inputs is None else inputs[:1].clone()) for states, inputs in self.trail)
        before, images, logs = (values[:1].clone() for values in (self.before, self.images, self.logs))
        return Stretch(trail, before, images, logs, None if self.volume is None else self.volume[:1], self.whole)


class Engine:
    """A batch of orbits with their frames, at time ``time`` (the index of the next input).

    ``rank`` (B,) counts the directions that no Jacobian has killed since ``count_from_here``; ``unresolved`` counts, over stretches and
    batch, directions shrunk below rounding level although the formula of log|det J| says that no Jacobian was singular.
    """

    def __init__(self, system: System, states: Tensor, inputs: Tensor | None, k: int, pace: Pace, seed: int) -> None:
        """Start at ``states`` (B, n) with random frames; ``inputs`` (T, B, m) are used in order, each once."""
        self.system, self.states, self.inputs, self.pace = system, states, inputs, pace
        self.k, self.time, self.factorisations, self.unresolved = k, 0, 0, 0
        self.frames = random_frames(states.shape[0], (system.dimension, k), states, seed)
        self.rank = torch.full((states.shape[0],), k, device=states.device)
        self.by_formula = False

    def settle(self, steps: int) -> None:
        """Move the states alone.

        **Raises:** Malformed where a state overflows, naming the step.
        """
        for _ in range(steps):
            states, inputs = self.states, self._input(self.time)
            self.states = self.system.step(states, inputs)
            if not bool(torch.isfinite(self.states).all()):
                raise _overflow(self.time)
            self.time += 1

    def count_from_here(self) -> None:
        """Begin the measurement: directions that died before are alive again (the frame was completed by an orthonormal complement)."""
        self.rank.fill_(self.k)
        self.factorisations = self.unresolved = 0
        self.pace.begin()

    def stretch(self, most: int) -> Stretch:
        """Move states and frames by the pace's number of steps, at most ``most``, and orthonormalise.

        Where the condition grew far beyond what was predicted, or a direction seems to die, the stretch is done again with fewer steps.
        **Raises:** Malformed where a state or the images overflow, naming the step.
        """
        length = min(self.pace.length, most)
        while True:
            trail, states, images = self._push(length)
            if bool(torch.isfinite(images).all()):
                factored = orthonormalise(images)
                if length == 1 or not self._doubtful(factored):
                    break
            elif length == 1 or not self.pace.adaptive:
                raise _overflow(self.time, self.time + length - 1)
            length = max(1, length // 2)
        volume = self._volume(trail) if self.k == self.system.dimension else None
        whole = int(self.rank[0]) == self.k
        logs = self._logs(factored, trail, volume)
        self.pace.observe(length, logs)
        done = Stretch(trail, self.frames, images, logs, volume, whole)
        self.states, self.frames, self.time = states, factored.frames, self.time + length
        self.factorisations += 1
        return done

    def _push(self, length: int) -> tuple[tuple[Moment, ...], Tensor, Tensor]:
        states, images, trail = self.states, self.frames, []
        for step in range(self.time, self.time + length):
            trail.append((states, self._input(step)))
            states, images = self.system.push(states, trail[-1][1], images)
        if not bool(torch.isfinite(states).all()):
            finite = [bool(torch.isfinite(passed).all()) for passed, _ in trail[1:]]
            raise _overflow(self.time + (finite.index(False) if False in finite else length - 1))
        return tuple(trail), states, images

    def _input(self, step: int) -> Tensor | None:
        return None if self.inputs is None else self.inputs[step]

    def _doubtful(self, factored: Factored) -> bool:
        if not self.pace.adaptive:
            return False
        alive = self._alive()
        logs = factored.diagonal.double().log().where(alive, nan)
        return bool((factored.zero & alive).any()) or self.pace.overrun(logs)

    def _alive(self) -> Tensor:
        return torch.arange(self.k, device=self.rank.device) < self.rank.unsqueeze(1)

    def _volume(self, trail: tuple[Moment, ...]) -> Tensor | None:
        total: Tensor | None = None
        for states, inputs in trail:
            found = self.system.log_det(states, inputs)
            if found is None:
                return None
            total = found.double() if total is None else total + found.double()
        self.by_formula = True
        return total

    def _logs(self, factored: Factored, trail: tuple[Moment, ...], volume: Tensor | None) -> Tensor:
        """Return log diag R; minus infinity from the first dead direction on, unless the formula says that nothing died."""
        alive = self._alive()
        zero = factored.zero & alive
        dying = bool(zero.any())
        if dying and self.k < self.system.dimension:
            volume = self._volume(trail)
        diagonal = factored.diagonal.double()
        if volume is not None:
            sure = torch.isneginf(volume)
            zero = self._sure(zero, alive, sure) if self.k == self.system.dimension else zero & sure.unsqueeze(1)
        logs = diagonal.clamp_min(torch.finfo(factored.frames.dtype).tiny).log()
        if dying and volume is not None:
            logs = self._resolved(logs, factored.zero & alive & ~zero, volume)
        first = torch.where(zero.any(dim=1), zero.to(torch.int8).argmax(dim=1), self.k)
        self.rank = torch.minimum(self.rank, first)
        return logs.where(self._alive(), -inf)

    def _sure(self, zero: Tensor, alive: Tensor, sure: Tensor) -> Tensor:
        """Where the determinant is 0 the last direction is dead at least; where it is not, none is."""
        last = torch.zeros_like(zero)
        last[:, -1] = True
        return torch.where(sure.unsqueeze(1), (zero | last) & alive, False)

    def _resolved(self, logs: Tensor, doubtful: Tensor, volume: Tensor) -> Tensor:
        """Give a single direction below rounding level what the determinant leaves to it (k = n); count several as unresolved."""
        single = (doubtful.sum(dim=1) == 1) & (self.k == self.system.dimension) & torch.isfinite(volume)
        rest = volume - logs.where(~doubtful, 0.0).sum(dim=1)
        self.unresolved += int(doubtful[~single].sum())
        return torch.where(doubtful & single.unsqueeze(1), rest.unsqueeze(1), logs)


def _overflow(first: int, last: int | None = None) -> Malformed:
    if last is None:
        return Malformed(
            where=f"the state after step {first + 1}",
            law="states stay finite",
            expected="finite numbers",
            got="an infinite or NaN state: the orbit diverges",
            remedy="start elsewhere, or check weights and inputs",
        )
    return Malformed(
        where=f"the frames between steps {first + 1} and {last + 1}",
        law="images stay finite",
        expected="finite numbers",
        got="an infinite or NaN image of the frame",
        remedy="orthonormalise more often (qr smaller or 'adaptive'), or look at the Jacobian there",
    )
