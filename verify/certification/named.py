"""``certify --theorem NAME``: apply one theorem of the catalogue to a network, or to a path of networks, and claim what it concludes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.certificate import Certificate, Remarks
from proofs.errors import Malformed
from proofs.kernel import check
from proofs.theorems import CARDS
from verify.answers import Certified, Report
from verify.certification.draft import Draft
from verify.certification.find import Effort
from verify.certification.named_request import Request
from verify.certification.named_routes import (
    ABOUT_PATHS,
    IN_BOXES,
    INSTEAD,
    LINEAR,
    NEEDS_MORE,
    ONE_STATE,
    ONLY_SMOOTH,
    ROUTES,
    SEVERAL_STATES,
    SMOOTH,
)
from verify.certification.outcome import CHAOS, ORDER
from verify.certification.prove import check_period
from verify.errors import NotFound, Unsupported
from verify.loading import describe
from verify.paths import between
from verify.paths import vary as moving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.claims import Claim
    from verify.answers import CycleEntry
    from verify.loading import Loaded
    from verify.paths import Path

FORCING = "teacher_forcing"
_MOST_REASONS = 6


def certify_theorem(  # noqa: PLR0913 - what is asked for is said by name
    loaded: Loaded,
    name: str,
    *,
    period: int | None = None,
    to: Loaded | None = None,
    vary: str | None = None,
    alpha: Fraction | None = None,
    forced: int | None = None,
    box: tuple[Fraction, Fraction] | None = None,
    effort: Effort | None = None,
) -> Certified | NotFound:
    """Prove what one theorem, named as ``orbitproof theorems`` lists it or by a code such as A3, concludes about a network.

    ``to`` / ``vary``: the other end of the path, or the moving entry NAME[i,j]=LO:HI, for theorems about families. ``alpha``, ``forced``:
    the teacher's share and how many states it forces (the least share found, all states). ``box``: where cards cycles_on and cycles_in_box
    are to be complete.
    ``period``: only cycles of this least period; for complete lists and for paths, up to it (4 without it).

    **Guarantee:** every claim is the conclusion of a step of this theorem that ``proofs.check`` accepted; NotFound refutes nothing and
    says what was tried. **Raises:** Malformed (an unknown name, a step that is a part of another theorem, an option that is missing or
    does not belong to the theorem), Unsupported.

    **Example**

    >>> from verify.loading import load
    >>> answer = certify_theorem(load({"A": ["1/2"], "W": [["1/4"]], "h": [1]}, "plrnn"), "contraction")
    >>> answer.claims[0].statement()
    'F has exactly one fixed point and every orbit converges to it; each Lyapunov exponent of each orbit is at most log(3/4) <= -0.287682'
    """
    check_period(period)
    names = named(name)
    path = _path(loaded, names, to, vary)
    _check_options(names, alpha, forced, box)
    fitting = [theorem for theorem in names if not (reason := _unfit(loaded, theorem))]
    if not fitting:
        reason = "; ".join(f"{theorem}: {_unfit(loaded, theorem)}" for theorem in names)
        raise Unsupported(where=f"theorem {name}", law="the theorem's networks", expected=reason, got=_size(loaded))
    start = path.start if path is not None else loaded.network
    remarks = Remarks(path.name, path.model, path.assumptions) if path is not None else _remarks(loaded)
    request = Request(loaded, Draft(start, remarks), effort or Effort(), period, path, alpha, forced, box)
    tried: set[object] = set()
    for theorem in fitting:
        if ROUTES[theorem] not in tried:
            tried.add(ROUTES[theorem])
            ROUTES[theorem](request)
    return _answer(request, name, fitting)


def named(name: str) -> tuple[str, ...]:
    """Return the theorems that a name or a code asks for: those that conclude claims of their own.

    >>> named("A3"), named("contraction")
    (('stability',), ('contraction',))

    **Raises:** Malformed for unknown names and for cards that only serve others, saying which to ask for.
    """
    found = [key for key, card in CARDS.items() if name in {key, card.strip().split(" ", 1)[0]}]
    if not found:
        expected = f"one of {', '.join(CARDS)}, or a code such as A4"
        raise Malformed(where=f"theorem {name}", law="catalogue", expected=expected, got=name)
    public = tuple(key for key in found if key in ROUTES)
    if public:
        return public
    key = found[0]
    if key in INSTEAD:
        expected = f"the theorem that it serves: {' or '.join(INSTEAD[key])}"
        raise Malformed(where=f"theorem {name}", law="theorems with claims of their own", expected=expected, got=f"a part of others: {key}")
    expected = NEEDS_MORE.get(key, "a theorem with a search of its own")
    raise Malformed(where=f"theorem {name}", law="what the theorem needs", expected=expected, got="one network")


def only(draft: Draft, names: Sequence[str]) -> Certificate | None:
    """Return the certificate of all claims that these theorems concluded, with the steps that they need; None if there is none.

    **Guarantee:** exact: the kernel checks it again. **Raises:** Rejected if it does not pass, which is a fault.
    """
    wanted = [number for number, step in enumerate(draft.steps, 1) if step[0] in names]
    if not wanted:
        return None
    needed = set[int]()
    for number in range(len(draft.steps), 0, -1):
        if number in wanted or number in needed:
            needed |= {number, *draft.steps[number - 1][1]}
    place = {number: index for index, number in enumerate(sorted(needed), 1)}
    steps = tuple((theorem, tuple(place[c] for c in cites), witness) for theorem, cites, witness in (draft.steps[n - 1] for n in place))
    claims: dict[str, Claim] = {str(draft.facts[number - 1].as_json()): draft.facts[number - 1] for number in wanted}
    certificate = Certificate(draft.network, tuple(claims.values()), steps, draft.remarks)
    check(certificate)
    return certificate


def _answer(request: Request, name: str, names: Sequence[str]) -> Certified | NotFound:
    certificate = only(request.draft, names)
    if certificate is None:
        told = list(dict.fromkeys(request.reasons))
        tried = "; ".join([*told[:_MOST_REASONS], *(["..."] if len(told) > _MOST_REASONS else [])]) or _nothing(request)
        remedy = "a larger --budget, another --period, or a network to which it applies"
        missing = NotFound(where=request.loaded.name, law=f"certify --theorem {name}", expected="a proof", got=tried, remedy=remedy)
        missing.decision = "undecided"
        return missing
    proved = check(certificate)
    about = request.loaded if request.path is None else replace(request.loaded, network=request.path.start, name=request.path.name)
    decision = "undecided"
    if any(isinstance(claim, (*CHAOS, *ORDER)) for claim in certificate.claims):
        decision = "chaotic" if any(isinstance(claim, CHAOS) for claim in certificate.claims) else "ordered"
    report = Report(
        "Proved", describe(about), decision, tuple(dict.fromkeys(request.reasons)), None, None, None, "", _entries(request, names),
        proved.theorems, tuple(map(request.draft.theorem_of, certificate.claims)), notes=tuple(request.notes),
    )  # fmt: skip
    return Certified(certificate.network, certificate.claims, certificate.steps, certificate.remarks, report=report)


def _nothing(request: Request) -> str:
    if request.path is None:
        return "the search brought no step of it"
    return f"no step of it among the events and branches of the cycles of period at most {request.up_to} that were found on the path"


def _entries(request: Request, names: Sequence[str]) -> tuple[CycleEntry, ...]:
    """Return the cycles that belong to the claims."""
    if set(names) == {"stability"}:
        return tuple(entry for entry in request.cycles if entry.label is not None)
    if set(names) == {"multiplier_moduli"}:
        return tuple(entry for entry in request.cycles if entry.exponent is not None)
    return tuple(request.cycles)


def _path(loaded: Loaded, names: Sequence[str], to: Loaded | None, vary: str | None) -> Path | None:
    about = [name for name in names if name in ABOUT_PATHS]
    if not about:
        if to is not None or vary is not None:
            got = "--to" if to is not None else "--vary"
            raise Malformed(
                where=f"theorem {names[0]}", law="options", expected="none of --to and --vary: it is about one network", got=got
            )
        return None
    if (to is None) == (vary is None):
        expected = "--to FILE (a straight line of weights) or --vary NAME[i,j]=LO:HI"
        raise Malformed(where=f"theorem {about[0]}", law="a path", expected=expected, got="none" if to is None else "both")
    return between(loaded, to) if to is not None else moving(loaded, str(vary))


def _check_options(names: Sequence[str], alpha: Fraction | None, forced: int | None, box: tuple[Fraction, Fraction] | None) -> None:
    if FORCING not in names and (alpha is not None or forced is not None):
        got = "--alpha" if alpha is not None else "--forced"
        raise Malformed(where=f"theorem {names[0]}", law="options", expected=f"--alpha and --forced with {FORCING} only", got=got)
    if "cycles_on" in names and box is None:
        raise Malformed(where="theorem cycles_on", law="a bounded box", expected="--box LO HI", got="none")
    if box is not None and not IN_BOXES & set(names):
        raise Malformed(where=f"theorem {names[0]}", law="options", expected="--box with cycles_on and cycles_in_box only", got="--box")


def _unfit(loaded: Loaded, theorem: str) -> str:
    """Return which networks a theorem is about, if this is none of them."""
    size, linear = loaded.network.dimension, loaded.network.is_piecewise_linear
    wanted = [
        ("one state", theorem in ONE_STATE, size == 1),
        ("more than one state", theorem in SEVERAL_STATES, size > 1),
        ("a piecewise-linear network", theorem in ABOUT_PATHS - SMOOTH, linear),
        ("a smooth network", theorem in (SMOOTH - LINEAR) | ONLY_SMOOTH, not linear),
    ]
    return next((what for what, asked, holds in wanted if asked and not holds), "")


def _size(loaded: Loaded) -> str:
    kind = "piecewise-linear" if loaded.network.is_piecewise_linear else "smooth"
    return f"a {kind} network with {loaded.network.dimension} state{'s' if loaded.network.dimension > 1 else ''}"


def _remarks(loaded: Loaded) -> Remarks:
    return Remarks(loaded.name, loaded.model, loaded.assumptions)
