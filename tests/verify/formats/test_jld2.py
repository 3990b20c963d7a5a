"""JLD2: arrays in Julia's order, lists by reference, flat parameter vectors, the marks of a continuous-time model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal
from verify.formats import jld2, read

h5py = pytest.importorskip("h5py")
HEADER = b"HDF5-based Julia Data Format, version 0.2.0\0"


def save(path: Path, fill: Callable[[Any], None], header: bytes = HEADER) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)
    with path.open("r+b") as raw:
        raw.write(header)
    return path


def fill_plain(file: Any) -> None:  # noqa: ANN401  (an h5py file)
    file["A"] = np.array([0.5, 0.25], dtype=np.float32)
    file["W"] = np.arange(6.0).reshape(3, 2)
    file["P"] = 1
    file["model"] = "alrnn"
    file["group/h"] = np.ones(2)
    file["epoch"] = 3


def test_reads_plain_arrays_in_julia_order(tmp_path: Path) -> None:
    found = read(save(tmp_path / "net.jld2", fill_plain))
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        "A": [0.5, 0.25],
        "W": [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]],
        "epoch": 3.0,
        "group.h": [1.0, 1.0],
    }
    assert found.meta == {"P": 1, "model": "alrnn"}


def test_a_file_without_the_header_states_an_assumption(tmp_path: Path) -> None:
    found = jld2.load_here(save(tmp_path / "net.jld2", fill_plain, b"\0"))
    assert found.meta["assumptions"] == [
        "no JLD2 header: dimensions are taken in the order in which Julia writes them (column-major)",
    ]


def test_a_list_over_epochs(tmp_path: Path) -> None:
    def fill(file: Any) -> None:  # noqa: ANN401
        file["data/1"], file["data/2"] = np.ones(2), np.zeros(2)
        file["A"] = np.array([file["data/1"].ref, file["data/2"].ref], dtype=h5py.ref_dtype)
        file["hollow"] = np.array([h5py.Reference()], dtype=h5py.ref_dtype)

    found = jld2.load_here(save(tmp_path / "net.jld2", fill))
    assert found.arrays["A.0"].tolist() == [1.0, 1.0]
    assert found.arrays["A.1"].tolist() == [0.0, 0.0]
    assert found.meta == {"lists": {"A": 2}, "ignored": ["hollow.0"]}


def test_structs_by_field_name(tmp_path: Path) -> None:
    def fill(file: Any) -> None:  # noqa: ANN401
        file["data"] = np.ones((2, 3))
        kind = np.dtype([("inner", [("B", h5py.ref_dtype)]), ("n", "i8")])
        value = np.zeros((), dtype=kind)
        value["inner"]["B"], value["n"] = file["data"].ref, 5
        file.create_dataset("s", data=value, dtype=kind)

    found = jld2.load_here(save(tmp_path / "net.jld2", fill))
    assert found.arrays["s.inner.B"].shape == (3, 2)
    assert found.arrays["s.n"].tolist() == 5.0


def test_bytes_that_are_no_hdf5(tmp_path: Path) -> None:
    assert refusal(tmp_path / "net.jld2", b"no such file") == (
        "Malformed at net.jld2, the file follows its format\n  expected  a complete .jld2 file\n"
        "  got       bytes at which the reader stopped (OSError)\n"
        "  remedy    the file is damaged, cut short or of another format; fetch it again"
    )


def test_a_truncated_file(tmp_path: Path) -> None:
    content = save(tmp_path / "net.jld2", fill_plain).read_bytes()
    for length in (600, len(content) // 2):
        assert refusal(tmp_path / "net.jld2", content[:length]).startswith("Malformed at net.jld2, the file follows its format\n")


def here(path: Path, fill: Callable[[Any], None]) -> str:
    return letter(lambda: jld2.load_here(save(path, fill)))


def test_data_elsewhere_is_refused(tmp_path: Path) -> None:
    head = "Malformed at net.jld2, array W, a file holds its own data\n  expected  data inside the file\n  got       "

    def soft(file: Any) -> None:  # noqa: ANN401
        file["W"] = h5py.SoftLink("/A")

    def external(file: Any) -> None:  # noqa: ANN401
        file.create_dataset("W", (2,), dtype="f8", external=[(str(tmp_path / "raw"), 0, 16)])

    assert here(tmp_path / "net.jld2", soft) == head + "a soft or external link"
    assert here(tmp_path / "net.jld2", external) == head + "data in another file"


def test_a_shape_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    def fill(file: Any) -> None:  # noqa: ANN401
        file.create_dataset("W", (2**20, 2**20), dtype="f8", chunks=(64, 64))

    assert here(tmp_path / "net.jld2", fill) == (
        "Malformed at net.jld2, array W, size limit\n  expected  at most 67108864 entries in all arrays together\n"
        "  got       1099511627776 entries more, shape [1048576, 1048576]"
    )


def test_entries_that_are_not_finite(tmp_path: Path) -> None:
    def fill(file: Any) -> None:  # noqa: ANN401
        file["W"] = np.array([[1, 2], [np.nan, 4]])

    # the file's row 1, column 0 is Julia's row 0, column 1
    assert here(tmp_path / "net.jld2", fill).startswith("Malformed at net.jld2, array W[0, 1], entries are finite\n")


def test_endless_references_are_refused(tmp_path: Path) -> None:
    def fill(file: Any) -> None:  # noqa: ANN401
        ring = file.create_dataset("W", (1,), dtype=h5py.ref_dtype)
        ring[0] = ring.ref

    text = here(tmp_path / "net.jld2", fill)
    assert text.endswith(", bounded nesting\n  expected  at most 8 levels\n  got       more")


def test_the_published_continuous_time_model(shared: Path) -> None:
    found = read(shared / "cases" / "models" / "cplrnn_epoch2000.jld2")
    assert {name: array.shape for name, array in found.arrays.items()} == {
        "p": (20 + 400 + 20 + 17 * 3,),
        "st.obs_model.B": (3, 20),
        "st.z0": (20, 16),
    }
    assert found.arrays["st.obs_model.B"].tolist() == np.eye(3, 20).tolist()
    assert found.type_name == "ComponentArray"
    assert found.meta == {"continuous_time": True, "component_arrays": ["p"], "file_hint": {"continuous_time": True}}
