"""The recurrent modules of torch as systems: steps, tangents and determinants against torch itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, log, tanh
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from tests.verify.lyapunov.dense import dense_jacobians, doubled, known
from verify.errors import Unsupported
from verify.lyapunov.layers import Stack, log_abs_det
from verify.lyapunov.spectra import spectrum
from verify.lyapunov.systems import system_of

H, M, B = 4, 3, 5
KINDS: dict[str, Callable[..., nn.RNNBase]] = {
    "RNN tanh": nn.RNN,
    "RNN relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
}
CELLS: dict[str, Callable[..., nn.RNNCellBase]] = {"RNNCell": nn.RNNCell, "LSTMCell": nn.LSTMCell, "GRUCell": nn.GRUCell}


def stepped(module: nn.RNNBase, state: Tensor, x: Tensor) -> Tensor:
    """One step of torch's own forward on full states (B, n), layer by layer, (h, c) for an LSTM."""
    blocks = state.view(len(state), module.num_layers, -1, H).permute(2, 1, 0, 3).contiguous()
    news = module(x[None], (blocks[0], blocks[1]) if len(blocks) == 2 else blocks[0])[1]
    news = torch.stack(news) if isinstance(news, tuple) else news[None]
    return news.permute(2, 1, 0, 3).reshape(len(state), -1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_step_and_push_are_those_of_torch(kind: str, layers: int, bias: bool) -> None:
    torch.manual_seed(layers)
    module = KINDS[kind](M, H, num_layers=layers, bias=bias).double()
    system = system_of(module)
    states, x = torch.randn(B, system.dimension).double(), torch.randn(B, M).double()
    expected, jacobians = dense_jacobians(lambda z: stepped(module, z, x), states)
    assert torch.allclose(system.step(states, x), expected, atol=1e-14)
    for k in (1, system.dimension, 100):
        frames = torch.randn(B, system.dimension, k).double()
        new, moved = system.push(states, x, frames)
        assert torch.allclose(new, expected, atol=1e-14)
        assert torch.allclose(moved, jacobians @ frames, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_are_folded_in_parts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many columns: however many sequences fit the cache at a time, the product is the same."""
    module = KINDS[kind](M, H, num_layers=2).double()
    system = system_of(module)
    states, x, frames = torch.randn(B, system.dimension).double(), torch.randn(B, M).double(), torch.randn(B, system.dimension, 80).double()
    whole = system.push(states, x, frames)[1]
    for parts in (1, 2):
        monkeypatch.setattr("verify.lyapunov.layers._CACHE", parts * H * H * 8)
        assert torch.allclose(system.push(states, x, frames)[1], whole, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_cells(kind: str, bias: bool) -> None:
    module = CELLS[kind](M, H, bias=bias).double()
    system = system_of(module)
    states, x = torch.randn(B, system.dimension).double(), torch.randn(B, M).double()

    def step(z: Tensor) -> Tensor:
        return torch.cat(module(x, z.chunk(2, 1)), 1) if kind == "LSTMCell" else module(x, z)

    expected, jacobians = dense_jacobians(step, states)
    new, moved = system.push(states, x, torch.eye(system.dimension).double().expand(B, -1, -1))
    assert torch.allclose(new, expected, atol=1e-14)
    assert torch.allclose(moved, jacobians, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["RNN tanh", "LSTM"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_log_det_is_that_of_the_dense_jacobian(kind: str, layers: int, seed: int) -> None:
    torch.manual_seed(seed)
    module = KINDS[kind](M, H, num_layers=layers).double()
    system = system_of(module)
    states, x = 2 * torch.randn(B, system.dimension).double(), torch.randn(B, M).double()
    jacobians = dense_jacobians(lambda z: stepped(module, z, x), states)[1]
    assert torch.allclose(known(system.log_det(states, x)), torch.linalg.slogdet(jacobians)[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_identity_of_the_lstm(seed: int) -> None:
    """The determinant is prod s(f) prod s'(o) tanh(c') det U_o, written out from torch's own parameters."""
    torch.manual_seed(seed)
    module = doubled(nn.LSTM(M, 8), 2.0)
    system = system_of(module)
    states, x = torch.randn(B, 16).double(), torch.randn(B, M).double()
    h, c = states.chunk(2, 1)
    weight = module.get_parameter("weight_hh_l0")
    biases = module.get_parameter("bias_hh_l0") + module.get_parameter("bias_ih_l0")
    gates = h @ weight.T + x @ module.get_parameter("weight_ih_l0").T + biases
    i, f, g, o = gates.chunk(4, 1)
    cell = f.sigmoid() * c + i.sigmoid() * g.tanh()
    factors = f.sigmoid() * o.sigmoid() * (1 - o.sigmoid()) * cell.tanh()
    expected = factors.prod(1) * torch.linalg.det(weight[24:])
    jacobians = system.push(states, x, torch.eye(16).double().expand(B, -1, -1))[1]
    assert torch.allclose(torch.linalg.det(jacobians) / expected, torch.ones(B).double(), rtol=0, atol=1e-10)
    assert torch.allclose(known(system.log_det(states, x)), expected.abs().log(), rtol=0, atol=1e-10)


def test_an_lstm_of_h_units_has_2h_states() -> None:
    assert system_of(nn.LSTM(M, 7)).dimension == 14
    assert system_of(nn.LSTM(M, 7, num_layers=3)).dimension == 42
    assert system_of(nn.GRU(M, 7, num_layers=2)).dimension == 14


def test_a_gru_has_no_formula() -> None:
    system = system_of(nn.GRU(M, H, num_layers=2))
    assert system.log_det(system.start(2, 0), torch.zeros(2, M).double()) is None


def test_a_dead_relu_is_minus_infinity_and_a_border_is_counted() -> None:
    module = nn.RNN(1, 2, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(torch.eye(2))
    system = system_of(module, driven=False)
    states = torch.tensor([[1.0, -1.0], [2.0, 3.0], [0.0, 1.0]]).double()
    assert known(system.log_det(states, None)).tolist() == [-inf, 0, -inf]
    moved = system.push(states, None, torch.eye(2).double().expand(3, -1, -1))[1]
    assert moved.diagonal(dim1=1, dim2=2).tolist() == [[1, 0], [1, 1], [0, 1]]
    assert isinstance(system, Stack)
    assert system.border_hits == 1


def test_a_singular_weight_is_minus_infinity() -> None:
    tent = torch.tensor([[1.9, -3.8], [1.9, -3.8]], dtype=torch.float64)
    outer = torch.outer(torch.randn(6).double(), torch.randn(6).double())
    assert log_abs_det(tent).item() == log_abs_det(outer).item() == log_abs_det(torch.zeros(2, 2)).item() == -inf
    graded = torch.diag(torch.tensor([1, 1e-20, 1e20], dtype=torch.float64))
    assert log_abs_det(graded).item() == pytest.approx(0, abs=1e-12)
    assert log_abs_det(torch.eye(3)).dtype == torch.float32


def test_modes_and_the_zero_input() -> None:
    module = nn.GRU(M, H)
    driven, alone = system_of(module), system_of(module, driven=False)
    assert (driven.mode, driven.input_size, alone.mode, alone.input_size) == ("driven", M, "autonomous", None)
    states = alone.start(2, 1)
    assert torch.equal(alone.step(states, None), driven.step(states, torch.zeros(2, M).double()))
    for system, inputs in ((driven, None), (alone, torch.zeros(2, M)), (driven, torch.zeros(2, M + 1)), (driven, torch.zeros(3, M))):
        with pytest.raises(Malformed, match="a driven system takes"):
            system.step(states, inputs)


@pytest.mark.parametrize("readout", ["linear", "module", "function"])
def test_closed_loop(readout: str) -> None:
    module = doubled(nn.LSTM(M, H, num_layers=2), 2.0)
    loops: dict[str, Any] = {
        "linear": nn.Linear(H, M),
        "module": nn.Sequential(nn.Linear(H, 6), nn.Tanh(), nn.Linear(6, M)),
        "function": lambda h: h[:, :M].sin(),
    }
    loop = loops[readout].double() if isinstance(loops[readout], nn.Module) else loops[readout]
    system = system_of(module, closed_loop=loop)
    assert (system.mode, system.dimension, system.input_size) == ("closed_loop", 16, None)
    states = torch.randn(B, 16).double()
    expected, jacobians = dense_jacobians(lambda z: stepped(module, z, loop(z[:, 8:12])), states)
    frames = torch.randn(B, 16, 7).double()
    new, moved = system.push(states, None, frames)
    assert torch.allclose(new, expected, atol=1e-14)
    assert torch.allclose(system.step(states, None), expected, atol=1e-14)
    assert torch.allclose(moved, jacobians @ frames, rtol=0, atol=1e-12)
    assert system.log_det(states, None) is None


def test_weights_are_read_once_and_nothing_is_changed() -> None:
    module = nn.RNN(M, H)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    system = system_of(module, closed_loop=nn.Linear(H, M))
    states = system.start(2, 0)
    frames = torch.eye(H).double().expand(2, -1, -1).clone()
    first = system.push(states, None, frames)
    assert torch.equal(frames, torch.eye(H).double().expand(2, -1, -1))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.weight_hh_l0.dtype == torch.float32
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").zero_()
    assert torch.equal(system.push(states, None, frames)[1], first[1])


def test_float32_agrees() -> None:
    module = nn.LSTM(M, H)
    single, double = system_of(module, dtype="float32"), system_of(module, dtype=torch.float64)
    states, x, frames = torch.randn(B, 8), torch.randn(B, M), torch.randn(B, 8, 3)
    moved = single.push(states, x, frames)[1]
    assert moved.dtype == torch.float32
    assert torch.allclose(moved.double(), double.push(states.double(), x.double(), frames.double())[1], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 100])
def test_a_differentiable_system_has_the_gradient_of_the_dense_product(kind: str, k: int) -> None:
    torch.manual_seed(3)
    module = KINDS[kind](M, H, num_layers=2).double()
    states = torch.randn(1, system_of(module).dimension).double()
    x, frames = torch.randn(2, 1, M).double(), torch.randn(1, states.shape[1], k).double()

    def gradients(*, dense: bool) -> tuple[Tensor, ...]:
        here, frame, system = states, frames, system_of(module, differentiable=True)
        for row in x:
            if dense:
                here, jacobian = dense_jacobians(partial(system.step, inputs=row), here)
                frame = jacobian @ frame
            else:
                here, frame = system.push(here, row, frame)
        return torch.autograd.grad(frame.sin().sum() + here.sum(), list(module.parameters()))

    for one, two in zip(gradients(dense=False), gradients(dense=True), strict=True):
        assert torch.allclose(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (lambda: nn.LSTM(M, H, bidirectional=True), "expected  one direction\n  got       bidirectional=True"),
        (lambda: nn.LSTM(M, H, proj_size=2), "expected  proj_size=0\n  got       proj_size=2"),
        (lambda: nn.GRU(M, H, num_layers=2, dropout=0.1), "got       dropout=0.1 in training mode\n  remedy    call module.eval() first"),
    ],
)
def test_modules_outside(module: Callable[[], nn.Module], told: str) -> None:
    with pytest.raises(Unsupported) as caught:
        system_of(module())
    assert told in str(caught.value)
    if "dropout" in told:
        assert system_of(module().eval()).dimension == 2 * H


def test_modules_that_are_not_recurrent() -> None:
    with pytest.raises(Malformed) as caught:
        system_of(nn.Linear(2, 2))
    assert "Malformed at module, the module is recurrent" in str(caught.value)
    assert "got       a Linear" in str(caught.value)
    assert "remedy    pass a function step(state) or step(state, input) of one state" in str(caught.value)
    with pytest.raises(Malformed, match="pass its recurrent part: 0"):
        system_of(nn.Sequential(nn.LSTM(2, 2), nn.Tanh()))


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"closed_loop": nn.Linear(H, M), "driven": True}, "got       driven=True and closed_loop"),
        ({"closed_loop": nn.Linear(H, M + 1)}, f"expected  {M} numbers, the network's input\n  got       {M + 1} numbers"),
        ({"closed_loop": nn.Linear(H + 1, M)}, "the readout can be run and differentiated by torch.func"),
        ({"closed_loop": lambda h: h.sum()}, "a readout turns (batch, hidden) into (batch, input)"),
        ({"closed_loop": lambda _: 1}, "got       a int"),
        ({"dimension": 3}, f"expected  dimension {H}\n  got       3"),
        ({"input_size": 7}, f"expected  {M}\n  got       7"),
        ({"dtype": "float16"}, "expected  float32 or float64\n  got       float16"),
        ({"start": torch.zeros(2, 2, 2)}, "got       shape (2, 2, 2)"),
    ],
)
def test_wishes_that_do_not_fit(wishes: dict[str, Any], told: str) -> None:
    with pytest.raises(Malformed) as caught:
        system_of(nn.RNN(M, H), **wishes)
    assert told in str(caught.value)


def test_weights_that_are_nan() -> None:
    module = nn.GRU(M, H)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0")[0, :2] = float("nan")
    with pytest.raises(Malformed, match=f"2 of {3 * H * H} are nan or infinite"):
        system_of(module)


def test_starts() -> None:
    system = system_of(nn.RNN(M, H))
    assert torch.equal(system.start(6, 9), system.start(6, 9))
    assert not torch.equal(system.start(6, 9), system.start(6, 8))
    one = torch.arange(4.0)
    near = system_of(nn.RNN(M, H), start=one).start(3, 0)
    assert torch.equal(near[0], one.double())
    assert 0 < (near[1:] - one).abs().max() < 0.02
    many = torch.randn(3, 4)
    assert torch.equal(system_of(nn.RNN(M, H), start=many).start(3, 0), many.double())
    for start in (torch.zeros(5), torch.full((4,), float("nan")), many):
        with pytest.raises(Malformed, match="a state to start from"):
            system_of(nn.RNN(M, H), start=start).start(2, 0)


def test_things_that_are_no_systems() -> None:
    system = system_of(nn.RNN(M, H))
    assert system_of(system) is system
    for source in (3, "net", None):
        with pytest.raises(Malformed, match=f"got       a {type(source).__name__}"):
            system_of(source)


class Doubled(nn.RNNCell):
    """A cell whose forward is not that of its base."""

    def forward(self, input: torch.Tensor, hx: torch.Tensor | None = None) -> torch.Tensor:  # noqa: A002 - torch's name
        """Return twice the state of the base."""
        return 2 * super().forward(input, hx)


def test_another_forward_is_not_taken_for_the_stock_one() -> None:
    with pytest.raises(Unsupported, match="another forward"):
        system_of(Doubled(1, 2))
    hooked = nn.RNN(1, 2)
    hooked.register_forward_hook(lambda *_: None)
    with pytest.raises(Unsupported, match="forward hooks"):
        system_of(hooked)


def test_parametrised_weights_are_read_as_they_act() -> None:
    module = nn.RNN(1, 3).double()
    torch.nn.utils.parametrizations.weight_norm(module, "weight_hh_l0")
    plain = nn.RNN(1, 3).double()
    plain.load_state_dict({name: getattr(module, name).detach() for name in plain.state_dict()})
    states, frames, inputs = (
        torch.zeros(1, 3, dtype=torch.float64),
        torch.eye(3, dtype=torch.float64)[None],
        torch.ones(1, 1, dtype=torch.float64),
    )
    one, two = (system_of(each, dtype=torch.float64).push(states, inputs, frames)[1] for each in (module, plain))
    assert torch.equal(one, two)


def test_parametrised_weights_are_read_without_a_trace() -> None:
    module = nn.RNNCell(1, 3)
    torch.nn.utils.parametrizations.spectral_norm(module, "weight_hh")
    before = {name: value.clone() for name, value in module.state_dict().items()}
    system_of(module)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def saturated(factor: float) -> nn.RNN:
    """Return one layer of two tanh units, the first with weight ``factor`` on itself, the second with 1/2."""
    module = nn.RNN(1, 2, bias=False).double()
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(torch.tensor([[factor, 0.0], [0.0, 0.5]]))
    return module


def test_a_saturated_unit_has_a_finite_logarithm() -> None:
    """Pre-activation 720, where sech^2 underflows: log(800) + log(4) - 1440 = -1431.93."""
    system = system_of(saturated(800), driven=False)
    states = torch.tensor([[0.9, 0.0], [-0.9, 0.0]], dtype=torch.float64)
    expected = log(800) + log(4) - 1440 + log(0.5)
    assert known(system.log_det(states, None)).tolist() == pytest.approx([expected] * 2, abs=1e-9)
    found = spectrum(saturated(800), driven=False, steps=64, blocks=8, start=torch.tensor([0.9, 0.1]))
    assert [each.value for each in found.exponents] == pytest.approx([log(0.5), log(800) + log(4) - 1600], abs=1e-9)
    assert not found.failed, found.failed


def test_rounding_of_saturated_slopes_is_no_fault() -> None:
    """Every unit saturated: 1 - tanh^2, as autodiff has it, is rounding alone; what is pushed is right."""
    for factor in (12.0, 100.0):
        module = saturated(factor)
        with torch.no_grad():
            module.get_parameter("weight_hh_l0")[1, 1] = factor
        found = spectrum(module, driven=False, steps=64, blocks=8, start=torch.tensor([0.9, 0.1]))
        assert found.exponents[0].value == pytest.approx(log(factor) + log(4) - 2 * factor, abs=1e-6)
        assert not found.failed, found.failed


def test_saturated_gates_of_an_lstm_have_finite_logarithms() -> None:
    module = nn.LSTM(1, 2).double()
    with torch.no_grad():
        for value in module.parameters():
            value.zero_()
        module.get_parameter("weight_hh_l0")[6:] = torch.eye(2)
        module.get_parameter("bias_ih_l0")[2:] = torch.tensor([-900.0, -900, 0, 0, -800, 800])
    system = system_of(module)
    states, x = torch.tensor([[0.0, 0, 0.5, -0.5]]).double(), torch.zeros(1, 1).double()
    assert known(system.log_det(states, x)).tolist() == [-inf]  # tanh c' = 0: the state is lost
    with torch.no_grad():
        module.get_parameter("bias_ih_l0")[4:6] = 1.0
    cell = 0.5 * tanh(1)
    expected = 2 * (-900 - 800 + log(tanh(cell)))
    assert known(system_of(module).log_det(states, x)).tolist() == pytest.approx([expected], abs=1e-9)
