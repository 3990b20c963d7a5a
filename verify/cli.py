"""``orbitproof``: parse, call, print. Everything heavy is imported by the verb that needs it."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from fractions import Fraction
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO, cast

import typer

from proofs.errors import Malformed, OrbitproofError
from verify.cli_bifurcations import bifurcations
from verify.cli_doctor import doctor
from verify.cli_lyapunov import lyapunov
from verify.cli_regions import regions
from verify.cli_sample import sample
from verify.cli_track import track
from verify.cli_training import train

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.certification.compared import Compared
    from verify.loading import Loaded

EXIT = {"Proved": 0, "Rejected": 1, "Malformed": 2, "Unsupported": 2, "NotFound": 3}
EXIT |= {"Estimate": 0, "Healthy": 0, "Faulty": 1, "Unexplained": 3}  # of what is not proved: the answer is the one asked for, or not

INTERRUPTED = 130
# the common base of misuse errors, wherever this typer keeps it
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    help="Give it a recurrent network, get back theorems about its dynamics, each with a certificate for a small independent checker.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class ClaimName(StrEnum):
    """What ``certify`` may be asked for."""

    auto = "auto"
    cycles = "cycles"
    chaos = "chaos"
    order = "order"


class MethodName(StrEnum):
    """How ``cycles --complete`` may search."""

    auto = "auto"
    words = "words"
    cyclic = "cyclic"


_THEOREM = "prove what this theorem says of the network: a name or code of `orbitproof theorems`"
_BUDGET = "time for the search: 20 without this option, with --complete no limit"
_JOBS = "processes: each searches with a seed of its own, with --complete they share one search"
_COMPLETE = "ask for the proof that there are no others; with -o unfinished work is kept in FILE.partial and resumed"
_METHOD = "with --complete: one tree over itineraries (words) or one a period (cyclic)"
NetworkFile = Annotated[str, typer.Argument(metavar="NETWORK", help="network file: .json .npz .safetensors .pt .pth .pkl .mat .bson .jld2")]
CertificateFile = Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="certificate file")]
Model = Annotated[str | None, typer.Option("--model", help="the network's family, such as plrnn, alrnn, scalar")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="what the file does not say, such as P=2")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="write the certificate here")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="seed of the search")]
Budget = Annotated[float | None, typer.Option("--budget", min=0.0, metavar="SECONDS", help=_BUDGET)]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help=_JOBS)]


@app.command()
def certify(
    network: NetworkFile,
    claim: Annotated[ClaimName, typer.Option(help="what to prove")] = ClaimName.auto,
    period: Annotated[int | None, typer.Option(help="only this least period (one state: all up to it); default 1 to 4")] = None,
    radius: Annotated[str | None, typer.Option(help="prove it for all weights within this radius, such as 1e-6 or 1/1024")] = None,
    max_radius: Annotated[bool, typer.Option("--max-radius", help="find the largest radius at which it all still holds")] = False,
    theorem: Annotated[str | None, typer.Option(metavar="NAME", help=_THEOREM)] = None,
    to: Annotated[str | None, typer.Option(metavar="NETWORK", help="with a theorem about families: the other end of the path")] = None,
    vary: Annotated[str | None, typer.Option(metavar="NAME[i,j]=LO:HI", help="with a theorem about families: the moving entry")] = None,
    alpha: Annotated[str | None, typer.Option(help="with teacher_forcing: the strength, default the least that is proved")] = None,
    forced: Annotated[
        int | None, typer.Option(metavar="N", help="with teacher_forcing: the first N states are forced, default all")
    ] = None,
    box: Annotated[
        tuple[str, str] | None, typer.Option(metavar="LO HI", help="with cycles_on, cycles_in_box: each coordinate in [LO, HI]")
    ] = None,
    output: Output = None,
    model: Model = None,
    settings: Settings = None,
    seed: Seed = 0,
    budget: Budget = None,
    jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """Prove what can be proved: cycles with their stability, chaos or order."""
    from verify.certification import Effort
    from verify.certification import certify as run
    from verify.certification.files import saved
    from verify.cli_theorem import Wishes, prove_theorem
    from verify.errors import NotFound
    from verify.progress import shown
    from verify.texts import certified_text

    _refuse_overwriting(network, output)
    loaded = _loaded(network, model, settings)
    width = None if radius is None else _number(radius, "--radius")
    limits = None if box is None else (_number(box[0], "--box"), _number(box[1], "--box"))
    end = None if to is None else _loaded(to, model, settings)
    wishes = Wishes(end, vary, None if alpha is None else _number(alpha, "--alpha"), forced, limits)
    if theorem is not None:
        alone = claim is ClaimName.auto and width is None and not max_radius
        proved = saved(prove_theorem(loaded, theorem, wishes, period, Effort(budget, seed, jobs), alone=alone), output)
        _finish(proved.as_json(), certified_text(proved), "Proved", as_json)
    wishes.refuse()
    with shown() as progress:
        answer = run(loaded, claim.value, period=period, radius=width, max_radius=max_radius, effort=Effort(budget, seed, jobs, progress))
    if isinstance(answer, NotFound):
        raise answer
    answer = saved(answer, output)
    _finish(answer.as_json(), certified_text(answer), "Proved", as_json)


@app.command()
def cycles(
    network: NetworkFile,
    up_to: Annotated[int, typer.Option("--up-to", metavar="K", help="largest least period")],
    complete: Annotated[bool, typer.Option("--complete", help=_COMPLETE)] = False,
    method: Annotated[MethodName, typer.Option(help=_METHOD)] = MethodName.auto,
    box: Annotated[tuple[str, str] | None, typer.Option(metavar="LO HI", help="keep the cycles with all coordinates in [LO, HI]")] = None,
    output: Output = None,
    model: Model = None,
    settings: Settings = None,
    seed: Seed = 0,
    budget: Budget = None,
    jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """List certified cycles up to a period."""
    from verify.certification import Effort
    from verify.certification import cycles as run
    from verify.progress import shown
    from verify.texts import cycles_text

    _refuse_overwriting(network, output)
    limits = None if box is None else (_number(box[0], "--box"), _number(box[1], "--box"))
    loaded = _loaded(network, model, settings)
    with shown() as progress:
        effort = Effort(budget, seed, jobs, progress)
        answer = run(loaded, up_to, complete=complete, method=method.value, box=limits, output=output, effort=effort)
    _finish(answer.as_json(), cycles_text(answer, complete=complete), answer.verdict, as_json)


@app.command()
def check(
    certificate: CertificateFile,
    network: Annotated[str | None, typer.Option(help="the certificate must speak of it: NETWORK|MODULE as in `lyapunov`")] = None,
    model: Model = None,
    settings: Settings = None,
    radius: Annotated[str | None, typer.Option(help="compare with that network at this weight radius")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a certificate, or a collection of them, with the independent checker."""
    from time import perf_counter

    from proofs.explain import collection_lines, folded, is_collection, verdict_lines
    from proofs.kernel import check as run
    from verify.answers import plain_numbers

    same = None if network is None else _compared(certificate, network, model, settings, radius)
    start = perf_counter()
    with certificate.open("rb") as stream:
        if same is None and is_collection(stream):
            lines = collection_lines(stream)
            _finish({"verdict": "Proved", "lines": lines}, lines, "Proved", as_json)
        proved = run(stream, None if same is None else same.network)
    content = {
        "verdict": "Proved",
        "claim": [plain_numbers(claim.as_json()) for claim in proved.claims],
        "statement": proved.statement,
        "digest": proved.digest,
        "theorems": list(proved.theorems),
        "assumptions": list(proved.remarks.assumptions),
        "seconds": round(perf_counter() - start, 6),
    }
    lines = list(folded(verdict_lines(proved)))
    if same is not None:
        told = [text for text in (same.words, same.inputs_of(proved.claims)) if text]
        content |= {"compared": " ".join(told)}
        lines[-1:-1] = told
    _finish(content, lines, "Proved", as_json)


@app.command()
def explain(certificate: CertificateFile, as_json: AsJson = False) -> None:
    """Check a certificate and say every step in English."""
    from proofs.explain import explain as run
    from proofs.explain import folded

    lines = list(run(certificate))
    _finish({"verdict": "Proved", "lines": lines}, list(folded(lines)), "Proved", as_json)


@app.command()
def theorems(
    name: Annotated[str | None, typer.Argument(help="a theorem's name: print its whole card")] = None, as_json: AsJson = False
) -> None:
    """List the theorem catalogue, or print one card."""
    from proofs.theorems import CARDS

    cards = {key: card.strip() for key, card in CARDS.items() if name is None or name in {key, card.split(" ", 1)[0]}}
    if not cards:
        raise Malformed(
            where=f"theorem {name}", law="catalogue", expected=f"one of {', '.join(CARDS)}, or a code such as A4", got=str(name)
        )
    summaries = [f"{key:<26}{card.split(' ', 1)[0]:<7}{card.splitlines()[0].split('. ', 1)[-1]}" for key, card in cards.items()]
    content = {"theorems": [{"name": key, "card": card} for key, card in cards.items()]}
    _finish(content, summaries if name is None else list(cards.values()), "Proved", as_json)


@app.command()
def convert(
    network: NetworkFile,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the suffix chooses the format")],
    model: Model = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write the same network in another format; the digest stays the same."""
    from verify.formats import write
    from verify.loading import describe, to_stored

    loaded = _loaded(network, model, settings)
    write(output, to_stored(loaded))
    content = {"network": describe(loaded), "path": str(output)}
    _finish(content, [f"{output}  {loaded.model}  digest {loaded.network.digest}"], "Proved", as_json)


app.command()(regions)
app.command()(sample)
app.command()(lyapunov)
app.command()(bifurcations)
app.command()(train)
app.command()(track)
app.add_typer(doctor, name="doctor")


def main() -> NoReturn:
    """Run the command line; every failure is printed as its letter, or as JSON, with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name in a file may not fit the terminal's alphabet
    try:
        code = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except SystemExit:  # typer's word for a pipe whose reader has gone
        code = EXIT["Malformed"]
    except _UsageError as failure:
        _misused(failure)
    except OrbitproofError as failure:
        _fail(failure)
    except OSError as failure:
        where, why = str(failure.filename or "file"), str(failure.strerror or failure)
        _fail(Malformed(where=where, law="file", expected="a file that can be read or written", got=why))
    if code == INTERRUPTED:
        _printed("Interrupted; no file was left half-written.", sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _printed(text: str, stream: TextIO) -> bool:
    """Print now, and say whether that was possible; if not, nothing more is written there, not at the interpreter's end either."""
    try:
        print(text, file=stream, flush=True)
    except OSError:
        _given_up(stream)
        return False
    return True


def _given_up(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _refuse_overwriting(network: str, output: Path | None) -> None:
    """Refuse to write over a file that is read. **Raises:** Malformed."""
    if output is not None and output.exists() and Path(network).exists() and output.samefile(network):
        raise Malformed(
            where=str(output), law="files stay apart", expected="another name than that of a file that is read", got="the same file"
        )


def _misused(failure: typer.BadParameter) -> NoReturn:
    if "--json" in sys.argv:
        _fail(Malformed(where="command line", law="usage", expected="a verb with its options, see --help", got=failure.format_message()))
    try:
        failure.show()
    except OSError:
        _given_up(sys.stderr)
    sys.exit(EXIT["Malformed"])


def _fail(failure: OrbitproofError) -> NoReturn:
    if "--json" in sys.argv:
        decision = getattr(failure, "decision", None)
        letter = json.dumps(failure.as_json() | ({} if decision is None else {"decision": decision}))
    else:
        letter = str(failure)
    if not _printed(letter, sys.stdout):
        _printed(letter, sys.stderr)
    sys.exit(EXIT[failure.verdict])


def _finish(content: Mapping[str, object], lines: list[str], verdict: str, as_json: bool) -> None:
    print(json.dumps(dict(content)) if as_json else "\n".join(lines), flush=True)
    raise typer.Exit(EXIT[verdict])


def _settings(pairs: list[str] | None) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in values or name in {"model", "source"}:
            raise Malformed(where="--set", law="settings", expected="NAME=VALUE, each name once", got=pair)
        values[name] = value
    return values


def _number(text: str, where: str) -> Fraction:
    from verify.formats.exact import read_exact

    return read_exact(text, where)


def _loaded(network: str, model: str | None, settings: list[str] | None) -> Loaded:
    from verify.loading import load

    return load(network, model, **_settings(settings))


def _compared(certificate: Path, network: str, model: str | None, settings: list[str] | None, radius: str | None) -> Compared:
    from verify.certification.compared import compared
    from verify.rounding import dyadic_radius

    width = None if radius is None else dyadic_radius(_number(radius, "--radius"))
    return compared(certificate, network, model, _settings(settings), width)
