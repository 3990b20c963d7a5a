"""The loop: states and frames move together, the frames are orthonormalised at a pace that keeps them well conditioned.

The frames after T steps span J_T ... J_1 Q: the last Jacobian stands left, as the chain rule has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import numpy as np
import torch
from torch import Tensor

from proofs.errors import Malformed
from verify.lyapunov.ahead import Ahead, first_unbounded, overflow, walk, worthwhile
from verify.lyapunov.orthogonal import Factored, Pace, orthonormalise, quickly, random_frames
from verify.lyapunov.system import System

Moment = tuple[Tensor, Tensor | None]
_TOGETHER = 64


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

    ``rank`` (B,) counts the directions that live since ``count_from_here``; ``lost`` those of all sequences that died without a singular
    Jacobian: shrunk below rounding level in one step, several at once or without a formula for all directions to tell by how much.
    """

    def __init__(
        self, system: System, states: Tensor, inputs: Tensor | None, k: int, pace: Pace, seed: int, end: int | None = None
    ) -> None:
        """Start at ``states`` (B, n) with random frames; ``inputs`` (T, B, m) are used in order, each once.

        ``end``: no step is taken after this time (without it, that of the last input): as far a small system may look ahead.
        """
        self.system, self.states, self.inputs, self.pace = system, states, inputs, pace
        self.k, self.time, self.factorisations, self.lost = k, 0, 0, 0
        self.frames = random_frames(states.shape[0], (system.dimension, k), states, seed)
        self.rank = torch.full((states.shape[0],), k, device=states.device)
        self.intact = True
        known = len(inputs) if end is None and inputs is not None else end
        small = worthwhile(system, len(states))
        self.ahead = Ahead(system, inputs, known, with_volumes=k == system.dimension) if small else None

    def settle(self, steps: int) -> None:
        """Move the states alone.

        **Raises:** Malformed where a state overflows, naming the step.
        """
        while steps:
            count = min(steps, _TOGETHER)
            inputs = None if self.inputs is None else self.inputs[self.time : self.time + count]
            passed = walk(self.system, self.states, inputs, count, count)
            lost = first_unbounded(passed)
            if lost is not None:
                raise overflow(self.time + lost)
            self.states, self.time, steps = passed[-1], self.time + count, steps - count

    def count_from_here(self) -> None:
        """Begin the measurement: directions that died before are alive again (the frame was completed by an orthonormal complement)."""
        self.rank.fill_(self.k)
        self.intact = True
        self.factorisations = self.lost = 0
        self.pace.begin()

    def stretch(self, most: int) -> Stretch:
        """Move states and frames by the pace's number of steps, at most ``most``, and orthonormalise.

        Where the condition grew far beyond what was predicted, or a direction seems to die, the stretch is done again with fewer steps.
        **Raises:** Malformed where a state or the images overflow, naming the step.
        """
        length = min(self.pace.length, most)
        whole = self.intact or int(self.rank[0]) == self.k
        while True:
            trail, states, images = self._push(length)
            reduced = self._reduced(trail, images)
            if reduced is not None:
                break
            length = max(1, length // 2)
        frames, logs, volume = reduced
        self.pace.observe(length, logs.cpu().numpy())
        done = Stretch(trail, self.frames, images, logs, volume, whole)
        self.states, self.frames, self.time = states, frames, self.time + length
        self.factorisations += 1
        return done

    def _push(self, length: int) -> tuple[tuple[Moment, ...], Tensor, Tensor]:
        if self.ahead is not None:
            return self._multiplied(self.ahead, length)
        states, images, trail = self.states, self.frames, []
        for step in range(self.time, self.time + length):
            trail.append((states, self._input(step)))
            states, images = self.system.push(states, trail[-1][1], images)
        if not bool(torch.isfinite(states).all()):
            finite = [bool(torch.isfinite(passed).all()) for passed, _ in trail[1:]]
            raise overflow(self.time + 1 + (finite.index(False) if False in finite else length - 1))
        return tuple(trail), states, images

    def _multiplied(self, ahead: Ahead, length: int) -> tuple[tuple[Moment, ...], Tensor, Tensor]:
        """Return what ``_push`` does, from the dense Jacobians."""
        at = ahead.reach(self.time, self.states, length)
        images = self.frames.numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            for jacobian in ahead.jacobians[at : at + length]:
                images = jacobian @ images
        trail = tuple((ahead.states[at + step], self._input(self.time + step)) for step in range(length))
        return trail, ahead.states[at + length], torch.from_numpy(images)

    def _reduced(self, trail: tuple[Moment, ...], images: Tensor) -> tuple[Tensor, Tensor, Tensor | None] | None:
        """Return new frames, log diag R and the sum of log|det J|; None where fewer steps are wanted."""
        quick = quickly(images.numpy()) if self.ahead is not None and self.intact else None
        length, volume = len(trail), None
        if quick is not None:
            frames, logs = quick
            if length > 1 and self.pace.overrun(logs):
                return None
            volume = self._volume(trail) if self.k == self.system.dimension else None
            if volume is None or (self.ahead is not None and self.ahead.regular) or bool(torch.isfinite(volume).all()):
                return frames, torch.from_numpy(logs), volume
        if not bool(torch.isfinite(images).all()):
            if length == 1 or not self.pace.adaptive:
                raise _steep(self.time + 1, self.time + length)
            return None
        factored = orthonormalise(images)
        if length > 1 and self._doubtful(factored):
            return None
        volume = self._volume(trail) if self.k == self.system.dimension else None
        return factored.frames, self._logs(factored, trail, volume), volume

    def _input(self, step: int) -> Tensor | None:
        return None if self.inputs is None else self.inputs[step]

    def _doubtful(self, factored: Factored) -> bool:
        if not self.pace.adaptive:
            return False
        alive = self._alive()
        logs = factored.diagonal.double().log().where(alive, nan)
        return bool((factored.zero & alive).any()) or self.pace.overrun(logs.cpu().numpy())

    def _alive(self) -> Tensor:
        return torch.arange(self.k, device=self.rank.device) < self.rank.unsqueeze(1)

    def _volume(self, trail: tuple[Moment, ...]) -> Tensor | None:
        if self.ahead is not None and self.ahead.with_volumes:
            return self.ahead.volume(self.time, len(trail))
        total: Tensor | None = None
        for states, inputs in trail:
            found = self.system.log_det(states, inputs)
            if found is None:
                return None
            total = found.double() if total is None else total + found.double()
        return total

    def _logs(self, factored: Factored, trail: tuple[Moment, ...], volume: Tensor | None) -> Tensor:
        """Return log diag R; minus infinity from the first direction on that is dead or lost."""
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
            doubtful = factored.zero & alive & ~zero
            logs, lost = self._resolved(logs, doubtful, volume)
            zero = zero | lost
            self.lost += int(lost.sum())
        first = torch.where(zero.any(dim=1), zero.to(torch.int8).argmax(dim=1), self.k)
        self.rank = torch.minimum(self.rank, first)
        self.intact = self.intact and not bool(zero.any())
        return logs.where(self._alive(), -inf)

    def _sure(self, zero: Tensor, alive: Tensor, sure: Tensor) -> Tensor:
        """Where the determinant is 0 the last direction is dead at least; where it is not, none is."""
        last = torch.zeros_like(zero)
        last[:, -1] = True
        return torch.where(sure.unsqueeze(1), (zero | last) & alive, False)

    def _resolved(self, logs: Tensor, doubtful: Tensor, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Give a single direction below rounding level what the determinant leaves to it (k = n); return the others, too: they are lost."""
        single = (doubtful.sum(dim=1) == 1) & (self.k == self.system.dimension) & torch.isfinite(volume)
        rest = volume - logs.where(~doubtful, 0.0).sum(dim=1)
        found = doubtful & single.unsqueeze(1)
        return torch.where(found, rest.unsqueeze(1), logs), doubtful & ~found


def _steep(first: int, last: int) -> Malformed:
    return Malformed(
        where=f"the frames between steps {first} and {last}",
        law="images stay finite",
        expected="finite numbers",
        got="an infinite or NaN image of the frame",
        remedy="orthonormalise more often (qr smaller or 'adaptive'), or look at the Jacobian there",
    )
