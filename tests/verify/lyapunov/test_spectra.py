"""Spectra with known values, directions that die, and requests that are refused."""

from __future__ import annotations

import json
from math import inf, log, sqrt
from typing import Any, Literal

import numpy as np
import pytest
import torch

from proofs.errors import Malformed
from tests.verify.lyapunov.maps import Map, henon, linear, lozi, random_net, relu_net, tanh_net, tent, three_cycle
from verify.lyapunov.orthogonal import orthonormalise
from verify.lyapunov.spectra import Spectrum, spectrum

CYCLE = (-1.0169133922, -3.6951472621, -8.5860879295)
START = np.array([0.1, 0.2, -0.3])


def values(found: Spectrum) -> list[float]:
    return [entry.value for entry in found.exponents]


def assert_sound(found: Spectrum) -> None:
    assert not found.failed, found.failed


@pytest.mark.parametrize("qr", ["adaptive", 1, 7])
def test_a_constant_matrix_has_the_logarithms_of_its_eigenvalues(qr: int | Literal["adaptive"]) -> None:
    found = spectrum(linear([[0.5, 3.0, 0.1], [0.0, 0.2, 1.0], [0.0, 0.0, -0.9]]), steps=320, tangent_warmup=200, qr=qr)
    assert values(found) == pytest.approx([log(0.9), log(0.5), log(0.2)], abs=1e-10)
    assert found.sum is not None
    assert found.sum.value == pytest.approx(log(0.09), abs=1e-10)
    assert abs(found.sum.value - log(0.09)) <= found.sum.half_width < 1e-9
    assert found.kaplan_yorke == 0
    assert_sound(found)


def test_the_cat_map_has_the_golden_exponents() -> None:
    found = spectrum(linear([[2.0, 1.0], [1.0, 1.0]], mod=True), steps=320, batch=4)
    golden = log((3 + sqrt(5)) / 2)
    assert values(found) == pytest.approx([golden, -golden], abs=1e-13)
    for entry, exact in zip(found.exponents, (golden, -golden), strict=True):
        assert abs(entry.value - exact) <= entry.half_width
    assert found.qr_interval >= 5  # each factorisation waits for a condition of 1e6
    assert_sound(found)


def test_henon_has_the_logarithm_of_b_as_the_sum() -> None:
    found = spectrum(henon(), steps=2000, batch=16)
    assert found.sum is not None
    assert found.sum.value == pytest.approx(log(0.3), abs=1e-12)
    assert found.exponents[0].value == pytest.approx(0.41924, abs=3 * found.exponents[0].half_width)
    assert found.exponents[0].half_width < 0.01
    assert found.kaplan_yorke == pytest.approx(1.258, abs=0.01)
    assert found.entropy_sum == found.exponents[0].value
    assert_sound(found)


@pytest.mark.slow
def test_henon_and_lozi_within_their_error_bars() -> None:
    cases = [(henon(), (0.41924, -1.623212)), (lozi(1.7, 0.5), (0.470243, -1.16339)), (lozi(1.8, 0.4), (0.562565, -1.478856))]
    for system, known in cases:
        found = spectrum(system, steps=20_000, batch=64)
        for entry, value in zip(found.exponents, known, strict=True):
            assert abs(entry.value - value) <= 1.5 * entry.half_width + 6e-5
            assert entry.half_width < 1e-3


def test_a_stable_cycle_of_a_tanh_net() -> None:
    found = spectrum(three_cycle(), start=START, steps=384, tangent_warmup=200)
    assert values(found) == pytest.approx(CYCLE, abs=1e-8)
    assert found.log_det is not None
    assert found.log_det.value == pytest.approx(sum(CYCLE), abs=1e-8)
    assert_sound(found)


def test_the_reversed_product_of_that_net_is_found_out() -> None:
    net = three_cycle()
    right = net.jacobian
    net.jacobian = lambda x: right(x).mT
    found = spectrum(net, start=START, steps=96)
    assert found.exponents[0].value > 1  # what published code prints for this stable cycle
    assert {check.name for check in found.failed} == {"jacobian", "order"}


def test_the_tent_map_as_a_relu_net_of_rank_one() -> None:
    found = spectrum(tent(1.9), start=np.array([0.3, 0.0]), steps=640, batch=3)
    assert values(found) == [pytest.approx(log(1.9), abs=2e-3), -inf]
    told = json.loads(json.dumps(found.as_json()))
    assert told["exponents"][1] == {"index": 2, "kind": "estimate", "value": "-inf", "ci": None, "scope": "this run"}
    assert found.sum is not None
    assert found.sum.value == -inf
    assert found.kaplan_yorke == 1
    assert not any(np.isnan(found.blocks).ravel())
    assert_sound(found)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_directions_that_die_come_last_and_leave_the_others_right(order: tuple[int, ...]) -> None:
    diagonal = np.array([2.0, 0.5, 0.0, 0.0])[list(order)]
    found = spectrum(linear(np.diag(diagonal).tolist()), steps=320)
    assert values(found) == [pytest.approx(log(2), abs=1e-12), pytest.approx(log(0.5), abs=1e-12), -inf, -inf]
    assert_sound(found)


def test_a_matrix_that_is_singular_only_in_real_numbers() -> None:
    generator = torch.Generator().manual_seed(3)
    thin = torch.randn(40, 5, generator=generator, dtype=torch.float64) / 5
    found = spectrum(linear((thin @ thin.T).tolist()), steps=200, tangent_warmup=500)
    eigenvalues = torch.linalg.eigvalsh(thin.T @ thin).flip(0).log()
    assert values(found)[:5] == pytest.approx(eigenvalues.tolist(), abs=1e-9)
    assert values(found)[5:] == [-inf] * 35


def test_a_tiny_factor_is_not_a_dead_direction() -> None:
    found = spectrum(linear([[2.0, 1.0], [0.0, 1e-12]]), steps=64)
    assert values(found) == pytest.approx([log(2), log(1e-12)], abs=1e-2)
    found = spectrum(linear([[1.0, 0.0], [0.0, 1e-30]]), steps=64)
    assert values(found) == pytest.approx([0, log(1e-30)], abs=1e-9)


def test_below_rounding_level_the_determinant_speaks() -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    sizes = torch.tensor([1.0, 0.5, 1e-25], dtype=torch.float64)
    system = linear((turn @ torch.diag(sizes) @ turn.T).tolist())
    system.determinant = lambda x: sizes.log().sum().expand(len(x))
    found = spectrum(system, steps=64, tangent_warmup=100)
    assert values(found) == pytest.approx([0, log(0.5), log(1e-25)], abs=1e-9)
    system.determinant = None
    assert values(spectrum(system, steps=64, tangent_warmup=100)) == [pytest.approx(0, abs=1e-9), pytest.approx(log(0.5), abs=1e-9), -inf]


def test_several_directions_below_rounding_level_are_minus_infinity_and_that_is_said() -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    sizes = torch.tensor([1.0, 1e-22, 1e-25], dtype=torch.float64)
    system = linear((turn @ torch.diag(sizes) @ turn.T).tolist())
    system.determinant = lambda x: sizes.log().sum().expand(len(x))
    found = spectrum(system, steps=64)
    assert values(found) == [pytest.approx(0, abs=1e-9), -inf, -inf]
    assert found.sum is not None
    assert found.sum.value == pytest.approx(log(1e-47), abs=1e-9)
    assert "2 directions shrank below rounding level" in found.notes[0]
    assert {check.name: check.detail for check in found.checks}["sum"].endswith(
        "1 of 1 sequences left out: directions below rounding level"
    )
    assert_sound(found)
    some = spectrum(system, steps=64, k=2)
    assert values(some) == [pytest.approx(0, abs=1e-9), -inf]
    assert "1 direction shrank" in some.notes[0]
    assert_sound(some)


def saturated(before: float) -> torch.nn.RNN:
    """Return three uncoupled tanh units, two of them at this pre-activation and one more: slopes 4 exp(-2 x)."""
    module = torch.nn.RNN(1, 3).double().requires_grad_(requires_grad=False)
    for name, value in module.named_parameters():
        value.copy_(torch.eye(3) / 2 if name == "weight_hh_l0" else torch.zeros_like(value))
    module.get_parameter("bias_ih_l0").copy_(torch.tensor([0.0, before, before + 1]))
    return module


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_units_whose_slopes_underflow_at_once(dtype: str) -> None:
    beyond = {"float64": 400.0, "float32": 100.0}[dtype]
    found = spectrum(saturated(beyond), driven=False, steps=64, dtype=dtype)
    assert values(found) == [pytest.approx(log(0.5), abs=1e-6), -inf, -inf]
    assert found.sum is not None
    assert found.sum.value == pytest.approx(log(0.5) + 2 * log(2) - 4 * (beyond + 1), rel=1e-6)
    assert "shrank below rounding level" in found.notes[0]
    assert_sound(found)
    within = spectrum(saturated(30.0), driven=False, steps=64, dtype=dtype)
    assert values(within) == pytest.approx([log(0.5), log(2) - 61, log(2) - 63], abs=1e-5)
    assert_sound(within)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", [torch.tanh, torch.relu])
@pytest.mark.parametrize("size", [3, 4])
def test_nets_of_rank_one_have_one_exponent(size: int, kind: Any, dtype: torch.dtype) -> None:  # noqa: ANN401 - a function of torch
    u, v = torch.randn(2, size, generator=torch.Generator().manual_seed(size), dtype=dtype).abs() / 2
    name = str(dtype).removeprefix("torch.")
    for k in (size, 2):
        found = spectrum(lambda z: kind(u * (v @ z) + 0.1), dimension=size, k=k, steps=64, dtype=name)
        assert values(found)[1:] == [-inf] * (k - 1)
        assert np.isfinite(values(found)[0])
        assert_sound(found)


def test_without_weights_every_direction_dies() -> None:
    module = torch.nn.RNN(2, 3)
    torch.nn.init.zeros_(module.get_parameter("weight_hh_l0"))
    for dtype in ("float64", "float32"):
        found = spectrum(module, torch.ones(96, 2), dtype=dtype)
        assert values(found) == [-inf] * 3
        assert_sound(found)
    still = spectrum(lambda z: 0 * z, dimension=2, steps=32)
    assert values(still) == [-inf, -inf]
    assert_sound(still)


def test_a_singular_step_is_minus_infinity_by_formula() -> None:
    system = linear([[0.5, 0.0], [0.0, 1e-300]])
    system.determinant = lambda x: torch.full((len(x),), -inf, dtype=torch.float64)
    assert values(spectrum(system, steps=64))[1] == -inf


def test_dead_relu_units() -> None:
    generator = torch.Generator().manual_seed(5)
    W = 1.8 * torch.randn(30, 30, generator=generator, dtype=torch.float64) / 30**0.5 - 0.1
    found = spectrum(relu_net(W, torch.ones(30, dtype=torch.float64)), steps=400, batch=2)
    dead = sum(value == -inf for value in values(found))
    assert 0 < dead < 30
    assert values(found) == sorted(values(found), reverse=True)
    assert np.isfinite(found.finite_time[:, : 30 - dead]).any()
    assert_sound(found)


def test_a_kernel_shared_by_two_columns_leaves_the_third() -> None:
    a, b = (torch.tensor(column, dtype=torch.float64) for column in ([1.0, 1, 0, 0], [0.0, 1, 1, 2]))
    found = orthonormalise(torch.stack([a, 2 * a, b, a - b], dim=1).unsqueeze(0))
    assert found.zero.tolist() == [[False, False, True, True]]
    assert found.diagonal[0, :2].tolist() == pytest.approx([sqrt(2), float(torch.linalg.vector_norm(b - 0.5 * a))])
    assert torch.allclose(found.frames.mT @ found.frames, torch.eye(4, dtype=torch.float64), atol=1e-14)


def test_leading_exponents_agree_with_all_of_them() -> None:
    net = random_net(24, 0.9)
    every, some = spectrum(net, steps=960), spectrum(net, steps=960, k=5)
    assert values(some) == pytest.approx(values(every)[:5], abs=2e-3)
    assert some.sum is None
    assert some.log_det is None
    assert some.qr_interval > every.qr_interval
    assert_sound(some)


def test_a_large_random_net_in_both_precisions() -> None:
    found = {dtype: spectrum(random_net(70, 2.0, dtype=dtype), steps=160, batch=2) for dtype in (torch.float64, torch.float32)}
    for one in found.values():
        assert_sound(one)
        assert one.sum is not None
        assert one.log_det is not None
        assert one.sum.value == pytest.approx(one.log_det.value, abs=1e-2)
        assert one.participation is not None
        assert 5 < one.participation < 70
    double, single = found.values()
    assert single.dtype == "float32"
    assert single.exponents[0].half_width < 0.1
    assert double.exponents[0].value == pytest.approx(single.exponents[0].value, abs=0.05)


def test_driven_nets_use_each_input_once() -> None:
    net = random_net(6, 0.8)
    net.mode, net.input_size = "driven", 6
    inputs = torch.randn(700, 3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = spectrum(net, inputs)
    assert (found.steps, found.warmup, found.tangent_warmup, found.batch) == (500, 100, 100, 3)
    later = spectrum(net, inputs[100:], start=moved(net, inputs[:100], 3), warmup=0, tangent_warmup=100, steps=500)
    assert values(later) == pytest.approx(values(found), abs=1e-9)
    assert_sound(found)


def moved(net: Map, inputs: torch.Tensor, batch: int) -> torch.Tensor:
    states = net.start(batch, 0)
    for row in inputs:
        states = net.step(states, row)
    return states


def test_a_synchronised_batch_counts_as_one_sequence() -> None:
    net = random_net(6, 0.5)
    net.mode, net.input_size = "driven", 6
    inputs = torch.randn(700, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one, many = spectrum(net, inputs), spectrum(net, inputs, batch=16)
    assert many.exponents[0].half_width == pytest.approx(one.exponents[0].half_width, rel=0.05)


def test_the_seed_fixes_every_number() -> None:
    first, second, other = (spectrum(henon(), steps=200, seed=seed) for seed in (1, 1, 2))
    assert first.as_json() == second.as_json()
    assert first.as_json() != other.as_json()


def test_json_has_the_documented_keys() -> None:
    told = spectrum(henon(), steps=64).as_json()
    assert {"mode", "unit", "exponents", "sum", "log_det", "kaplan_yorke", "steps", "warmup"} <= set(told)
    assert (told["unit"], told["mode"]) == ("nats/step", "autonomous")
    json.dumps(told, allow_nan=False)


def test_progress_is_told_block_by_block() -> None:
    heard: list[tuple[str, int, int]] = []
    spectrum(henon(), steps=64, blocks=4, progress=lambda *what: heard.append(what))
    assert heard == [("blocks", done, 4) for done in (1, 2, 3, 4)]


DRIVEN = Map(
    "driven", 2, lambda x: x / 2, lambda x: 0.5 * torch.eye(2, dtype=torch.float64).expand(len(x), -1, -1), mode="driven", input_size=2
)
NAN = torch.zeros(50, 2, dtype=torch.float64).index_fill(0, torch.tensor([7]), float("nan"))


@pytest.mark.parametrize(
    ("inputs", "wishes", "text"),
    [
        (None, {}, "a driven system has inputs"),
        (NAN, {}, "nan at index [7, 0]"),
        (torch.zeros(0, 2), {}, "inputs are not empty"),
        (torch.zeros(50, 3), {}, "(T, B, 2) or (T, 2), time first"),
        (torch.zeros(50, 2, 2), {"batch": 3}, "one sequence an element"),
        (torch.zeros(50, 2), {"warmup": 50, "blocks": 1}, "at least warmup + tangent warmup + steps = 51"),
        (torch.zeros(50, 2), {"steps": 60}, "got       50 inputs"),
        (torch.zeros(50, 2), {"steps": 20}, "fewer blocks"),
        (torch.zeros(50, 2), {"k": 3}, "1 to 2"),
        (torch.zeros(50, 2), {"k": 0}, "1 to 2"),
        (torch.zeros(50, 2), {"qr": 0}, "a positive number or 'adaptive'"),
        (torch.zeros(50, 2), {"steps": 0}, "a run has a length"),
        (torch.zeros(50, 2), {"warmup": -1}, "a run has a length"),
        (torch.zeros(50, 2), {"start": np.zeros(3)}, "a full state"),
        (torch.zeros(50, 2), {"start": np.array([0, np.nan])}, "states are finite"),
        (torch.zeros(50, 2), {"dtype": "float16"}, "float64 or float32"),
        (torch.zeros(50, 2), {"dtype": "float32"}, "a System is used as it is"),
    ],
)
def test_wrong_requests_are_refused(inputs: torch.Tensor | None, wishes: dict[str, Any], text: str) -> None:
    with pytest.raises(Malformed) as caught:
        spectrum(DRIVEN, inputs, **wishes)
    assert text in str(caught.value)


def test_an_autonomous_system_reads_no_inputs() -> None:
    with pytest.raises(Malformed, match="only a driven system reads inputs"):
        spectrum(henon(), torch.zeros(50, 2))


@pytest.mark.parametrize(("warmup", "tangent_warmup"), [(40, 0), (0, 40), (0, 0)])
def test_an_orbit_that_diverges_names_the_step(warmup: int, tangent_warmup: int) -> None:
    square = Map("square", 1, lambda x: x**2, lambda x: 2 * x.unsqueeze(-1))
    with pytest.raises(Malformed, match="the state after step 9"):
        spectrum(square, start=np.array([4.0]), steps=64, warmup=warmup, tangent_warmup=tangent_warmup)


def test_images_that_overflow_are_refused_at_a_fixed_interval() -> None:
    with pytest.raises(Malformed, match="orthonormalise more often"):
        spectrum(Map("steep", 1, lambda x: 0 * x, lambda x: (1e40 + 0 * x).unsqueeze(-1)), steps=64, qr=64)
    steep = spectrum(Map("steep", 1, lambda x: 0 * x, lambda x: (1e40 + 0 * x).unsqueeze(-1)), steps=64)
    assert steep.exponents[0].value == pytest.approx(log(1e40))


def test_rows_of_very_different_scale_keep_their_accuracy() -> None:
    W = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    net = tanh_net(W)
    graded = Map(
        "graded", 2, lambda x: 0 * x, lambda x: torch.diag(torch.tensor([1.0, 1e-18], dtype=torch.float64)).expand(len(x), 2, 2) @ W
    )
    assert sum(values(spectrum(graded, steps=64))) == pytest.approx(log(5e-18), abs=1e-10)
    assert_sound(spectrum(net, steps=64))


def test_an_orbit_that_repeats_itself_in_floats_is_said_to() -> None:
    resting = spectrum(lambda z: 0.5 * z + 1, dimension=1, steps=64, start=torch.tensor([0.3]), dtype="float64")
    assert "stands on a fixed point" in resting.notes[0]
    assert spectrum(lambda z: 3.9 * z * (1 - z), dimension=1, steps=64, start=torch.tensor([0.3]), dtype="float64").notes == ()


def test_huge_weights_keep_their_exponents() -> None:
    found = spectrum(lambda z: 1e300 * z, dimension=2, steps=32, start=torch.zeros(2), dtype="float64")
    assert found.failed == ()
    assert [entry.value for entry in found.exponents] == pytest.approx([log(1e300)] * 2)


def test_batch_first_has_no_say_and_that_is_said() -> None:
    found = spectrum(torch.nn.GRU(2, 3, batch_first=True), torch.randn(64, 2, 2), k=1, warmup=8, tangent_warmup=8)
    assert "64 steps of 2 sequences" in found.notes[0]


def test_columns_that_waver_at_rounding_level_end_the_search_for_an_order() -> None:
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(2, 5)
    with torch.no_grad():
        for weights in lstm.parameters():
            weights.mul_(30)
    assert len(spectrum(lstm, torch.randn(400, 1, 2)).exponents) == 10  # it used to run for ever
