"""Three networks learn to read, from a weak, a moderate and a strong start; their Lyapunov spectra are watched on the way.

With a gain below 1 a network starts out forgetful, well above 1 chaotic on its own; what it reads may drive even that one to order, its
largest exponent below 0. `--figure FILE` draws the exponents over the training, `--json FILE` keeps the numbers.
"""

import argparse
import json
from pathlib import Path

from torch import Tensor, nn

from verify.lyapunov.tasks import train_char
from verify.lyapunov.training import Record, SpectrumCallback

asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("--gains", type=float, nargs="+", default=[0.5, 1.5, 3.0], help="scale of the recurrent weights")
asked.add_argument("--cell", choices=["rnn", "gru", "lstm"], default="rnn")
asked.add_argument("--hidden", type=int, default=32)
asked.add_argument("--steps", type=int, default=300, help="optimizer steps")
asked.add_argument("--every", type=int, default=100, help="optimizer steps between two spectra")
asked.add_argument("--k", type=int, default=4, help="exponents")
asked.add_argument("--figure", type=Path, help="an SVG or PNG file")
asked.add_argument("--json", type=Path, help="a file for the numbers")
wanted = asked.parse_args()


def line(record: Record) -> str:
    """Return a record as a line of the table."""
    loss = "  -  " if record.loss is None else f"{record.loss:5.3f}"
    leading = "  ".join(f"{value:+.3f} ± {half:.3f}" for value, half in zip(record.exponents, record.half_widths, strict=True))
    return f"  step {record.step:4d}  loss {loss}  {leading}" + "".join(f"  {name} FAILED" for name in record.failed)


def watch(core: nn.Module, probe: Tensor) -> SpectrumCallback:
    """Return a callback on one sequence of the probe, and keep it."""
    callbacks.append(SpectrumCallback(core, k=wanted.k, every=wanted.every, inputs=probe[:, :1]))
    return callbacks[-1]


callbacks: list[SpectrumCallback] = []
numbers = {}
for gain in wanted.gains:
    trained = train_char({"cell": wanted.cell, "hidden": wanted.hidden, "gain": gain, "steps": wanted.steps}, watch)
    callback = callbacks[-1]
    print(f"gain {gain:g}: {wanted.cell} of {wanted.hidden} units; the leading exponents in nats per step, with 95 % intervals")
    print("\n".join(line(record) for record in trained.records))
    print(f"  validation loss {trained.final_loss:.3f} nats, {trained.accuracy:.0%} of the characters guessed")
    print(f"  training took {trained.seconds:.1f} s, the spectra {callback.overhead:.0%} of that in addition")
    about = {"final_loss": trained.final_loss, "training_seconds": trained.seconds, "losses": trained.losses}
    numbers[f"gain {gain:g}"] = about | callback.as_json()

if wanted.json is not None:
    wanted.json.write_text(json.dumps(numbers, indent=1), encoding="utf-8")
if wanted.figure is not None:
    from verify.lyapunov.figures import save, training_figure

    print(f"wrote {save(training_figure(dict(zip(numbers, (callback.history for callback in callbacks), strict=True))), wanted.figure)}")
