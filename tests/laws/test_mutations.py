"""Whatever is done to a certificate, the kernel gives one of its three answers, and what it still accepts is independently true."""

from __future__ import annotations

from functools import cache

import pytest

from tests.laws.mutations import Tally, garbled, mutants, survey

CHUNK = 500
CHUNKS = 6
LONG = 10_000
SEEDS = [*range(CHUNKS // 2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(CHUNKS // 2, CHUNKS))]


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_certificates_are_refused_or_still_true(seed: int) -> None:
    assert surveyed(seed)[1] == []


@cache
def surveyed(seed: int) -> tuple[dict[str, Tally], list]:
    """Return what became of a chunk of mutants."""
    return survey(mutants(CHUNK, seed))


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_garbled_bytes_get_one_of_the_three_answers(seed: int) -> None:
    assert survey(garbled(CHUNK, seed))[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_mutated_certificates_in_a_long_run(seed: int) -> None:
    assert survey(mutants(LONG, seed))[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_garbled_bytes_in_a_long_mutation_run(seed: int) -> None:
    assert survey(garbled(LONG, seed))[1] == []


def test_mutations_are_the_same_every_time() -> None:
    assert [mutant.content for mutant in mutants(20, 7)] == [mutant.content for mutant in mutants(20, 7)]


def test_some_mutants_are_accepted_and_most_are_not() -> None:
    counts = [tally.counts for tally in surveyed(0)[0].values()]
    accepted, tried = (sum(count[word] for count in counts) for word in ("accepted", "tried"))
    assert tried / 50 < accepted < tried / 2
