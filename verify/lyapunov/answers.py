"""What ``orbitproof lyapunov`` answers: an estimated spectrum, and apart from it what is proved of the exponents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.lyapunov.regions import Region, regions_of
from verify.lyapunov.results import Certified, Exact
from verify.rounding import fixed_above, fixed_below

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.lyapunov.files import Given
    from verify.lyapunov.spectra import Spectrum

Verdict = Literal["Estimate", "Proved", "NotFound"]
Progress = Callable[[str, int, int], None]
_SYMBOLS = 64


class Lines(Protocol):
    """A certificate, as far as it is written here."""

    def lines(self) -> Iterator[bytes]:
        """Yield its lines."""


@dataclass(frozen=True)
class Proofs:
    """What was proved, with its certificate, and what was tried in vain; ``cycles`` are the claims that say which cycle is meant."""

    entries: tuple[Exact | Certified, ...] = ()
    certificate: Lines | None = None
    undecided: tuple[str, ...] = ()
    theorems: tuple[str, ...] = ()
    cycles: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """An estimate, and the proofs if they were asked for; None if they were not."""

    network: Mapping[str, object]
    spectrum: Spectrum
    proofs: Proofs | None = None
    digits: int = 20
    inputs: str | None = None
    certificate: str | None = None
    figure: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Return Proved or NotFound where a proof was asked for, else Estimate."""
        if self.proofs is None:
            return "Estimate"
        return "Proved" if self.proofs.entries else "NotFound"

    def as_json(self) -> dict[str, object]:
        """Return the answer as ``--json`` prints it: estimates and proved entries in one list, told apart by ``kind``."""
        content = self.spectrum.as_json()
        entries = [] if self.proofs is None else [proved_json(entry, self.digits) for entry in self.proofs.entries]
        estimates = content.pop("exponents")
        return {
            "verdict": self.verdict,
            "network": dict(self.network),
            "input": self.inputs,
            "exponents": [*(estimates if isinstance(estimates, list) else []), *entries],
            **content,
            "regions": [] if self.proofs is None else [region.as_json() for region in self.proofs.regions],
            "theorems": [] if self.proofs is None else list(self.proofs.theorems),
            "undecided": [] if self.proofs is None else list(self.proofs.undecided),
            "certificate": self.certificate,
            "figure": self.figure,
        }


def proved_json(entry: Exact | Certified, digits: int) -> dict[str, object]:
    """Return a proved entry with its ends in decimals, too, rounded outward; ``lower`` and ``upper`` are floats, which hold 16 digits."""
    low = None if entry.lower is None else fixed_below(entry.lower, digits)
    high = None if entry.upper is None else fixed_above(entry.upper, digits)
    return {**entry.as_json(), "decimals": [low, high]}


@dataclass(frozen=True, eq=False)
class Task:
    """What was asked: the object, its input, and the run. ``wishes`` are those of ``spectrum``, by name; None means its default.

    ``periodic``: the input is one round, repeated for ever. ``autonomous``: a module's input is held at 0. ``closed_loop``: its readout.
    """

    found: Given
    inputs: np.ndarray | None = None
    source: str | None = None
    periodic: bool = False
    autonomous: bool = False
    closed_loop: object = None
    start: np.ndarray | None = None
    wishes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_module(self) -> bool:
        """Say whether the object is a torch module, which has an input."""
        import torch

        return isinstance(self.found.source, torch.nn.Module)

    def checked(self) -> Task:
        """Return the task with the start that the network file states, if the user states none. **Raises** Malformed: modes that clash."""
        modes = [("--input", self.inputs is not None), ("--autonomous", self.autonomous), ("--closed-loop", self.closed_loop is not None)]
        asked = [name for name, wanted in modes if wanted]
        if len(asked) > 1:
            raise _apart(asked[0], "one of --input, --closed-loop, --autonomous", " and ".join(asked))
        if self.periodic and self.inputs is None:
            raise _apart("--periodic", "--input FILE, one round of the input", "none")
        if self.is_module and not asked:
            expected = "--input FILE (driven), --closed-loop KEY (its own output), or --autonomous (input 0)"
            raise Malformed(where=self.found.name, law="a module has an input", expected=expected, got="none of them")
        if self.found.loaded is not None and asked:
            remedy = "the constant input of a network file is in the file, or given by --set input=..."
            raise Malformed(where=asked[0], law="a network file has no input", expected="none", got=asked[0], remedy=remedy)
        if self.start is not None or self.found.loaded is None or "state" not in self.found.loaded.arrays:
            return self
        state = np.array([float(value) for value in self.found.loaded.arrays["state"].tolist()])
        return replace(self, start=state, found=replace(self.found, assumptions=(*self.found.assumptions, "it starts at the file's state")))


def _apart(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law="options go together", expected=expected, got=got)


def estimated(task: Task, progress: Progress | None = None) -> Spectrum:
    """Return the spectrum that was asked for. **Guarantee:** heuristic. **Raises** Malformed: as ``spectrum``; Unsupported: no GPU."""
    import torch

    from verify.lyapunov.spectra import spectrum

    if task.wishes.get("device") == "cuda" and not torch.cuda.is_available():
        raise Unsupported(
            where="--device", law="the device is there", expected="a GPU that torch can use", got="none", remedy="--device cpu"
        )
    wishes = {name: value for name, value in task.wishes.items() if value is not None}
    if task.autonomous:
        wishes["driven"] = False
    if task.closed_loop is not None:
        wishes["closed_loop"] = task.closed_loop
    drive = task.inputs
    if drive is not None and not task.is_module:
        wishes["input_size"] = drive.shape[-1]
    if drive is not None and task.periodic:
        drive = rounds(drive, wishes)
    source = task.found.source
    return spectrum(source, drive, start=task.start, progress=progress, **wishes)


def rounds(drive: np.ndarray, wishes: Mapping[str, Any]) -> np.ndarray:
    """Return one round of input, repeated as often as a run of these ``steps`` and warm-ups needs."""
    from verify.lyapunov.request import lengths

    total = sum(lengths(None, wishes.get("steps"), wishes.get("warmup"), wishes.get("tangent_warmup")))
    return np.concatenate([drive] * -(-total // len(drive)))[:total]


def proved(
    task: Task, start: np.ndarray | None, *, budget: float, digits: int, progress: Progress | None = None, finite_steps: int | None = None
) -> Proofs:
    """Return what can be proved of the exponents; what cannot is said in ``undecided``. ``start``: that of the run's first sequence.

    Network files, modules with input 0 or a periodic one: their cycle, contraction, volume and regions. Modules driven by a finite input:
    what holds for all inputs, or for all sequences of the file's inputs if they are few. In any case the finite-time exponents over the
    first ``finite_steps`` (None: a few) of the exact orbit of the start. **Guarantee:** accepted by ``proofs.check``.
    """
    from proofs.claims import CycleClaim
    from verify.certification.spectra import certify_exponents

    if task.found.loaded is None and (not task.is_module or task.closed_loop is not None):
        got = "the readout of a closed loop" if task.is_module else "the user's own function"
        return Proofs(undecided=(f"a proof speaks of an exact program: {got} is run as code",))
    from verify.certification.finite_time import STEPS

    first = None if start is None else start.tolist()
    if task.inputs is not None and not task.periodic:
        return _proved_driven(task, task.inputs, first, budget, finite_steps)
    network, period = _program(task)
    finite = None if first is None else (finite_steps or STEPS, task.wishes.get("k"))
    found = certify_exponents(network, start=first, period=period, budget=budget, digits=digits, progress=progress, finite_time=finite)
    claims = () if found.certificate is None else found.certificate.claims
    turns = "" if period == 1 else f"; F is one round, {period} steps, and exponents here are those of F divided by {period}"
    cycles = tuple(claim.statement() + turns for claim in claims if isinstance(claim, CycleClaim))
    return Proofs(tuple(found.entries), found.certificate, tuple(found.undecided), tuple(found.theorems), cycles, regions_of(claims))


def _program(task: Task) -> tuple[Network, int]:
    """Return the exact program of what runs, and of how many steps it is. **Raises** Malformed: several periodic inputs."""
    from verify.models.gated import driven_program, step_program

    if task.found.loaded is not None:
        return task.found.loaded.network, 1
    if task.inputs is None:
        return step_program(task.found.source), 1
    if task.inputs.ndim > 2 and task.inputs.shape[1] > 1:  # noqa: PLR2004 - (T, B, m)
        raise _apart("--periodic", "one sequence, to prove something of it", f"{task.inputs.shape[1]} sequences")
    rows = task.inputs.reshape(len(task.inputs), -1)
    return driven_program(task.found.source, rows.tolist()), len(rows)


def _proved_driven(task: Task, drive: np.ndarray, start: list[float] | None, budget: float, steps: int | None) -> Proofs:
    """Return what holds whatever the input, for every sequence of the file's inputs, and of this orbit.

    With more than 64 different inputs: for every sequence of inputs in the range that the file's span, feature by feature.
    """
    from verify.certification.driven import alphabet, certify_driven
    from verify.certification.finite_time import STEPS, ProvedFiniteTime, certify_orbit, joined, orbit_of, wish_of
    from verify.certification.symbols import input_range

    symbols = np.unique(drive.reshape(-1, drive.shape[-1]), axis=0)
    few = len(symbols) <= _SYMBOLS
    networks = alphabet(task.found.source, (symbols if few else symbols[:1]).tolist())
    orbit = ProvedFiniteTime()
    if start is not None:
        first = (drive if drive.ndim == 2 else drive[:, 0]).tolist()  # noqa: PLR2004 - (T, m) or (T, B, m)
        exact = orbit_of(task.found.source, start, min(steps or STEPS, len(first)), first)
        orbit = certify_orbit(exact, wish_of(task.wishes.get("k"), budget), networks[0])
    within = None if few else input_range(task.found.source, symbols.min(axis=0).tolist(), symbols.max(axis=0).tolist())
    found = certify_driven(networks, budget=budget, within=within)
    everywhere = tuple(entry for entry in found.entries if entry.scope == "every orbit, every input")
    those = f"(the file's {len(symbols)} different inputs)" if len(symbols) > 1 else "(the file's one input)"
    said = those if few else "(inputs in the ranges of the file's)"
    told = [entry for entry in found.entries if entry not in everywhere and (few or entry.theorem == "box_contraction")]
    walks = tuple(replace(entry, theorem=f"{entry.theorem} {said}") for entry in told)
    more = () if few else (f"the file has {len(symbols)} different inputs: for at most {_SYMBOLS} their sequences are bounded, too",)
    if steps is not None and steps > len(drive):
        more = (*more, f"finite time: T lowered from {steps} to {len(drive)}, the rows of the input")
    undecided = "an input of finite length says nothing of the limit along it (with --periodic it is repeated for ever)"
    reasons = (*found.undecided, *more, undecided, *orbit.undecided)
    certificate = joined(found.certificate if everywhere or walks else None, orbit.certificate)
    proved, theorems = (*everywhere, *walks, *orbit.entries), (*found.theorems, *orbit.theorems)
    return Proofs(proved, certificate, reasons, theorems, regions=regions_of(found.claims))


def described(found: Given, dimension: int) -> dict[str, object]:
    """Return what the answer says of its network."""
    from verify.loading import describe

    if found.loaded is not None:
        return {**describe(found.loaded), "kind": found.kind, "assumptions": list(found.assumptions)}
    facts: dict[str, object] = {"digest": None, "name": found.name, "model": None, "kind": found.kind, "dimension": dimension}
    return {**facts, "hinges": None, "assumptions": list(found.assumptions)}


def written(proofs: Proofs, path: Path | None) -> str | None:
    """Write the certificate, if there is one and a path. **Raises** Malformed."""
    if path is None or proofs.certificate is None:
        return None
    from verify.certification.files import write_lines

    write_lines(path, proofs.certificate.lines())
    return str(path)


def drawn(spectrum: Spectrum, entries: Sequence[Exact | Certified], name: str, path: Path) -> str:
    """Write the figure of a spectrum with its bands, proved limits as brackets. **Raises** Malformed: the suffix, the folder."""
    from verify.lyapunov.figures import save, spectrum_figure

    limits = [entry for entry in entries if isinstance(entry, Exact) or entry.steps is None]
    return str(save(spectrum_figure({name: spectrum.exponents}, limits), path))
