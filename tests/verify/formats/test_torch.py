"""Torch files: state dicts in their usual wrappings; code in a file never runs."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal, sample
from verify.formats import read, write

torch = pytest.importorskip("torch")

WRAPPED = "names and tensors, at the top or in one of model, state_dict, model_state_dict, module, params"
REMEDY = (
    "\n  remedy    only tensors and plain values are read and code is never run; where you trust the file, load it in your own script "
    "and torch.save(model.state_dict(), NEW)"
)


class Marker:
    """Unpickling this makes the folder it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


def stopped(name: str, error: str) -> str:
    return (
        f"Malformed at {name}, the file follows its format\n  expected  a complete torch file\n"
        f"  got       bytes at which the reader stopped ({error}){REMEDY}"
    )


def no_state(got: str) -> str:
    return f"Malformed at net.pt, the file holds one state dict\n  expected  {WRAPPED}\n  got       {got}{REMEDY}"


def test_reads_a_state_dict(tmp_path: Path) -> None:
    state = OrderedDict(
        A=torch.tensor([0.1, 0.2]),
        W=torch.arange(6.0).reshape(2, 3).T,
        h=torch.nn.Parameter(torch.tensor([1.5], dtype=torch.bfloat16)),
        n=torch.tensor([3]),
        P=torch.tensor(2),
        clipped=True,
        history=[1, 2],
    )
    torch.save(state, tmp_path / "net.pt")
    found = read(tmp_path / "net.pt")
    assert found.arrays["A"].tolist() == [float(np.float32(0.1)), float(np.float32(0.2))]
    assert found.arrays["W"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert (found.arrays["h"].tolist(), found.arrays["n"].tolist()) == ([1.5], [3.0])
    assert found.meta == {"P": 2, "clipped": True, "ignored": ["history"]}


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict", "anything"])
def test_reads_a_checkpoint(tmp_path: Path, key: str) -> None:
    torch.save({key: {"A": torch.ones(2)}, "epoch": 3, "optimizer": {"state": {0: torch.ones(1)}}}, tmp_path / "net.pt")
    found = read(tmp_path / "net.pt")
    assert found.arrays["A"].tolist() == [1.0, 1.0]
    assert found.meta == {"ignored": ["epoch", "optimizer"]}


def test_a_file_without_suffix_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    torch.save({"A": torch.ones(2)}, tmp_path / "lorenz_m2_p1")
    assert read(tmp_path / "lorenz_m2_p1").meta == {"file_hint": {"M": 2, "P": 1}}


@pytest.mark.parametrize("suffix", [".pth", ".pkl"])
def test_legacy_files_that_hold_only_tensors(tmp_path: Path, suffix: str) -> None:
    torch.save({"A": torch.ones(2)}, tmp_path / f"net{suffix}", _use_new_zipfile_serialization=False)
    assert read(tmp_path / f"net{suffix}").arrays["A"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("new", [True, False])
def test_code_in_a_torch_file_is_refused_and_not_run(tmp_path: Path, *, new: bool) -> None:
    marker = tmp_path / "marker"
    torch.save({"A": torch.ones(1), "x": Marker(marker)}, tmp_path / "net.pt", _use_new_zipfile_serialization=new)
    assert letter(lambda: read(tmp_path / "net.pt")) == stopped("net.pt", "UnpicklingError")
    assert not marker.exists()


def test_code_in_a_plain_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    assert refusal(tmp_path / "net.pkl", pickle.dumps(Marker(marker))) == stopped("net.pkl", "UnpicklingError")
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))  # noqa: S301  (the same bytes do run where they are let)
    assert marker.exists()


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), tmp_path / "net.pt")
    assert letter(lambda: read(tmp_path / "net.pt")) == stopped("net.pt", "UnpicklingError")


def test_other_contents(tmp_path: Path) -> None:
    for content, got in (
        (torch.ones(2), "a Tensor"),
        ([torch.ones(2)], "a list"),
        ({1: torch.ones(2)}, "keys that are no text"),
        ({"A": [1.0]}, "no tensor"),
        ({"model": {"A": torch.ones(1)}, "params": {"A": torch.ones(1)}}, "state dicts model, params"),
    ):
        torch.save(content, tmp_path / "net.pt")
        assert letter(lambda: read(tmp_path / "net.pt")) == no_state(got)


@pytest.mark.parametrize(
    ("tensor", "got"),
    [
        (torch.ones(2, dtype=torch.complex64), "torch.strided torch.complex64 on cpu"),
        (torch.eye(2).to_sparse(), "torch.sparse_coo torch.float32 on cpu"),
        (torch.empty(2, device="meta"), "torch.strided torch.float32 on meta"),
    ],
)
def test_tensors_that_are_no_plain_arrays(tmp_path: Path, tensor: object, got: str) -> None:
    torch.save({"A": tensor}, tmp_path / "net.pt")
    assert letter(lambda: read(tmp_path / "net.pt")) == (
        f"Malformed at net.pt, array A, arrays hold real numbers\n  expected  a dense real tensor\n  got       {got}"
    )


def test_an_expanded_tensor_is_measured_by_its_shape(tmp_path: Path) -> None:
    torch.save({"A": torch.ones(1).expand(2**27)}, tmp_path / "net.pt")
    assert letter(lambda: read(tmp_path / "net.pt")) == (
        "Malformed at net.pt, array A, size limit\n  expected  at most 67108864 entries in all arrays together\n"
        "  got       134217728 entries more, shape [134217728]"
    )


def test_entries_that_are_not_finite(tmp_path: Path) -> None:
    torch.save({"W": torch.tensor([[1.0, 2.0], [3.0, float("-inf")]])}, tmp_path / "net.pt")
    assert letter(lambda: read(tmp_path / "net.pt")).startswith("Malformed at net.pt, array W[1, 1], entries are finite\n")


def test_a_zip_that_is_no_torch_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as file:
        file.writestr("data.txt", "x")
    assert letter(lambda: read(tmp_path / "net.pt")) == stopped("net.pt", "RuntimeError")


def test_damaged_files(tmp_path: Path) -> None:
    write(tmp_path / "net.pt", sample())
    content = (tmp_path / "net.pt").read_bytes()
    for length in range(1, len(content), 211):
        assert refusal(tmp_path / "net.pt", content[:length]).startswith("Malformed at net.pt, the file follows its format\n")
    value = np.array([1.0, -1.0]).tobytes()
    assert "checksums" in refusal(tmp_path / "net.pt", content.replace(value, value[::-1]))
    assert refusal(tmp_path / "net.pt", b"no torch file") == stopped("net.pt", "UnpicklingError")


def test_the_published_al_rnn(shared: Path) -> None:
    path = shared / "cases" / "models" / "lorenz_m20_p2.pt"
    found = read(path)
    assert {name: array.shape for name, array in found.arrays.items()} == {"A": (20,), "W": (20, 20), "h": (20,), "B": (3, 20)}
    assert found.meta == {"file_hint": {"M": 20, "P": 2}}
    expected = torch.load(path, weights_only=True)["W"].numpy()
    assert np.array_equal(found.arrays["W"].astype(np.float32), expected)
