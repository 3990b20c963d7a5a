"""Every cycle up to a period, with the proof that there are no others: search in chunks, list, write, check.

The search is the part that takes long; it can be stopped by a budget, an interrupt or a power cut and goes on from its ledger.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from proofs.certificate import Certificate, Remarks
from proofs.claims import CycleCounts
from verify.answers import CycleList
from verify.certification.by_periods import CyclicProof
from verify.certification.by_words import WordProof
from verify.certification.choose import Choice, chosen_method, other_method
from verify.certification.draft import Draft
from verify.certification.farm import DONE, Farm, Limits
from verify.certification.files import refuse_folder
from verify.certification.interrupts import Interrupts
from verify.certification.ledger import Ledger, Question
from verify.certification.listing import Lister, Listing, claimed_counts, disagreement
from verify.certification.residues import residue_text
from verify.certification.stream import Numbering, write_checked
from verify.loading import describe
from verify.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verify.certification.chunks import Task
    from verify.certification.farm import Grower
    from verify.certification.find import Effort
    from verify.certification.stream import Step
    from verify.certification.survey import Survey
    from verify.loading import Loaded

    Proof = WordProof | CyclicProof

_OVERRUN = 2.0
_LISTING_SECONDS, _HASTY_SECONDS = 30.0, 5.0
_MOST_RESIDUES = 20
_MOST_CLAIMS = 600  # beside the counts; further cycles have their steps, and no claim of their own
_KEPT_BYTES = 8 * 2**20


@dataclass
class _Job:
    """One question and what is known of its answer so far."""

    loaded: Loaded
    up_to: int
    effort: Effort
    output: Path | None
    choice: Choice
    interrupts: Interrupts
    start: float
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, since: float) -> None:
        """Note how long a stage took."""
        self.seconds[f"{name}_seconds"] = round(monotonic() - since, 3)


def complete_cycles(loaded: Loaded, up_to: int, effort: Effort, *, method: str = "auto", output: Path | None = None) -> CycleList:
    """List every cycle of least period at most ``up_to`` and prove that there are no others.

    The network has more than one state and is exact and piecewise linear. With ``output`` the certificate is written there; unfinished work
    is kept beside it, in a file with the further suffix .partial, and the next call with the same output goes on from there.

    **Guarantee:** verdict Proved if and only if the checker accepted the whole certificate; else NotFound, with the cycles certified so far
    and what is unresolved. The search depends on nothing but the network, the period and the method, and so does the certificate (but for a
    budget that cuts one chunk short: its parts are then cut elsewhere).
    **Raises:** Malformed (a ledger of another question, a file that cannot be written, a method that does not apply); Rejected if search
    and checker disagree, which is a fault; KeyboardInterrupt at the second interrupt.
    """
    start = monotonic()
    if output is not None:
        refuse_folder(output)
    interrupts = Interrupts()
    with interrupts.listening():
        choice = chosen_method(loaded.network, up_to, method, _partial(output))
        job = _Job(loaded, up_to, effort, output, choice, interrupts, start)
        answer = _attempted(job)
        if answer is None:
            answer = _attempted(replace(job, choice=other_method(loaded.network, up_to, choice)))
    if answer is None:
        raise RuntimeError(choice)
    return answer


def _attempted(job: _Job) -> CycleList | None:
    """Search by one method, keeping the ledger up to date; None if it left something unresolved and there is another method to try."""
    question = Question(job.loaded.network.digest, job.choice.method, job.up_to, job.effort.seed, job.choice.limit, version())
    ledger, finished = Ledger(_partial(job.output), question), False
    try:
        answer = _worked_on(job, ledger, _limits(job.effort, job.start))
        finished = answer is None or answer.complete or not ledger.done
    finally:
        ledger.close(finished=finished)
    return answer


def _partial(output: Path | None) -> Path | None:
    return None if output is None else output.with_name(f"{output.name}.partial")


def _limits(effort: Effort, start: float) -> Limits:
    if effort.budget_seconds is None:
        return Limits(jobs=effort.jobs)
    soft = start + effort.budget_seconds
    return Limits(soft, soft + _OVERRUN, effort.jobs)


def _worked_on(job: _Job, ledger: Ledger, limits: Limits) -> CycleList | None:
    """Search, then answer with what was found; None as for ``_attempted``."""
    proof: Proof = (WordProof if job.choice.method == "words" else CyclicProof)(job.loaded.network, job.up_to, ledger)
    since = monotonic()

    def farm(grower: Grower, roots: list[Task]) -> str:
        return Farm(ledger, grower, limits, job.interrupts, job.effort.progress).run(roots)

    reason = proof.grow(farm)
    survey = proof.survey()
    job.timed("search", since)
    if reason == DONE and not survey.unresolved:
        with suppress(_StoppedError):
            return _finished(job, proof, survey)
        reason = "interrupted while the certificate was written and checked (the search is done)"
    elif reason == DONE and job.choice.second:
        return None
    return _unfinished(job, proof, survey, reason)


class _StoppedError(Exception):
    """The first interrupt came while a finished proof was written or checked."""


def _finished(job: _Job, proof: Proof, survey: Survey) -> CycleList:
    """List the cycles of a finished search, write the certificate and have it checked. **Raises:** _StoppedError."""
    try:
        with job.interrupts.at_once():
            return _certified(job, proof, survey)
    except KeyboardInterrupt:
        if job.interrupts.again:
            raise
        raise _StoppedError from None


def _certified(job: _Job, proof: Proof, survey: Survey) -> CycleList:
    network, since = job.loaded.network, monotonic()
    draft, tell = Draft(network), _teller(job.effort, "cycles listed")
    lister = Lister(draft)
    if len({leaf.word for leaf in survey.leaves}) < len(survey.leaves):
        raise disagreement("every cycle once", "a word that occurs twice")
    if isinstance(proof, WordProof):
        listing = lister.certified_or_counted(survey.leaves, tell)
        counts = survey.counts(job.up_to)
    else:
        listing = lister.certified(survey.leaves, lambda: True, tell)
        counts = claimed_counts(draft, list(listing.numbers.values()), job.up_to)
    if listing.counts(job.up_to) != counts:
        raise disagreement(f"the counts {counts}", listing.counts(job.up_to))
    job.timed("listing", since)
    claim = CycleCounts(job.up_to, counts, survey.residual)
    return _checked(job, proof, survey, (draft, listing, claim))


def _checked(job: _Job, proof: Proof, survey: Survey, found: tuple[Draft, Listing, CycleCounts]) -> CycleList:
    """Write and check the whole certificate."""
    (draft, listing, claim), since = found, monotonic()
    claims = (claim, *listing.claims[:_MOST_CLAIMS])
    remarks = Remarks(job.loaded.name, job.loaded.model, job.loaded.assumptions)

    def steps() -> Iterator[Step]:
        yield from draft.steps
        yield from proof.steps(Numbering(len(draft.steps)), listing.numbers)

    written = write_checked(job.output, (draft.network, claims, remarks), steps(), job.effort.progress)
    if written.proved.claims[0] != claim:
        raise disagreement(claim.statement(), written.proved.claims[0].statement())
    job.timed("check", since)
    kept = job.output is None and written.size <= _KEPT_BYTES
    return CycleList(
        "Proved",
        describe(job.loaded),
        tuple(listing.entries),
        complete=True,
        complete_up_to=job.up_to,
        up_to=job.up_to,
        residual=_residues(job, survey),
        unresolved=(),
        effort=_spent(job, survey, proof) | {"certificate_bytes": written.size, "certified_one_by_one": listing.certified},
        claims=claims,
        certificate=Certificate(draft.network, claims, tuple(steps()), remarks) if kept else None,
        path=None if job.output is None else str(job.output),
        steps=written.steps,
    )


def _unfinished(job: _Job, proof: Proof, survey: Survey, reason: str) -> CycleList:
    """Certify what was found so far, for a while, and say what is missing."""
    draft = Draft(job.loaded.network, Remarks(job.loaded.name, job.loaded.model, job.loaded.assumptions))
    budget = job.effort.budget_seconds
    seconds = _HASTY_SECONDS if job.interrupts.wanted else _LISTING_SECONDS if budget is None else max(budget, 1.0)
    deadline = monotonic() + seconds
    listing = Lister(draft).certified(survey.leaves, lambda: monotonic() < deadline, _teller(job.effort, "cycles certified"))
    unresolved = [f"completeness: {_why(reason, resumable=proof.ledger.path is not None)}", *survey.unresolved]
    if listing.left:
        unresolved.append(f"{listing.left} further cycles were found, not certified one by one")
    return CycleList(
        "NotFound",
        describe(job.loaded),
        tuple(listing.entries),
        complete=False,
        complete_up_to=0,
        up_to=job.up_to,
        residual=_residues(job, survey),
        unresolved=tuple(unresolved),
        effort=_spent(job, survey, proof),
        claims=tuple(listing.claims),
        certificate=draft.finish(listing.claims)[0] if listing.claims else None,
        steps=len(draft.steps),
    )


def _why(reason: str, *, resumable: bool) -> str:
    if reason == DONE:
        return "the search has ended and left something unresolved; --method chooses another way"
    how = "the same command goes on from here" if resumable else "with -o FILE the work is kept and can be resumed; it was not kept now"
    return f"{reason}; {how}"


def _spent(job: _Job, survey: Survey, proof: Proof) -> dict[str, object]:
    chunks = {"chunks": len(proof.ledger.done), "resumed_chunks": proof.ledger.resumed}
    told: dict[str, object] = {"seconds": round(monotonic() - job.start, 3), "nodes": survey.explored}
    return told | {"method": job.choice.method, "method_because": job.choice.why} | job.seconds | chunks


def _residues(job: _Job, survey: Survey) -> tuple[str, ...]:
    texts = [residue_text(job.loaded.network, word) for word in survey.residual[:_MOST_RESIDUES]]
    more = len(survey.residual) - len(texts)
    return tuple([*texts, f"and {more} more, named in the certificate"] if more else texts)


def _teller(effort: Effort, what: str) -> Callable[[int, int], None] | None:
    progress = effort.progress
    return None if progress is None else lambda done, total: progress(what, done, total)
