"""Safetensors: all plain types, bfloat16 widened, damaged headers refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal, sample
from verify.formats import read, write

pytest.importorskip("safetensors")
DAMAGED = (
    "Malformed at net.safetensors, the file follows its format\n  expected  a complete .safetensors file\n"
    "  got       bytes at which the reader stopped (SafetensorError)\n"
    "  remedy    the file is damaged, cut short or of another format; fetch it again"
)


def pack(header: dict[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype: str, shape: list[int], size: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}


def test_reads_what_the_library_saves(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(
        {"W": np.arange(6, dtype=np.float32).reshape(2, 3), "A": np.array([1, 2])},
        tmp_path / "net.safetensors",
        metadata={"format": "pt", "P": "2"},
    )
    found = read(tmp_path / "net.safetensors")
    assert found.arrays["W"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert found.arrays["A"].tolist() == [1.0, 2.0]
    assert found.meta == {"format": "pt", "P": 2}


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    data = (np.array([1.5, -2.0], dtype="<f4").view("<u4") >> 16).astype("<u2").tobytes()
    (tmp_path / "net.safetensors").write_bytes(pack({"A": tensor("BF16", [2], 4)}, data))
    assert read(tmp_path / "net.safetensors").arrays["A"].tolist() == [1.5, -2.0]


def test_eight_bit_floats_are_unsupported(tmp_path: Path) -> None:
    text = refusal(tmp_path / "net.safetensors", pack({"A": tensor("F8_E4M3", [2], 2)}, b"\0\0"))
    assert text == (
        "Unsupported at net.safetensors, array A, a number type that is read exactly\n"
        "  expected  F64, F32, F16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, BF16\n"
        "  got       F8_E4M3\n  remedy    save as float32 or float64"
    )


def test_entries_that_are_not_finite(tmp_path: Path) -> None:
    text = refusal(tmp_path / "net.safetensors", pack({"A": tensor("F32", [2], 8)}, np.array([1, np.nan], dtype="<f4").tobytes()))
    assert text.startswith("Malformed at net.safetensors, array A[1], entries are finite\n")


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"\xff" * 8 + b"{}",
        pack({"A": tensor("F64", [1], 8)}),
        pack({"A": tensor("F64", [2**62], 8)}, bytes(8)),
        pack({"A": tensor("F99", [1], 8)}, bytes(8)),
        pack({}) + b"more",
    ],
)
def test_damaged_bytes(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "net.safetensors", content) == DAMAGED


def test_every_truncation_is_malformed(tmp_path: Path) -> None:
    write(tmp_path / "net.safetensors", sample())
    content = (tmp_path / "net.safetensors").read_bytes()
    for length in range(1, len(content), 41):
        assert refusal(tmp_path / "net.safetensors", content[:length]) == DAMAGED


def test_a_name_that_is_array_and_setting(tmp_path: Path) -> None:
    header = {"A": tensor("F64", [1], 8), "__metadata__": {"A": "x"}}
    (tmp_path / "net.safetensors").write_bytes(pack(header, bytes(8)))
    expected = "Malformed at net.safetensors, names are unique\n  expected  every name once\n  got       A twice"
    assert letter(lambda: read(tmp_path / "net.safetensors")) == expected
