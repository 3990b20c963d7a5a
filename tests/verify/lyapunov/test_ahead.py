"""Small systems by dense Jacobians in chunks: the numbers of pushed frames, and no step that nobody asked for."""

from __future__ import annotations

from math import inf

import pytest
import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from tests.verify.lyapunov.maps import Map, henon, random_net, tent
from verify.lyapunov import ahead
from verify.lyapunov.engine import Engine
from verify.lyapunov.march import march
from verify.lyapunov.orthogonal import Pace, orthonormalise, quickly
from verify.lyapunov.spectra import Spectrum, spectrum
from verify.lyapunov.system import System
from verify.lyapunov.systems import system_of

STACKS = [
    nn.RNN(3, 4),
    nn.RNN(3, 4, nonlinearity="relu", bias=False),
    nn.LSTM(3, 4),
    nn.LSTM(3, 3, bias=False),
    nn.GRU(3, 4),
    nn.GRU(3, 4, bias=False),
    nn.LSTM(3, 3, num_layers=2),
    nn.GRU(3, 2, num_layers=3),
]


def exponents(found: Spectrum) -> list[float]:
    return [entry.value for entry in found.exponents]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("driven", [True, False])
@pytest.mark.parametrize("module", STACKS, ids=str)
def test_marched_states_are_those_of_the_steps(module: nn.Module, driven: bool, dtype: str) -> None:
    system = system_of(module, driven=driven, dtype=dtype)
    states = 3 * system.start(2, 0)
    inputs = torch.randn(20, 2, 3, dtype=system.dtype, generator=torch.Generator().manual_seed(1)) if driven else None
    passed = march(system, states, inputs, 20)
    assert passed is not None
    assert passed[0] is states
    for step in range(20):
        assert passed[step + 1].dtype == system.dtype
        again = system.step(passed[step], None if inputs is None else inputs[step])
        assert torch.allclose(passed[step + 1], again, rtol=0, atol=2e-15 if dtype == "float64" else 2e-6)


def test_other_systems_are_not_marched() -> None:
    closed = system_of(nn.RNN(2, 4), closed_loop=nn.Linear(4, 2))
    own = system_of(lambda z: z / 2, dimension=2)
    for system in (closed, own, henon()):
        assert march(system, system.start(1, 0), None, 3) is None


@pytest.mark.parametrize("k", [4, 2])
@pytest.mark.parametrize("make", [lambda: random_net(4, 2.5), lambda: system_of(nn.LSTM(3, 2).double()), lambda: tent(1.9)])
def test_chunks_change_nothing_but_rounding(make: object, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    system: System = make()  # type: ignore[operator]
    inputs = torch.randn(140, 2, 3, generator=torch.Generator().manual_seed(0)) if system.mode == "driven" else None
    wishes = {"k": min(k, system.dimension), "warmup": 10, "tangent_warmup": 30, "steps": 100, "batch": 2}
    by_chunks = spectrum(system, inputs, **wishes)  # type: ignore[arg-type]
    monkeypatch.setattr(ahead, "_LARGEST", 0)
    by_frames = spectrum(system, inputs, **wishes)  # type: ignore[arg-type]
    assert by_chunks.failed == by_frames.failed == ()
    assert exponents(by_chunks) == pytest.approx(exponents(by_frames), abs=1e-9)
    assert by_chunks.qr_interval == by_frames.qr_interval


def test_a_march_to_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def astray(system: System, states: Tensor, inputs: Tensor | None, steps: int) -> list[Tensor] | None:
        passed = march(system, states, inputs, steps)
        return None if passed is None else [passed[0], *(state + 1e-6 for state in passed[1:])]

    monkeypatch.setattr(ahead, "march", astray)
    found = spectrum(nn.LSTM(3, 4), torch.randn(96, 3), steps=64)
    assert [check.name for check in found.failed] == ["jacobian"]
    assert 5e-7 < found.failed[0].value < 5e-6


def test_large_systems_keep_to_frames() -> None:
    def engine(size: int, batch: int) -> Engine:
        system = random_net(size, 1.0)
        return Engine(system, system.start(batch, 0), None, 1, Pace("adaptive", torch.float64), 0)

    assert engine(16, 1).ahead is not None
    assert engine(16, 32).ahead is not None
    assert engine(16, 64).ahead is None
    assert engine(40, 1).ahead is not None
    assert engine(65, 1).ahead is None


def counted() -> tuple[Map, list[int]]:
    """Return x -> 2 x that counts how often it is stepped, and that count."""
    calls = [0]

    def rule(x: Tensor) -> Tensor:
        calls[0] += 1
        return 0.5 * x

    return Map("half", 1, rule, lambda x: torch.full((len(x), 1, 1), 0.5, dtype=torch.float64)), calls


def test_no_step_is_taken_after_the_end() -> None:
    system, calls = counted()
    engine = Engine(system, system.start(1, 0), None, 1, Pace(4, torch.float64), 0, end=10)
    taken = [len(engine.stretch(10 - engine.time).trail) for _ in range(3)]
    assert taken == [4, 4, 2]
    assert calls[0] == 10 + 1  # and one push of all ten


def test_an_orbit_that_leaves_the_floats_after_the_end_does_no_harm() -> None:
    square = Map("square", 1, lambda x: x**2, lambda x: 2 * x.unsqueeze(-1))
    start = torch.tensor([[4.0]], dtype=torch.float64)  # infinite after the ninth step
    found = spectrum(square, start=start, steps=8, warmup=0, tangent_warmup=0, blocks=2)
    assert found.exponents[0].value > 0
    with pytest.raises(Malformed, match="the state after step 9"):
        spectrum(square, start=start, steps=9, warmup=0, tangent_warmup=0, blocks=3)
    engine = Engine(square, start, None, 1, Pace(1, torch.float64), 0, end=100)
    for _ in range(8):
        engine.stretch(1)
    with pytest.raises(Malformed, match="the state after step 9"):
        engine.stretch(1)


def test_a_function_that_refuses_a_step_is_heard_only_when_it_is_asked() -> None:
    def step(z: Tensor) -> Tensor:
        return torch.where(z > 100, torch.full_like(z, inf), 2 * z)

    system = system_of(step, dimension=1)
    engine = Engine(system, torch.ones(1, 1, dtype=torch.float64), None, 1, Pace(1, torch.float64), 0, end=50)
    for _ in range(7):
        engine.stretch(1)
    with pytest.raises(Malformed, match="a step returns numbers"):
        engine.stretch(1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_quick_factorisation_is_the_careful_one(dtype: torch.dtype) -> None:
    images = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(dtype)
    graded = images * torch.tensor([1, 1e-9, 1, 1e3, 1, 1]).to(dtype).view(1, 6, 1)
    for each in (images, graded):
        found, careful = quickly(each.numpy()), orthonormalise(each)
        assert found is not None
        frames, logs = found
        assert torch.allclose(frames, careful.frames, atol=1e-5 if dtype == torch.float32 else 1e-13)
        assert torch.allclose(torch.from_numpy(logs), careful.diagonal.double().log(), atol=1e-5 if dtype == torch.float32 else 1e-13)


def test_what_is_dependent_or_extreme_is_left_to_the_careful_one() -> None:
    images = torch.randn(1, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    dependent = images.clone()
    dependent[0, :, 2] = dependent[0, :, 1]
    for each in (dependent, 0 * images, 1e200 * images, 1e-200 * images, images / 0):
        assert quickly(each.numpy()) is None
