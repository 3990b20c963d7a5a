"""The doctor names the fault: on numbers, on functions, alone and in combination, and leaves healthy code alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch

from proofs.errors import Malformed
from verify.lyapunov.doctor import Diagnosis, diagnose
from verify.lyapunov.readings import Order, Record, State, averages, logarithms, readings, record
from verify.lyapunov.record import hidden_coordinates, record_of
from verify.lyapunov.spectra import spectrum

KNOWN: dict[tuple[object, ...], np.ndarray] = {}
W = np.array([[-4.0, 2, -4], [-4, -4, 2], [0, -4, -4]])
RIGHT = [-1.0169133922, -3.6951472621, -8.5860879295]
REVERSED = [1.38601, -6.10834, -8.57582]
HIDDEN = (0, 1)


@pytest.fixture(autouse=True)
def _once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Factor the Jacobians of each run once: the tests are about what is read out of the same few."""

    def known(run: Record, order: Order, state: State) -> np.ndarray:
        content = b"".join(run.jacobian(t).tobytes() for t in range(run.steps))
        key = (content, run.jacobian(0).shape, run.hidden, order, state)
        if key not in KNOWN:
            KNOWN[key] = logarithms(run, order, state)
        return KNOWN[key].copy()

    monkeypatch.setattr("verify.lyapunov.readings.logarithms", known)


def three_cycle(steps: int = 1200) -> np.ndarray:
    """Return the Jacobians of h' = tanh(W h) from (0.1, 0.2, -0.3) on, which settles on a cycle of period 3."""
    h, found = np.array([0.1, 0.2, -0.3]), []
    for _ in range(steps):
        h = np.tanh(W @ h)
        found.append((1 - h * h)[:, None] * W)
    return np.array(found)


def random_run(n: int = 4, steps: int = 1000, seed: int = 0, hidden: tuple[int, ...] | None = HIDDEN) -> Record:
    """Return the record of a driven run: a cycle of five matrices with distinct exponents, and the start of another kind."""
    rng = np.random.default_rng(seed)
    cycle = rng.normal(size=(5, n, n)) * np.array([1.5, 1.0, 0.6, 0.3])[:n, None]
    jacobians = np.concatenate([np.broadcast_to(3 * np.eye(n), (steps // 5, n, n)), np.tile(cycle, (steps // 5, 1, 1))])
    return record(jacobians, steps // 5, hidden)


def benettin(jacobians: np.ndarray, *, transpose: bool = False, base: float = math.e, first: int = 0) -> np.ndarray:
    """Return the exponents as published code computes them; the right ones without ``transpose``."""
    frame, total = np.eye(jacobians.shape[-1]), np.zeros(jacobians.shape[-1])
    for t, matrix in enumerate(jacobians):
        frame, triangle = np.linalg.qr((matrix.T if transpose else matrix) @ frame)
        if t >= first:
            total += np.log(np.abs(np.diag(triangle))) / np.log(base)
    return total / (len(jacobians) - first)


def numbers_of(run: Record, faults: set[str], dt: float | None = None) -> list[float]:
    """Return the numbers of the reading with exactly these faults."""
    return next(reading.values.tolist() for reading in readings(run, dt) if reading.faults == faults)


def test_the_right_reading_comes_first() -> None:
    right = next(readings(record(three_cycle())))
    assert right.faults == frozenset()
    assert np.allclose(right.values, RIGHT, atol=1e-8)


def test_the_reversed_product_is_named() -> None:
    found = diagnose(REVERSED, three_cycle())
    assert (found.verdict, found.names, found.also) == ("Faulty", ("reversed order",), ())
    law, _, numbers = found.faults[0].evidence.partition(" (")
    assert law == "the numbers are those of J_1 J_2 ... J_T, not of J_T ... J_2 J_1"
    assert numbers == "they differ by up to 0.00064; without this fault up to 2.41)"
    assert "Q <- J_t Q" in found.faults[0].remedy
    assert np.allclose([estimate.value for estimate in found.expected], RIGHT, atol=1e-8)


@pytest.mark.parametrize("numbers", [RIGHT, RIGHT[:1], ["-1.0169", "-3.6951", "-8.5861"], np.array(RIGHT)])
def test_the_right_numbers_are_healthy(numbers: list[float]) -> None:
    found = diagnose(numbers, three_cycle())
    assert (found.verdict, found.faults) == ("Healthy", ())


FAULTS = [
    {"reversed order"},
    {"missing cell state"},
    {"bits for nats"},
    {"log10 for nats"},
    {"reversed order", "bits for nats"},
    {"reversed order", "missing cell state"},
    {"missing cell state", "log10 for nats"},
    {"reversed order", "missing cell state", "bits for nats"},
    {"missing warm-up"},
    {"reversed order", "missing warm-up", "bits for nats"},
    {"per time unit, not per step"},
    {"divided by 1200, where 1000 steps were summed"},
]


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: " + ".join(sorted(faults)))
def test_every_combination(faults: set[str]) -> None:
    run = random_run()
    found = diagnose(numbers_of(run, faults, dt=0.05), run, dt=0.05)
    assert set(found.names) == faults
    assert found.verdict == "Faulty"


def test_functions_of_jacobians() -> None:
    jacobians = three_cycle()
    assert diagnose(lambda matrices: benettin(matrices, first=100), jacobians).verdict == "Healthy"
    assert diagnose(lambda matrices: benettin(matrices, transpose=True, first=100), jacobians).names == ("reversed order",)
    both = diagnose(lambda matrices: benettin(matrices, transpose=True, base=2, first=100), jacobians)
    assert both.names == ("reversed order", "bits for nats")


def test_a_frame_that_is_not_aligned_is_a_note_where_it_changes_little() -> None:
    found = diagnose(benettin, three_cycle())
    assert (found.verdict, found.faults) == ("Healthy", ())
    assert found.notes[-1] == "the numbers are those of the whole run without a warm-up; here that changes them by less than the error bars"


def test_where_the_order_cannot_be_told() -> None:
    symmetric = np.tile(np.array([[2.0, 1.0], [1.0, 1.0]]), (200, 1, 1))
    golden = np.log((3 + 5**0.5) / 2)
    found = diagnose([golden, -golden], symmetric)
    assert found.verdict == "Healthy"
    assert found.notes[0].endswith("within the error bars: reversed order")


def test_several_explanations_are_told() -> None:
    found = diagnose([golden_bits := np.log2((3 + 5**0.5) / 2), -golden_bits], np.tile(np.array([[2.0, 1.0], [1.0, 1.0]]), (200, 1, 1)))
    assert found.names == ("bits for nats",)
    assert "reversed order, bits for nats" in found.also


def test_numbers_by_themselves() -> None:
    jacobians = three_cycle()
    unsorted = diagnose([RIGHT[1], RIGHT[0], RIGHT[2]], jacobians)
    assert (unsorted.names, unsorted.faults[0].evidence) == (("not sorted",), "number 2, -1.01691, follows -3.69515")
    assert diagnose([RIGHT[0], np.nan, RIGHT[2]], jacobians).names == ("not a number",)
    assert diagnose([*RIGHT, -9], jacobians).names == ("too many numbers",)
    assert diagnose([-1.0169, -1.0172, -1.0171], jacobians).names == ("no re-orthonormalisation",)
    wrong_sum = diagnose([*RIGHT[:2], -2.0], jacobians)
    assert wrong_sum.names == ("sum against mean log|det J|",)
    assert wrong_sum.faults[0].evidence == "the sum is -6.71206, the mean of log|det J| is -13.2981"
    unknown = diagnose([-0.5], jacobians)
    assert (unknown.verdict, unknown.faults) == ("Unexplained", ())
    assert unknown.notes[1].startswith("the nearest reading (")


def test_a_common_factor() -> None:
    run = record(three_cycle())
    found = diagnose([1.31 * value for value in RIGHT], run)
    assert found.names == ("wrong length",)
    assert found.faults[0].evidence.startswith("the numbers are 1.31 times the exponents, all by the same factor")
    assert diagnose([0.77 * value for value in numbers_of(run, {"reversed order"})], run).names == ("reversed order", "wrong length")


def test_minus_infinity() -> None:
    slope = np.log(1.9)
    lost = np.tile(1.9 * np.array([[1.0, 0], [1.0, 0]]), (300, 1, 1))
    assert np.isneginf(averages(logarithms(record(lost), "forward", "full"))[0][1])
    assert diagnose([slope, -np.inf], lost).verdict == "Healthy"
    found = diagnose([slope, -36.04], lost)
    assert (found.names, found.faults[0].evidence) == (("finite for minus infinity",), "-36.04 where the Jacobian maps a direction to 0")
    assert diagnose([slope, np.nan], lost).faults[0].evidence.endswith("an exponent is minus infinity: the logarithm of 0)")


def test_functions_that_fail() -> None:
    def broken(jacobians: np.ndarray) -> object:
        return jacobians[len(jacobians)]

    found = diagnose(broken, three_cycle(50))
    assert (found.verdict, found.names) == ("Faulty", ("the function fails",))
    assert found.faults[0].evidence.startswith("IndexError: ")


def refused(call: Callable[[], Diagnosis | Record]) -> Malformed:
    """Return the letter of a call that must be refused."""
    with pytest.raises(Malformed) as caught:
        call()
    return caught.value


def test_refusals() -> None:
    jacobians = three_cycle(20)
    assert refused(lambda: diagnose([], jacobians)).law == "exponents"
    assert refused(lambda: diagnose(["one"], jacobians)).expected == "numbers such as 0.25,-1.5"
    assert refused(lambda: diagnose(lambda _a, _b, _c: [], jacobians)).got == "3 arguments without a default"
    assert refused(lambda: diagnose(lambda _module, _inputs: [], jacobians)).law == "a function of (module, inputs)"
    assert refused(lambda: record(np.zeros((0, 3, 3)))).got == "shape (0, 3, 3)"
    assert refused(lambda: record(np.zeros((5, 3, 2)))).got == "shape (5, 3, 2)"
    assert refused(lambda: record(np.full((5, 2, 2), np.nan))).expected == "finite entries"
    assert refused(lambda: record([np.eye(2), np.eye(3)])).expected == "matrices of numbers, all of one shape"
    assert refused(lambda: record(jacobians, 20)).expected == "more steps than the warm-up of 20"


def test_as_json() -> None:
    content = diagnose(REVERSED, three_cycle()).as_json()
    assert content.keys() == {"verdict", "unit", "numbers", "expected", "faults", "also", "notes"}
    assert (content["verdict"], content["unit"], content["numbers"]) == ("Faulty", "nats/step", REVERSED)
    assert diagnose([np.nan, 0.0, 0.0], three_cycle()).as_json()["numbers"] == ["nan", 0.0, 0.0]


def test_numbers_of_another_orbit_are_unexplained() -> None:
    other = [-0.5, -1.0, -2.0]
    found = diagnose(other, three_cycle())
    assert (found.verdict, found.faults) == ("Unexplained", ())
    assert "(without --start the run starts at 0.1 times normal numbers by --seed, a module of torch at 0)" in found.notes[0]
    assert found.notes[1].startswith("the sum is -3.5, the mean of log|det J| is -13.2981 along this run")
    same = diagnose(lambda _jacobians: other, three_cycle())
    assert (same.verdict, same.names) == ("Faulty", ("sum against mean log|det J|",))
    assert not any("orbit" in note for note in same.notes)


SMALL = np.log(0.9999)
SLOW = np.tile(0.9999 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]), (500, 1, 1))
APART = np.tile(np.diag([0.9999, 0.9997]), (500, 1, 1))


@pytest.mark.parametrize("factor", [5.0, 2.0, 1.01, 0.2, 0.0, -1.0])
def test_small_numbers_are_told_apart(factor: float) -> None:
    assert diagnose([factor * SMALL] * 2, SLOW).verdict == "Unexplained"
    assert diagnose(np.log([0.9999, 0.9997]) * factor, APART).verdict != "Healthy"
    assert diagnose(lambda _jacobians: factor * SMALL, SLOW).verdict == "Unexplained"


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_numbers_of_every_size(size: float) -> None:
    run = np.tile(np.diag(np.exp([-size, -3 * size])), (200, 1, 1))
    assert diagnose([-size, -3 * size], run).verdict == "Healthy"
    assert diagnose(benettin, run).verdict == "Healthy"
    assert diagnose([-5 * size, -15 * size], run).names == ("wrong length",)
    assert diagnose([-size / np.log(2), -3 * size / np.log(2)], run).names == ("bits for nats",)


def test_small_right_numbers_are_healthy() -> None:
    assert diagnose([SMALL] * 2, SLOW).verdict == "Healthy"
    assert diagnose(["-0.0001"] * 2, SLOW).verdict == "Healthy"
    assert diagnose(benettin, SLOW).verdict == "Healthy"
    assert diagnose([SMALL / np.log(2)] * 2, SLOW).names == ("bits for nats",)
    assert diagnose(lambda _jacobians: np.array([3e-8, -2e-8], dtype=np.float32), np.tile(np.eye(2), (50, 1, 1))).verdict == "Healthy"
    assert diagnose([1e-3, 0.0], np.tile(np.eye(2), (50, 1, 1))).names == ("sum against mean log|det J|",)


def test_one_step_has_no_error_bars() -> None:
    one = np.diag([2.0, 0.5])[None]
    assert diagnose([np.log(2), -np.log(2)], one).verdict == "Healthy"
    assert diagnose([5.0, -7.0], one).verdict == "Unexplained"


@pytest.mark.parametrize("returned", [[], np.zeros((0,)), np.zeros((3, 0)), None, "-1.0", np.zeros((3, 1)), np.ones(3) * 1j, {"a": 1.0}])
def test_functions_that_return_no_exponents(returned: object) -> None:
    assert refused(lambda: diagnose(lambda _jacobians: returned, three_cycle(50))).law == "a function that returns exponents"


def test_the_wrong_number_of_numbers() -> None:
    assert refused(lambda: diagnose(np.zeros(0), three_cycle(50))).law == "exponents"
    assert diagnose(lambda _jacobians: [*RIGHT, -9.0], three_cycle()).names == ("too many numbers",)
    assert diagnose(lambda _jacobians: np.array([RIGHT]), three_cycle()).verdict == "Healthy"
    assert diagnose(RIGHT[:2], three_cycle()).notes == ("only the 2 largest of 3 exponents were judged",)
    assert diagnose(lambda _jacobians: RIGHT[1:], three_cycle()).verdict != "Healthy"


def test_the_run_starts_where_spectrum_does() -> None:
    generator = np.random.default_rng(1)
    module = torch.nn.RNN(1, 8, bias=False, dtype=torch.float64)
    weight = torch.as_tensor(generator.normal(size=(8, 8)) * 3 / 8**0.5)
    module.load_state_dict({"weight_ih_l0": torch.ones(8, 1), "weight_hh_l0": weight})
    inputs = np.zeros((1500, 1, 1))
    values = [entry.value for entry in spectrum(module, inputs).exponents]
    assert diagnose(values, record_of(module, inputs)).verdict == "Healthy"
    at_rest = diagnose(values, record_of(module, inputs, start=np.zeros(8)))
    assert (at_rest.verdict, at_rest.faults) == ("Unexplained", ())
    drive, start = generator.normal(size=(40, 2, 1)), generator.normal(size=8)
    run, found = record_of(module, drive, start=start, seed=3), spectrum(module, drive, start=start, seed=3, warmup=0, tangent_warmup=0)
    assert np.allclose(logarithms(run, "forward", "full").mean(axis=0).sum(axis=1), found.finite_time.sum(axis=1), atol=1e-9)


@pytest.mark.parametrize(("noise", "names"), [(0.15, ()), (0.03, ("bits for nats",))])
def test_a_fault_is_named_only_where_the_right_numbers_are_clearly_apart(noise: float, names: tuple[str, ...]) -> None:
    logs = 0.1 + noise * np.random.default_rng(0).normal(size=1280)
    run = record(np.exp(logs)[:, None, None])
    bits = numbers_of(run, {"bits for nats"})[0] + 1e-4
    found = diagnose([bits], run)
    assert (found.verdict, found.names) == ("Faulty" if names else "Unexplained", names)


def lstm_jacobian(U: np.ndarray, gates: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return J of (h, c), 2H x 2H, and the new (h, c), by the formulas; gates are the four pre-activations i, f, g, o."""
    i, f, o = (1 / (1 + np.exp(-gates[number])) for number in (0, 1, 3))
    g = np.tanh(gates[2])
    new = f * c + i * g
    Ui, Uf, Ug, Uo = np.split(U, 4)
    cell = (f * (1 - f) * c)[:, None] * Uf + (i * (1 - i) * g)[:, None] * Ui + (i * (1 - g * g))[:, None] * Ug
    through = o * (1 - np.tanh(new) ** 2)
    hidden = through[:, None] * cell + (o * (1 - o) * np.tanh(new))[:, None] * Uo
    return np.block([[hidden, np.diag(through * f)], [cell, np.diag(f)]]), np.concatenate([o * np.tanh(new), new])


def published(
    module: torch.nn.LSTM, inputs: torch.Tensor, *, transpose: bool = True, cell: bool = False, base: float = 2.0, warmup: int = 0
) -> np.ndarray:
    """Return exponents as published code gets them: dh'/dh with the cell state held, Q <- J^T Q, log2, from the first step on."""
    W, U, b_ih, b_hh = (parameter.detach().numpy() for parameter in module.parameters())
    size, found, state = module.hidden_size, [], np.zeros(2 * module.hidden_size)
    for x in inputs[:, 0].numpy():
        gates = np.array(np.split(W @ x + b_ih + U @ state[:size] + b_hh, 4))
        jacobian, state = lstm_jacobian(U, gates, state[size:])
        found.append(jacobian if cell else jacobian[:size, :size])
    return benettin(np.array(found), transpose=transpose, base=base, first=warmup)


def lstm(hidden: int = 3) -> tuple[torch.nn.LSTM, np.ndarray]:
    """Return an LSTM with large weights and a drive of period three, which tells the orders apart."""
    generator = torch.Generator().manual_seed(3)
    module = torch.nn.LSTM(2, hidden, dtype=torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(2 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module, np.tile(np.random.default_rng(5).normal(size=(3, 2)), (200, 1))


WRONG: dict[str, dict[str, object]] = {
    "reversed order": {"transpose": True},
    "missing cell state": {"cell": False},
    "bits for nats": {"base": 2.0},
}


@pytest.mark.parametrize("wrong", [names for count in range(4) for names in combinations(WRONG, count)], ids=" + ".join)
def test_published_code_on_an_lstm(wrong: tuple[str, ...]) -> None:
    module, inputs = lstm()
    options: dict[str, object] = {"transpose": False, "cell": True, "base": math.e, "warmup": 120}
    for name in wrong:
        options |= WRONG[name]

    def function(module: torch.nn.LSTM, inputs: torch.Tensor) -> np.ndarray:
        return published(module, inputs, **options)  # type: ignore[arg-type]

    found = diagnose(function, record_of(module, inputs), module=module, inputs=torch.as_tensor(inputs)[:, None])
    assert (set(found.names), found.verdict) == (set(wrong), "Faulty" if wrong else "Healthy")
    assert len(found.expected) == 6


def test_an_lstm_with_a_long_transient() -> None:
    module, inputs = lstm()
    inputs[:120] = 1.5 * np.random.default_rng(0).normal(size=(120, 2))
    run = record_of(module, inputs, start=np.zeros(6))
    assert (run.warmup, run.hidden) == (120, (0, 1, 2))
    found = diagnose(published, run, module=module, inputs=torch.as_tensor(inputs)[:, None])
    assert found.names == ("reversed order", "missing cell state", "bits for nats", "missing warm-up")


def test_hidden_coordinates() -> None:
    assert hidden_coordinates(torch.nn.LSTM(2, 2, num_layers=2)) == (0, 1, 4, 5)
    assert hidden_coordinates(torch.nn.LSTMCell(2, 3)) == (0, 1, 2)
    assert hidden_coordinates(torch.nn.GRU(2, 2)) is None


def test_runs_that_cannot_be_recorded() -> None:
    module, inputs = lstm()
    assert refused(lambda: record_of(module, inputs[:0])).got == "shape (0, 1, 2)"
    assert refused(lambda: record_of(module, inputs[:, :1])).expected == "shape (T, m) or (T, B, m), T >= 1, m = 2"
    assert refused(lambda: record_of(module, np.full((5, 2), np.nan))).law == "entries are finite"
    assert refused(lambda: record_of(module, inputs, warmup=600)).got == "warm-up 600, measured 0; the input has 600 steps"
    assert refused(lambda: record_of(module, inputs, start=np.zeros(3))).expected == "6 finite numbers, for each of 1 sequences or once"
    assert refused(lambda: record_of(lambda z: 3 * z, start=np.ones(2), steps=2000)).law == "a step returns numbers"
    assert refused(lambda: record_of(lambda z: z, start=np.ones(2**14), steps=2**14)).law == "size limit"


def test_few_digits_do_not_decide_between_readings_that_both_fit() -> None:
    rng = np.random.default_rng(3)
    symmetric = np.diag([0.9, 0.5, 0.2]) + 1e-5 * rng.normal(size=(600, 3, 3))  # the order matters less than the error bars
    run = record(symmetric)
    numbers = [f"{value:.4f}" for value in benettin(symmetric)]
    assert diagnose(numbers, run).verdict == "Healthy"


def test_no_factor_is_named_that_the_bars_cannot_tell_from_one() -> None:
    run = random_run()
    near = [entry.value * 1.0004 + 0.3 * (entry.of == 1) for entry in diagnose([0.0], run).expected]
    assert "wrong length" not in diagnose(near, run).names
