"""The door of the room: which reader is called, what lies beside the file, and what is refused before reading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, refusal, sample
from verify import formats
from verify.formats import Stored, files, read, stored, write
from verify.formats.sidecar import name_hint

ALL = ".json .npz .safetensors .pt .pth .pkl .mat .bson .jld2"


def test_no_library_is_imported_before_it_is_needed(root: Path) -> None:
    code = "import sys, verify.formats; print([m for m in ('torch', 'h5py', 'scipy', 'bson', 'safetensors') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("suffix", formats.SUFFIXES)
def test_an_empty_file_is_malformed(tmp_path: Path, suffix: str) -> None:
    text = refusal(tmp_path / f"net{suffix}", b"")
    assert text == f"Malformed at net{suffix}, a file has content\n  expected  at least one byte\n  got       an empty file"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    expected = "Malformed at net.json, the file can be read\n  expected  a readable file\n  got       No such file or directory"
    assert letter(lambda: read(tmp_path / "net.json")) == expected


def test_a_path_with_a_nul() -> None:
    expected = "Malformed at a\\x00.json, the file can be read\n  expected  a readable file\n  got       a path with a NUL"
    assert letter(lambda: read("a\0.json")) == expected


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "net.json").mkdir()
    expected = "Malformed at net.json, the file can be read\n  expected  a regular file\n  got       a folder or a device"
    assert letter(lambda: read(tmp_path / "net.json")) == expected


def test_an_unknown_suffix(tmp_path: Path) -> None:
    remedy = "\n  remedy    name the file after its format"
    head = ", a known file format\n  expected  " + ALL + "\n  got       "
    assert refusal(tmp_path / "net.onnx", b"x") == f"Unsupported at net.onnx{head}.onnx{remedy}"
    assert refusal(tmp_path / "net", b"x") == f"Unsupported at net{head}no suffix, no torch zip{remedy}"
    assert letter(lambda: write(tmp_path / "net", Stored({}))) == f"Unsupported at net{head}no suffix, no torch zip{remedy}"


def test_suffixes_are_known_in_any_case(tmp_path: Path) -> None:
    write(tmp_path / "net.JSON", sample())
    assert read(tmp_path / "net.JSON").same(sample())


def test_a_file_beyond_the_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    with path.open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    expected = "Malformed at net.json, size limit\n  expected  at most 536870912 bytes\n  got       536870913 bytes"
    assert letter(lambda: read(path)) == expected


def test_more_entries_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_ENTRIES", 7)
    text = refusal(tmp_path / "net.json", b'{"A": [1, 2, 3, 4], "W": [[1, 2], [3, 4]]}')
    assert text == (
        "Malformed at net.json, array W, size limit\n  expected  at most 7 entries in all arrays together\n"
        "  got       4 entries more, shape [2, 2]"
    )


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert refusal(tmp_path / "net.safetensors", b"x") == (
        "Unsupported at net.safetensors, the format's library is installed\n  expected  the module safetensors\n"
        '  got       no such module\n  remedy    pip install "orbitproof[all]"'
    )


def test_hints_in_the_name() -> None:
    assert name_hint(Path("lorenz_m20_p2.pt")) == {"M": 20, "P": 2}
    assert name_hint(Path("lorenz_M30_P10")) == {"M": 30, "P": 10}
    assert name_hint(Path("cplrnn_epoch2000.jld2")) == {"continuous_time": True}
    assert name_hint(Path("model_5000.pt")) == {}
    assert name_hint(Path("warm2_pp3.pt")) == {}


def test_a_hint_is_noted_and_never_used(tmp_path: Path) -> None:
    write(tmp_path / "x_m3_p1.json", Stored({"A": np.ones(3)}))
    found = read(tmp_path / "x_m3_p1.json")
    assert found.meta == {"file_hint": {"M": 3, "P": 1}}
    write(tmp_path / "plain.npz", found)
    assert read(tmp_path / "plain.npz").meta == {"file_hint": {"M": 3, "P": 1}}


@pytest.mark.parametrize("beside", ["net.json", "net.npz.json"])
def test_a_sidecar_is_read_with_its_file(tmp_path: Path, beside: str) -> None:
    write(tmp_path / "net.npz", Stored({"A": np.ones(2)}, {"model": "alrnn"}))
    (tmp_path / beside).write_text('{"model": "alrnn", "P": 1, "A": [1, "1"], "h": ["1/3"]}', encoding="utf-8")
    found = read(tmp_path / "net.npz")
    assert found.meta == {"model": "alrnn", "P": 1}
    assert sorted(found.arrays) == ["A", "h"]


@pytest.mark.parametrize("content", ['{"A": [1, 2]}', '{"model": "plrnn"}', '{"P": 2}', '{"__meta__": {"type_name": "PLRNN"}}'])
def test_a_sidecar_may_not_contradict(tmp_path: Path, content: str) -> None:
    write(tmp_path / "net.npz", Stored({"A": np.ones(2)}, {"model": "alrnn", "P": 1}, "", "ALRNN"))
    (tmp_path / "net.json").write_text(content, encoding="utf-8")
    key = next(key for key in ("type_name", "model", "A", "P") if f'"{key}"' in content)
    assert letter(lambda: read(tmp_path / "net.npz")) == (
        f"Malformed at net.json, key {key}, a sidecar agrees with its file\n  expected  the value in net.npz, or none\n"
        "  got       another value\n"
        "  remedy    a .json of the same name is read together with the file; change or rename one of the two"
    )


def test_a_damaged_sidecar_is_malformed(tmp_path: Path) -> None:
    write(tmp_path / "net.npz", sample())
    (tmp_path / "net.json").write_bytes(b"{")
    assert letter(lambda: read(tmp_path / "net.npz")).startswith("Malformed at net.json, the file is one JSON object\n")
