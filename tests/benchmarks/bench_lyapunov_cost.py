"""Cost of a spectrum: a step of H = 512 LSTM and GRU against dense Jacobians, and against this machine's own matrix product and QR.

One run measures, for k = 10 and k = all, batch 16, in float64:

* ours: a step of the engine (state, tangent map, factorisations at the adaptive pace) in the middle of a run, medians over stretches;
* dense: the Jacobian of each sequence built as the published code does (gates' diagonals with ``torch.diag_embed``, matrix products with
  the weights; the full state (h, c) here), then J Q and a QR at every step; and by ``torch.vmap(torch.func.jacrev(step))``, for one step;
* bound: what no way of this kind avoids: the recurrent weights times the frames, one plain product for all columns of all sequences (k =
  10) or the diagonals folded into one matrix for each sequence, whichever is cheaper here, and ``torch.linalg.qr`` at our own pace.

Peak memory is that of a process of its own for each way (the imports are in it). ``--batch``, ``--hidden``, ``--threads`` change the case;
``--threads 1 --clock processor`` is for a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import torch
from torch import Tensor, nn

from tests.benchmarks.measured import ROOT, TO_MEGABYTES, Table, measured
from verify.lyapunov.engine import Engine
from verify.lyapunov.orthogonal import Pace, random_frames
from verify.lyapunov.system import System
from verify.lyapunov.systems import system_of

WAYS = ("ours", "dense", "jacrev", "bound")
INPUT = 32
CLOCKS = {"wall": perf_counter, "processor": process_time}
clock = perf_counter


def module(kind: str, hidden: int) -> nn.RNNBase:
    """Return the network as torch initialises it."""
    torch.manual_seed(0)
    return nn.LSTM(INPUT, hidden) if kind == "LSTM" else nn.GRU(INPUT, hidden)


def main() -> None:
    """Measure one case and one way in this process (``--way``), or all in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="LSTM", choices=("LSTM", "GRU"))
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--k", type=int, default=0, help="0: all")
    parser.add_argument("--steps", type=int, default=0, help="0: 100 for k = 10, 4 for all")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch has it")
    parser.add_argument("--clock", default="wall", choices=tuple(CLOCKS), help="processor: for one thread on a machine that others use")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--pace", type=float, default=1.0, help="of the bound: steps between factorisations")
    wish = parser.parse_args()
    global clock  # noqa: PLW0603 - one process, one clock
    clock = CLOCKS[wish.clock]
    if wish.threads:
        torch.set_num_threads(wish.threads)
    if wish.way is None:
        table(wish)
        return
    with torch.no_grad():
        found = Case(wish).measure(wish.way)
    print(json.dumps({**found, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * TO_MEGABYTES}))


def table(wish: argparse.Namespace) -> None:
    """Print the table of all cases."""
    print(f"hidden {wish.hidden}, batch {wish.batch}, float64, {torch.get_num_threads()} threads, {wish.clock} time")
    columns = [("QR every", 10), ("ms/step", 11), ("of it QR", 10), ("peak MB", 10), ("ours is", 16)]
    shown = Table(("case", 26), *columns)
    for k in (10, 0):
        for kind in ("LSTM", "GRU"):
            case(shown, wish, kind, k)


def case(shown: Table, wish: argparse.Namespace, kind: str, k: int) -> None:
    """Print the lines of one network and one k."""
    ours: dict[str, float] = {}
    for way in WAYS:
        found = alone(wish, kind, k, way, ours.get("pace", 1.0))
        ours = ours or found
        ratio = found["seconds"] / ours["seconds"]
        told = {"ours": "", "bound": f"{100 * ratio:.0f} % of it"}.get(way, f"{ratio:.1f} x faster")
        cells = [f"{found['pace']:.1f}", f"{1e3 * found['seconds']:.1f}", f"{1e3 * found['qr']:.1f}", f"{found['megabytes']:.0f}", told]
        shown.line(f"{kind} k = {k or 'all'}, {way}", *cells)


def alone(wish: argparse.Namespace, kind: str, k: int, way: str, pace: float) -> dict[str, float]:
    """Measure one way in a process of its own."""
    sizes = {
        "hidden": wish.hidden,
        "batch": wish.batch,
        "k": k,
        "steps": wish.steps,
        "threads": torch.get_num_threads(),
        "clock": wish.clock,
    }
    options = [text for name, value in sizes.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "tests.benchmarks.bench_lyapunov_cost", "--kind", kind, "--way", way, "--pace", str(pace), *options]
    done = measured(command)
    if done.code:
        sys.exit(f"{' '.join(command)} in {ROOT}:\n{done.errors}")
    return dict(json.loads(done.output))


class Case:
    """One network, one k, and the ways to take a step."""

    def __init__(self, wish: argparse.Namespace) -> None:
        """Build the network, its inputs and a frame."""
        self.kind, self.hidden, self.batch, self.pace = wish.kind, wish.hidden, wish.batch, wish.pace
        self.module = module(wish.kind, wish.hidden).double()
        self.system: System = system_of(self.module)
        self.size = self.system.dimension
        self.k = wish.k or self.size
        self.steps = wish.steps or (100 if self.k < self.size else 4)
        self.x = torch.randn(3 * self.steps + 4, self.batch, INPUT, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def measure(self, way: str) -> dict[str, float]:
        """Return the median seconds of a step, those of them for QR, and the pace."""
        return dict(getattr(self, f"_{way}")())

    def _ours(self) -> dict[str, float]:
        engine = Engine(self.system, self.system.start(self.batch, 0), self.x, self.k, Pace("adaptive", torch.float64), 0)
        while engine.time < self.steps:
            engine.stretch(self.steps - engine.time)
        engine.count_from_here()
        begin, seconds = engine.time, []
        while engine.time < begin + self.steps:
            start, length = clock(), -engine.time
            engine.stretch(begin + self.steps - engine.time)
            seconds.append((clock() - start) / (length + engine.time))
        qr = timed(lambda: torch.linalg.qr(engine.frames), 3)
        pace = self.steps / engine.factorisations
        return {"seconds": median(seconds), "qr": qr / pace, "pace": pace}

    def _dense(self) -> dict[str, float]:
        return self._with(lambda states, inputs: dense(self.module, self.kind, states, inputs), 3 if self.k < self.size else 1)

    def _jacrev(self) -> dict[str, float]:
        def single(state: Tensor, inputs: Tensor) -> Tensor:
            return self.system.step(state.unsqueeze(0), inputs.unsqueeze(0))[0]

        return self._with(torch.vmap(torch.func.jacrev(single), chunk_size=1), 1)

    def _with(self, jacobians: Callable[[Tensor, Tensor], Tensor], times: int) -> dict[str, float]:
        states, frames = self.system.start(self.batch, 0), self._frames()

        def step() -> Tensor:
            self.system.step(states, self.x[0])
            return jacobians(states, self.x[0]) @ frames

        images = step()
        if not torch.allclose(images, self.system.push(states, self.x[0], frames)[1], atol=1e-9):
            sys.exit("the dense Jacobian is another one")
        moved, qr = timed(step, times), timed(lambda: torch.linalg.qr(images), times)
        return {"seconds": moved + qr, "qr": qr, "pace": 1.0}

    def _bound(self) -> dict[str, float]:
        frames = self._frames()
        weight = dict(self.module.named_parameters())["weight_hh_l0"].detach()
        columns = frames[:, : self.hidden].permute(1, 0, 2).reshape(self.hidden, -1).contiguous()
        folded = weight[: self.hidden].expand(self.batch, -1, -1).contiguous()
        blocks = 2 if self.kind == "LSTM" else 1
        ways = [timed(lambda: weight @ columns, 3)]
        if self.k == self.size:
            ways.append(blocks * timed(lambda: folded @ frames[:, : self.hidden], 3))
        qr = timed(lambda: torch.linalg.qr(frames), 3) / self.pace
        return {"seconds": min(ways) + qr, "qr": qr, "pace": self.pace}

    def _frames(self) -> Tensor:
        return random_frames(self.batch, (self.size, self.k), self.x, 0)


def timed(action: Callable[[], object], times: int) -> float:
    """Return the median seconds of an action, the first time left out unless it is the only one."""
    seconds = []
    for _ in range(times + (times > 1)):
        start = clock()
        action()
        seconds.append(clock() - start)
    return median(seconds[1:] or seconds)


def dense(network: nn.RNNBase, kind: str, states: Tensor, inputs: Tensor) -> Tensor:
    """Return the Jacobians (B, n, n) by products of diagonal matrices with the weights, as the published code builds them."""
    hidden = network.hidden_size
    h = states[:, :hidden]
    W = {name: parameter.detach() for name, parameter in network.named_parameters()}
    U = W["weight_hh_l0"].split(hidden)
    driven = (inputs @ W["weight_ih_l0"].T + W["bias_ih_l0"]).split(hidden, dim=1)
    recurrent = (h @ W["weight_hh_l0"].T + W["bias_hh_l0"]).split(hidden, dim=1)
    return dense_lstm(U, driven, recurrent, states[:, hidden:]) if kind == "LSTM" else dense_gru(U, driven, recurrent, h)


def dense_lstm(U: tuple[Tensor, ...], driven: tuple[Tensor, ...], recurrent: tuple[Tensor, ...], c: Tensor) -> Tensor:
    """Return d(h', c') / d(h, c)."""
    i, f, g, o = (a + b for a, b in zip(driven, recurrent, strict=True))
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cell = (f * c + i * g).tanh()
    by_h = diag(f * (1 - f) * c) @ U[1] + diag(i * (1 - i) * g) @ U[0] + diag(i * (1 - g**2)) @ U[2]
    through = diag(o * (1 - cell**2))
    top = [through @ by_h + diag(o * (1 - o) * cell) @ U[3], through @ diag(f)]
    return torch.cat([torch.cat(top, dim=2), torch.cat([by_h, diag(f)], dim=2)], dim=1)


def dense_gru(U: tuple[Tensor, ...], driven: tuple[Tensor, ...], recurrent: tuple[Tensor, ...], h: Tensor) -> Tensor:
    """Return dh' / dh."""
    r, z = (driven[0] + recurrent[0]).sigmoid(), (driven[1] + recurrent[1]).sigmoid()
    n = (driven[2] + r * recurrent[2]).tanh()
    inner = diag(r * (1 - r) * recurrent[2]) @ U[0] + diag(r) @ U[2]
    return diag(z * (1 - z) * (h - n)) @ U[1] + diag((1 - z) * (1 - n**2)) @ inner + diag(z)


def diag(values: Tensor) -> Tensor:
    """Return diagonal matrices."""
    return torch.diag_embed(values)


if __name__ == "__main__":
    main()
