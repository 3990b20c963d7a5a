"""``orbitproof lyapunov``: the Lyapunov spectrum of a recurrent network, estimated with error bars, and proved where a proof exists."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proofs.errors import Malformed

if TYPE_CHECKING:
    from verify.lyapunov.answers import Answer, Task
    from verify.lyapunov.files import Given

_NETWORK = "network file, file of torch's recurrent weights (.pt .safetensors .npz), or package.module:name (this runs your code)"
_INPUT = "input sequence, time first, (T, m) or (T, B, m): .npy .npz .csv .pt .safetensors"
_LOOP = "feed the output back: the linear layer KEY of the file, or package.module:name (this runs your code)"
_START = "starting state: numbers such as 0.1,0.2,-0.3, or a file; an LSTM's is (h, c) of each layer"
_PERIODIC = "the input is one round that is repeated for ever"
_AUTONOMOUS = "hold the input of a recurrent module at 0"
_SET = "what the file does not say, such as activation=tanh, module=lstm, P=2"
_FIGURE = "draw the spectrum: .svg .png .pdf"
Network = Annotated[str, typer.Argument(metavar="NETWORK|MODULE", help=_NETWORK)]
InputFile = Annotated[Path | None, typer.Option("--input", metavar="FILE", help=_INPUT)]
Loop = Annotated[str | None, typer.Option("--closed-loop", metavar="KEY", help=_LOOP)]
Autonomous = Annotated[bool, typer.Option("--autonomous", help=_AUTONOMOUS)]
Periodic = Annotated[bool, typer.Option("--periodic", help=_PERIODIC)]
Start = Annotated[str | None, typer.Option("--start", metavar="STATE", help=_START)]
Steps = Annotated[int | None, typer.Option("--steps", metavar="T", help="steps measured; default 10000, or what the input leaves")]
Warmup = Annotated[
    int | None, typer.Option("--warmup", metavar="W", help="steps before, for the state to settle; default a fifth, at most 1000")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="seed of the starting states")]
Model = Annotated[str | None, typer.Option("--model", help="the network's family, such as plrnn, alrnn, lstm")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=_SET)]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")]
_Budget = Annotated[float, typer.Option("--budget", min=0.0, metavar="SECONDS", help="with --certify: time for the search")]
_FINITE = "with --certify: steps from the start whose finite-time exponents are proved; default 20, or what the input leaves"
_Certified = Annotated[int | None, typer.Option("--certified-steps", min=1, max=2**16, metavar="T", help=_FINITE)]
_Tangent = Annotated[int | None, typer.Option("--tangent-warmup", metavar="W", help="further steps, for the frame to align")]


class DtypeName(StrEnum):
    """What the floats are."""

    float64 = "float64"
    float32 = "float32"


class DeviceName(StrEnum):
    """Where the floats are computed."""

    cpu = "cpu"
    cuda = "cuda"


def lyapunov(  # noqa: PLR0913 - an option is a parameter
    network: Network,
    *,
    inputs: InputFile = None,
    periodic: Periodic = False,
    closed_loop: Loop = None,
    autonomous: Autonomous = False,
    k: Annotated[int | None, typer.Option("--k", min=1, metavar="K", help="only the K leading exponents; default all")] = None,
    steps: Steps = None,
    warmup: Warmup = None,
    tangent_warmup: _Tangent = None,
    batch: Annotated[int, typer.Option("--batch", min=1, metavar="B", help="sequences side by side")] = 1,
    start: Start = None,
    dimension: Annotated[int | None, typer.Option("--dimension", min=1, metavar="N", help="numbers of a step function's state")] = None,
    blocks: Annotated[int, typer.Option("--blocks", min=1, help="blocks of time, for the error bars")] = 32,
    covariant: Annotated[bool, typer.Option("--covariant", help="covariant vectors, too, and their least angle")] = False,
    dtype: Annotated[DtypeName, typer.Option("--dtype", help="precision of the estimate")] = DtypeName.float64,
    device: Annotated[DeviceName, typer.Option("--device", help="where the estimate is computed")] = DeviceName.cpu,
    seed: Seed = 0,
    certify: Annotated[bool, typer.Option("--certify", help="prove what can be proved of the exponents")] = False,
    digits: Annotated[int, typer.Option("--digits", min=1, max=60, help="with --certify: decimal places wanted")] = 20,
    budget: _Budget = 60.0,
    certified_steps: _Certified = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="with --certify: the certificate")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help=_FIGURE)] = None,
    model: Model = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Estimate Lyapunov exponents in nats per step, with error bars and identity checks; with --certify prove what can be proved.

    Finite-time exponents, proved for the first steps of one orbit, are no limits.
    Exit code 0: estimated, or with --certify something was proved, if only of finite time; 3: nothing was proved.
    """
    from verify.cli import _finish, _refuse_overwriting
    from verify.lyapunov.texts import answer_text

    _refuse_odd(certify, output, figure, certified_steps)
    for read in (network, *(str(path) for path in (inputs, start) if path is not None)):
        for written in (output, figure):
            _refuse_overwriting(read, written)
    wishes: dict[str, object] = {
        "k": k,
        "steps": steps,
        "warmup": warmup,
        "tangent_warmup": tangent_warmup,
        "batch": batch,
        "dimension": dimension,
    }
    wishes |= {"blocks": blocks, "covariant": covariant or None, "dtype": dtype.value, "device": device.value, "seed": seed}
    found = _found(network, model, settings)
    asked = task(found, inputs, closed_loop, start, periodic=periodic, autonomous=autonomous, wishes=wishes)
    answer = _answered(asked, (budget, digits, certified_steps) if certify else None, output, figure)
    _finish(answer.as_json(), answer_text(answer), answer.verdict, as_json)


def _found(network: str, model: str | None, settings: list[str] | None) -> Given:
    from verify.cli import _settings
    from verify.lyapunov.files import given

    return given(network, model, _settings(settings))


def task(
    found: Given,
    inputs: Path | None,
    closed_loop: str | None,
    start: str | None,
    *,
    periodic: bool = False,
    autonomous: bool = False,
    wishes: dict[str, object] | None = None,
) -> Task:
    """Return what the options ask for, with the files read. **Raises** Malformed: options that clash, files that do not fit."""
    from verify.lyapunov.answers import Task
    from verify.lyapunov.files import readout
    from verify.lyapunov.inputs import read_inputs, read_start

    width = getattr(found.source, "input_size", None)
    drive = None if inputs is None else read_inputs(inputs, width if isinstance(width, int) else None)
    loop = None if closed_loop is None else readout(found, closed_loop)
    said = None if drive is None or inputs is None else f"{inputs.name} {drive.shape}{', repeated' if periodic else ''}"
    first = None if start is None else read_start(start)
    return Task(found, drive, said, periodic, autonomous, loop, first, wishes or {}).checked()


def _answered(asked: Task, wanted: tuple[float, int, int | None] | None, output: Path | None, figure: Path | None) -> Answer:
    from verify.lyapunov.answers import Answer, described, drawn, estimated, proved, written
    from verify.progress import shown

    with shown() as progress:
        spectrum = estimated(asked, progress)
        proofs = None
        if wanted is not None:
            budget, digits, steps = wanted
            proofs = proved(asked, spectrum.start, budget=budget, digits=digits, progress=progress, finite_steps=steps)
    path = None if proofs is None else written(proofs, output)
    picture = None if figure is None else drawn(spectrum, () if proofs is None else proofs.entries, asked.found.name, figure)
    about = described(asked.found, spectrum.dimension)
    return Answer(about, spectrum, proofs, wanted[1] if wanted else 20, asked.source, path, picture)


def _refuse_odd(certify: bool, output: Path | None, figure: Path | None, certified_steps: int | None) -> None:
    """Refuse what could not be done in the end. **Raises** Malformed."""
    from verify.certification.files import refuse_folder

    if output is not None and not certify:
        raise Malformed(where="--output", law="options go together", expected="--certify beside it", got="none")
    if certified_steps is not None and not certify:
        raise Malformed(where="--certified-steps", law="options go together", expected="--certify beside it", got="none")
    for path in (output, figure):
        if path is not None:
            refuse_folder(path)
    if output is not None and figure is not None and output.resolve() == figure.resolve():
        raise Malformed(where=str(figure), law="files stay apart", expected="another name than the certificate's", got="the same")
    kinds = (".svg", ".png", ".pdf")
    if figure is not None and figure.suffix.lower() not in kinds:
        got = figure.suffix or "no ending"
        raise Malformed(where=str(figure), law="kinds of figures", expected=f"a name that ends in {', '.join(kinds)}", got=got)
