"""Numbers and certificate lines survive being written and read; other bytes end in one of the three answers."""

from __future__ import annotations

import json
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

import proofs
from proofs.certificate import Certificate, Remarks, json_line
from proofs.claims import LiYorke
from proofs.errors import Malformed, Rejected
from proofs.grammar import read_entry, read_number, write_entry, write_number
from proofs.network import Network
from proofs.reader import parse_object
from tests.laws.strategies import networks, radii, rationals
from tests.proofs.workbench import HALF, SMOOTH, TENT

CERTIFICATES = [
    b"".join(certificate.lines())
    for certificate in (
        Certificate(TENT, (LiYorke(Fraction(1, 4), None),), (("li_yorke", (), {"point": "1/4"}), ("sharkovskii", (1,), {}))),
        Certificate(HALF, (), (("contraction", (), {"weights": ["1"], "rate": "1/2"}), ("pieces", (), {"max_knots": 99}))),
        Certificate(SMOOTH, (), (("cycle", (), {"points": [["0"]], "radius": "1/16", "inverse_block": [["2"]], "bits": 30}),)),
    )
]
words: st.SearchStrategy[object] = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "1/0",
        "1p-400000",
        "0x" + "f" * 5000,
        "9" * 600,
        "1~1",
        "",
        "magic",
        "cycle",
        "\ud800",
        0,
        1,
        -1,
        10**17,
        True,
        None,
        [],
        {},
    ]
)
plain = words | st.recursive(
    words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6
)


def ends_well(content: bytes) -> None:
    """Check, and show whatever came out."""
    try:
        told = proofs.check(content).statement
    except (Malformed, Rejected) as failure:
        told = str(failure)
    assert told.encode("utf-8")


@given(rationals)
def test_numbers(value: Fraction) -> None:
    assert read_number(write_number(value), "x") == value
    assert write_number(read_number(write_number(value), "x")) == write_number(value)
    assert read_number(str(value), "x") == value


@given(rationals, radii)
def test_entries(middle: Fraction, radius: Fraction) -> None:
    assert read_entry(write_entry(middle, radius), "x") == (middle, radius)


@given(st.text(st.sampled_from("-0123456789abcfpx/~ .+_e\n")) | st.text())
def test_any_text_is_a_number_or_malformed(text: str) -> None:
    try:
        value = read_number(text, "x")
    except Malformed:
        return
    assert read_number(write_number(value), "x") == value


@given(networks(curves=("relu", "tanh"), wide=True), st.lists(rationals, max_size=3), st.text(max_size=9))
def test_lines_round_trip(network: Network, numbers: list[Fraction], name: str) -> None:
    steps: tuple[tuple[str, tuple[int, ...], dict[str, object]], ...] = (("magic", (1,), {"numbers": [write_number(x) for x in numbers]}),)
    for line in Certificate(network, (LiYorke(Fraction(1), None),), steps, Remarks(name)).lines():
        assert line.endswith(b"\n")
        assert line.isascii()
        content = json.loads(line)
        assert json_line(content) == line
        fields = parse_object(line[:-1], "line 1")
        assert {key: fields.raw(key) for key in content} == content


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(content: bytes) -> None:
    ends_well(content)
    ends_well(content + b"\n")
    ends_well(CERTIFICATES[0] + content)


@settings(max_examples=300)
@given(st.sampled_from(CERTIFICATES), st.data())
def test_bytes_changed_cut_or_moved(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, min(len(content), start + 12)))
    patch = data.draw(
        st.binary(max_size=4) | st.sampled_from([b"0", b"9", b"-", b'"', b"null", b"[", b"}", b"1e9", b"\n", content[start:end] * 2])
    )
    ends_well(content[:start] + patch + content[end:])


@settings(max_examples=400)
@given(st.sampled_from(CERTIFICATES), st.data())
def test_fields_replaced_by_anything(content: bytes, data: st.DataObject) -> None:
    lines = [json.loads(line) for line in content.splitlines()]
    spot: object = lines[data.draw(st.integers(0, len(lines) - 1))]
    while isinstance(spot, dict | list) and spot:
        key = data.draw(st.sampled_from(sorted(spot)) if isinstance(spot, dict) else st.integers(0, len(spot) - 1))
        inner = spot[key]
        if not isinstance(inner, dict | list) or data.draw(st.integers(0, 3)) == 0:
            spot[key] = data.draw(plain)
            break
        spot = inner
    ends_well(b"".join(json_line(line) for line in lines))
