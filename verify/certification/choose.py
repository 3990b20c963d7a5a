"""Words or periods? What each method can do, and which is likely to be faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proofs.errors import Malformed, Rejected
from proofs.theorems.cyclic_system import MAX_UNKNOWNS
from proofs.theorems.forbidden_words import MAX_DEPTH, MAX_STATES
from proofs.theorems.lifted import live_hinges
from verify.certification import by_periods, by_words
from verify.certification.ledger import recorded_method
from verify.numerics.balls import SingularError
from verify.search import cyclic, words

if TYPE_CHECKING:
    from pathlib import Path

    from proofs.network import Network

METHODS = ("auto", "words", "cyclic")
_MOST_STATES, _MOST_HINGES = 8, 4  # beyond which periods have always been faster
_MOST_LINES = 32  # so many lines cut the plane into 529 cells; beyond, the words of single cells crowd the certificate
_PILOT_NODES = 300
_WORD_NODE = 1e-4  # seconds, times the square of the states
_CYCLIC_NODE, _CYCLIC_PIVOT = 5e-4, 6e-7  # seconds; the latter times the square of the unknowns


@dataclass(frozen=True)
class Choice:
    """A method, why it was taken, how many nodes its chunks have, and which method may be tried if it leaves something unresolved."""

    method: str
    why: str
    limit: int
    second: str = ""


def chosen_method(network: Network, up_to: int, method: str, ledger: Path | None) -> Choice:
    """Settle the method.

    What auto chooses depends on the network and the period alone, or on the work begun earlier. **Cost:** at most a second or two.
    **Raises:** Malformed for an unknown method, or if none applies to this network and period.
    """
    check_method(method)
    refused = {"words": _words_refused(network, up_to), "cyclic": _cyclic_refused(network, up_to)}
    known = recorded_method(ledger)
    if method != "auto":
        if refused[method]:
            raise _refusal(f"method {method}", refused[method], network, up_to)
        return _choice(network, up_to, method, "it was asked for")
    open_to = [name for name, reason in refused.items() if not reason]
    if not open_to:
        raise _refusal("method", why_not(network, up_to), network, up_to)
    if known in open_to:
        choice = _choice(network, up_to, str(known), "the work begun earlier took it")
    elif len(open_to) == 1:
        choice = _choice(network, up_to, open_to[0], "the other one does not apply")
    else:
        choice = _choice(network, up_to, *_cheaper(network, up_to))
    return replace(choice, second="".join(name for name in open_to if name != choice.method))


def other_method(network: Network, up_to: int, first: Choice) -> Choice:
    """Return the second choice. Only what auto has chosen has one."""
    return _choice(network, up_to, first.second, f"the search by {first.method} left something unresolved")


def _cheaper(network: Network, up_to: int) -> tuple[str, str]:
    """Return the method that seems faster, and why."""
    if network.dimension == 2 and len(live_hinges(network)) <= _MOST_LINES:  # noqa: PLR2004 - a plane
        return "words", "two states: polygons are clipped in compiled code"
    if up_to == 1 or network.dimension > _MOST_STATES or len(live_hinges(network)) > _MOST_HINGES:
        return "cyclic", "one linear program covers all times at once; it pays with many states or hinges, or a single step"
    by_word, by_period = _word_seconds(network, up_to), _cyclic_seconds(network, up_to)
    told = f"small searches promise about {max(by_word, 0.1):.1g} s by words and {max(by_period, 0.1):.1g} s by periods"
    return ("words" if by_word < by_period else "cyclic"), told


def _word_seconds(network: Network, up_to: int) -> float:
    """Guess the time by words from the sizes of small trees."""
    sizes: list[int] = []
    while len(sizes) < up_to and (not sizes or sizes[-1] < _PILOT_NODES):
        sizes.append(words.grow(network, words.WordTask(len(sizes) + 1, ()), _PILOT_NODES).nodes)
    return _grown(sizes, up_to) * _WORD_NODE * network.dimension**2


def _cyclic_seconds(network: Network, up_to: int) -> float:
    """Guess the time by periods from the trees of small periods."""
    width, sizes = len(live_hinges(network)), list[int]()
    while len(sizes) < up_to and (not sizes or sizes[-1] < _PILOT_NODES):
        period = len(sizes) + 1
        try:
            plan = cyclic.plan(network, period, pilot=False)
        except SingularError:
            return float("inf")
        sizes.append(cyclic.grow(network, plan.system, plan.task, _PILOT_NODES).nodes)
    periods = range(up_to // 2 + 1, up_to + 1)
    return sum(_grown(sizes, k) * (_CYCLIC_NODE + _CYCLIC_PIVOT * (k * width) ** 2) for k in periods)


def _grown(sizes: list[int], index: int) -> float:
    """Return the size at an index (from 1), beyond the known ones by their last growth."""
    if index <= len(sizes):
        return sizes[index - 1]
    before = sizes[-2] if len(sizes) > 1 else 1
    return sizes[-1] * max(sizes[-1] / before, 1.0) ** (index - len(sizes))


def why_not(network: Network, up_to: int) -> str:
    """Return why card A4 cannot be applied to a network with more than one state, "" if it can."""
    if not network.is_piecewise_linear:
        return "card A4 (all cycles) needs a piecewise-linear network; this one is smooth"
    if not network.is_exact:
        return "card A4 (all cycles) needs exact weights; these have a radius"
    try:
        refused = _words_refused(network, up_to), _cyclic_refused(network, up_to)
    except Rejected as failure:
        return f"card A4 (all cycles) needs {failure.expected}; this one takes {failure.got}"
    return f"card A4 (all cycles) needs {' or '.join(refused)}" if all(refused) else ""


def check_method(method: str) -> None:
    """Refuse unknown methods. **Raises:** Malformed."""
    if method not in METHODS:
        raise Malformed(where="method", law="known methods", expected=", ".join(METHODS), got=str(method))


def _choice(network: Network, up_to: int, method: str, why: str) -> Choice:
    limit = by_words.chunk_limit(network) if method == "words" else by_periods.chunk_limit(network, up_to)
    return Choice(method, why, limit)


def _words_refused(network: Network, up_to: int) -> str:
    """Say what the method by words needs and this network has not."""
    fits = network.dimension <= MAX_STATES and up_to * max(1, len(live_hinges(network))) <= MAX_DEPTH
    return "" if fits else f"at most {MAX_STATES} states, and {MAX_DEPTH} bits in a word (hinges that reach the state, times the period)"


def _cyclic_refused(network: Network, up_to: int) -> str:
    count = len(live_hinges(network))
    return "" if 1 <= count * up_to <= MAX_UNKNOWNS else f"1 to {MAX_UNKNOWNS} unknowns (hinges that reach the state, times the period)"


def _refusal(law: str, expected: str, network: Network, up_to: int) -> Malformed:
    got = f"{network.dimension} states, {len(live_hinges(network))} hinges that reach them, period {up_to}"
    return Malformed(where="cycles --complete", law=law, expected=expected, got=got)
