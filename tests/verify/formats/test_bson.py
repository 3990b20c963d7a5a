"""Julia BSON: structs get their field names, arrays their order, references their targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verify.formats.helpers import letter, sample
from verify.formats import Stored, read, write

bson = pytest.importorskip("bson")
HEAD = "Malformed at net.bson, the file follows its format\n"


def datatype(*path: str) -> dict[str, Any]:
    return {"tag": "datatype", "params": [], "name": list(path)}


def tagged(array: np.ndarray, kind: str = "Float32") -> dict[str, Any]:
    data = np.asarray(array).tobytes(order="F")
    return {"tag": "array", "type": datatype("Core", kind), "size": list(np.shape(array)), "data": data}


def struct(path: tuple[str, ...], *fields: object) -> dict[str, Any]:
    return {"tag": "struct", "type": datatype(*path), "data": list(fields)}


def save(path: Path, **document: object) -> Path:
    path.write_bytes(bson.encode(document))
    return path


def net(tmp_path: Path, **document: object) -> Path:
    return save(tmp_path / "net.bson", **document)


V = tagged(np.array([0.5, 0.25], dtype=np.float32))
M = tagged(np.array([[1, 2], [3, 4]], dtype=np.float32))
WIDE = tagged(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32))
GTF = ("GTF", "PLRNNs")


@pytest.mark.parametrize(
    ("kind", "fields", "names"),
    [
        ("PLRNN", (V, M, V, None), ["A", "W", "h"]),
        ("PLRNN", (V, M, V, WIDE), ["A", "W", "h", "C"]),
        ("PLRNN", (V, M, V), ["A", "W", "h"]),
        ("PLRNN", (V, M, M, V), ["A", "W", "W_mask", "h"]),
        ("mcPLRNN", (V, M, V, None), ["A", "W", "h"]),
        ("shallowPLRNN", (V, WIDE, M, V, V, None), ["A", "W1", "W2", "h1", "h2"]),
        ("clippedShallowPLRNN", (V, WIDE, M, V, V, None), ["A", "W1", "W2", "h1", "h2"]),
        ("dendPLRNN", (V, M, V, V, WIDE, None), ["A", "W", "h", "alpha", "H"]),
        ("clippedDendPLRNN", (V, M, V, V, WIDE), ["A", "W", "h", "alpha", "H"]),
        ("ALRNN", (V, M, V, 1), ["A", "W", "h"]),
    ],
)
def test_struct_fields_get_their_names(tmp_path: Path, kind: str, fields: tuple[object, ...], names: list[str]) -> None:
    observation = struct(("GTF", "ObservationModels", "Identity"), WIDE, V, False, None)
    found = read(net(tmp_path, model=[struct((*GTF, kind), *fields), observation]))
    assert list(found.arrays) == [*names, "observation.B", "observation.b"]
    assert found.type_name == kind
    settings = {"type_path": f"GTF.PLRNNs.{kind}", "observation.use_bias": False}
    assert found.meta == settings | ({"P": 1} if kind == "ALRNN" else {})


def test_arrays_are_column_major(tmp_path: Path) -> None:
    raw = np.array([1, 2, 3, 4, 5, 6], dtype="<f8").tobytes()
    document = {"tag": "array", "type": datatype("Core", "Float64"), "size": [2, 3], "data": raw}
    assert read(net(tmp_path, W=document)).arrays["W"].tolist() == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]


def test_a_plain_dict_with_lists_scalars_and_references(tmp_path: Path) -> None:
    found = read(
        net(
            tmp_path,
            A=[0.5, 1.0],
            W=[V, V],
            B=[[1, 2], [3, 4]],
            a={"tag": "struct", "type": datatype("Core", "Float32"), "data": np.float32(0.5).tobytes()},
            n=tagged(np.array([7], dtype=np.int64), "Int64"),
            m=tagged(np.array([True, False]), "Bool"),
            h={"tag": "backref", "ref": 2},
            size={"tag": "tuple", "data": [1, 2]},
            kind={"tag": "symbol", "name": "relu"},
            of=datatype("Core", "Float32"),
            u=b"\x01\x02",
            objects={"tag": "array", "type": datatype("Core", "Any"), "size": [2], "data": [1.5, 2.5]},
            words=["x", "y"],
            epochs=12,
            loss=0.25,
            nothing=None,
            f={"tag": "jl_anonymous"},
            _backrefs=[datatype("Core", "Float32"), {**V, "type": {"tag": "backref", "ref": 1}}],
        )
    )
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        "A": [0.5, 1.0],
        "W.0": [0.5, 0.25],
        "W.1": [0.5, 0.25],
        "B": [[1.0, 2.0], [3.0, 4.0]],
        "a": 0.5,
        "n": [7.0],
        "m": [1.0, 0.0],
        "h": [0.5, 0.25],
        "size": [1.0, 2.0],
        "u": [1.0, 2.0],
        "objects": [1.5, 2.5],
        "loss": 0.25,
    }
    assert found.meta == {"kind": "relu", "of": "Core.Float32", "words": ["x", "y"], "epochs": 12, "lists": {"W": 2}}


def test_an_unknown_struct_is_unsupported(tmp_path: Path) -> None:
    assert letter(lambda: read(net(tmp_path, model=struct(("Main", "MyModel"), V)))) == (
        "Unsupported at net.bson, fields have no names in the file, so the struct must be known\n"
        "  expected  PLRNN, mcPLRNN, shallowPLRNN, clippedShallowPLRNN, dendPLRNN, clippedDendPLRNN, ALRNN, DynaMix\n"
        "  got       Main.MyModel\n  remedy    save the arrays by name: BSON.bson(path, Dict(:A => A, :W => W, :h => h))"
    )


BAD: list[tuple[dict[str, object], str]] = [
    (
        {"model": struct(("PLRNN",), V, M)},
        "Malformed at net.bson, struct PLRNN, fields in the order of their declaration\n  expected  A, W, h, C\n  got       2 fields",
    ),
    (
        {"A": {**V, "size": [3]}},
        "Malformed at net.bson, arrays fill their bytes\n  expected  8 bytes for size [3]\n  got       4 bytes an entry",
    ),
    (
        {"A": {**V, "size": [-2]}},
        "Malformed at net.bson, arrays fill their bytes\n  expected  8 bytes for size [-2]\n  got       4 bytes an entry",
    ),
    (
        {"A": {**V, "size": [2**40, 2**20]}},
        (
            "Malformed at net.bson, array of type float32, size limit\n  expected  at most 67108864 entries in all arrays together\n"
            "  got       1152921504606846976 entries more, shape [1099511627776, 1048576]"
        ),
    ),
    ({"A": {**V, "size": 3}}, "Malformed at net.bson, a tagged array\n  expected  size: list\n  got       int"),
    ({"A": {"tag": "array", "size": [1]}}, "Malformed at net.bson, a tagged array\n  expected  data: bytes\n  got       NoneType"),
    ({"A": {**V, "type": 3}}, "Malformed at net.bson, types have names\n  expected  a list of words\n  got       None"),
    (
        {"A": {**V, "type": datatype("Core", "ComplexF64")}},
        (
            "Unsupported at net.bson, a number type that is read exactly\n"
            "  expected  Bool, Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64\n"
            "  got       Core.ComplexF64"
        ),
    ),
    (
        {"A": {"tag": "backref", "ref": 1}},
        "Malformed at net.bson, shared parts\n  expected  a reference from 1 to 0 that does not contain itself\n  got       1",
    ),
    (
        {"A": {"tag": "backref", "ref": 1}, "_backrefs": [[{"tag": "backref", "ref": 1}]]},
        "Malformed at net.bson, shared parts\n  expected  a reference from 1 to 1 that does not contain itself\n  got       1",
    ),
    (
        {"A": bson.ObjectId(b"0" * 12)},
        "Malformed at net.bson, values of a model\n  expected  numbers, text, lists and documents\n  got       ObjectId",
    ),
    (
        {"A": tagged(np.array([1, np.inf], dtype=np.float32))},
        (
            "Malformed at net.bson, array A[1], entries are finite\n  expected  finite numbers\n"
            "  got       inf (1 of 2 entries are not finite)\n"
            "  remedy    the network was saved after training diverged; take an earlier checkpoint"
        ),
    ),
    (
        {"W": [[1.0, 2.0], [3.0]]},
        "Malformed at net.bson, array W, row 2 of 2, rows of one length\n  expected  2 entries, as in row 1\n  got       1 entry",
    ),
    ({"A.b": 1.5, "A": {"b": 2.5}}, "Malformed at net.bson, names are unique\n  expected  every name once\n  got       A.b twice"),
    ({"A": 1.5, "__meta__": 3}, "Malformed at net.bson, key __meta__, settings beside the arrays\n  expected  JSON text\n  got       3"),
]


@pytest.mark.parametrize(("document", "text"), BAD, ids=[case[1].split("\n")[0] for case in BAD])
def test_refuses(tmp_path: Path, document: dict[str, object], text: str) -> None:
    assert letter(lambda: read(net(tmp_path, **document))) == text


def test_shared_parts_that_multiply_are_bounded(tmp_path: Path) -> None:
    refs: list[object] = [[V, V]]
    refs += [[{"tag": "backref", "ref": i}] * 2 + [V] for i in range(1, 20)]
    assert letter(lambda: read(net(tmp_path, A={"tag": "backref", "ref": 20}, _backrefs=refs))) == (
        "Malformed at net.bson, size limit\n  expected  at most 10000 values\n  got       more"
    )


def test_deep_nesting_is_bounded(tmp_path: Path) -> None:
    deep: object = 1.0
    for _ in range(80):
        deep = [deep]
    text = "Malformed at net.bson, bounded nesting\n  expected  at most 64 levels\n  got       more"
    assert letter(lambda: read(net(tmp_path, A=deep))) == text


def test_keys_must_be_unique(tmp_path: Path) -> None:
    path = net(tmp_path, A=1.5, B=2.5)
    path.write_bytes(path.read_bytes().replace(b"\x01B\0", b"\x01A\0"))
    assert letter(lambda: read(path)) == (
        f"{HEAD}  expected  a complete .bson file\n  got       bytes at which the reader stopped (KeyError)\n"
        "  remedy    the file is damaged, cut short or of another format; fetch it again"
    )


def test_every_truncation_is_malformed(tmp_path: Path) -> None:
    write(tmp_path / "net.bson", sample())
    content = (tmp_path / "net.bson").read_bytes()
    for length in range(1, len(content), 37):
        (tmp_path / "net.bson").write_bytes(content[:length])
        assert letter(lambda: read(tmp_path / "net.bson")).startswith(HEAD)


def test_what_is_written_is_what_julia_reads(tmp_path: Path) -> None:
    write(tmp_path / "net.bson", Stored({"W": np.array([[1.0, 2.0], [3.0, 4.0]])}))
    document = bson.decode((tmp_path / "net.bson").read_bytes())
    data = np.array([1.0, 3.0, 2.0, 4.0]).tobytes()
    assert document == {"W": {"tag": "array", "type": datatype("Core", "Float64"), "size": [2, 2], "data": data}}


def test_the_published_mixture(shared: Path) -> None:
    path = shared / "cases" / "models" / "dynamix.bson"
    found = read(path)
    assert found.type_name == "DynaMix"
    assert (found.meta["N"], found.meta["Experts"], found.meta["P"]) == (3, 10, 2)
    assert found.meta["lists"] == {"A_MoE": 10, "W_MoE": 10, "h_MoE": 10}
    assert found.meta["type_path"] == "DSR.Model.DynaMix"
    assert [found.arrays[f"{name}.9"].shape for name in ("A_MoE", "W_MoE", "h_MoE")] == [(30,), (30, 30), (30,)]
    assert found.arrays["gating_network.mlp_layer1"].shape == (10, 33)
    assert found.arrays["observation.L"].shape == (27, 3)
    raw = bson.decode(path.read_bytes())["model"][0]["data"][1][3]["data"]
    assert found.arrays["W_MoE.3"][1, 0] == np.frombuffer(raw, "<f4")[1]
