"""The malformed files: what is no certificate at all, whatever it would prove."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tests.corpus.accepted import two_cycle
from tests.corpus.parts import Case, cycle_witness, lozi, tent

DEPTH = 100_000


def tent_certificate() -> bytes:
    """Return a sound certificate of three steps."""
    case = Case(tent())
    case.good("exact_cycle", {"point": ["2/7"], "period": 3})
    case.good("entropy_from_period", {"rate": "8/5"}, 1)
    case.good("entropy_gives_scrambling", {}, 2)
    return case.claiming()


def malformed() -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes)."""
    base = tent_certificate()
    yield from files(base)
    yield from lines(base)
    yield from headers(base)
    yield from numbers(base)
    yield from steps(base)
    yield from networks(base)


def files(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield whole files gone wrong."""
    yield "empty-file", b""
    yield "one-newline", b"\n"
    yield "not-json", b"proved\n"
    yield "not-utf-8", base.replace(b'"name":""', b'"name":"\xff"')
    yield "utf-16", base.decode().encode("utf-16")
    yield "byte-order-mark", b"\xef\xbb\xbf" + base
    yield "zero-bytes", bytes(64)
    yield "cut-in-the-last-line", base[:-3]
    yield "cut-newline", base[:-1]
    yield "cut-in-the-middle", base[: len(base) // 2]
    yield "no-closing-line", base[: base.rindex(b'{"end"')]
    yield "trailing-bytes", base + b"x"
    yield "trailing-line", base + b"{}\n"
    yield "trailing-empty-line", base + b"\n"
    yield "closed-twice", base + b'{"end":3}\n'
    yield "header-twice", base.splitlines(keepends=True)[0] + base
    yield "all-on-one-line", base.replace(b"\n", b" ") + b"\n"
    yield "a-list-of-lines", b"[" + base.splitlines()[0] + b"]\n"
    yield "too-deep-nesting", base.replace(b'"assumptions":[]', b'"assumptions":' + b"[" * DEPTH + b"]" * DEPTH)
    yield "two-objects-on-a-line", base.replace(b'{"end":3}', b'{"end":3}{"end":3}')


def lines(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield lines out of place."""
    rows = base.splitlines(keepends=True)
    yield "step-missing", b"".join([rows[0], *rows[2:]])
    yield "step-twice", b"".join([rows[0], rows[1], *rows[1:]])
    yield "steps-swapped", b"".join([rows[0], rows[2], rows[1], *rows[3:]])
    yield "header-missing", b"".join(rows[1:])
    yield "wrong-count", base.replace(b'{"end":3}', b'{"end":2}')
    yield "count-of-true", base.replace(b'{"end":3}', b'{"end":true}')
    yield "closing-line-with-more", base.replace(b'{"end":3}', b'{"end":3,"step":4}')


def headers(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield first lines gone wrong."""
    for name, old, new in (
        ("version-two", '"orbitproof":1', '"orbitproof":2'),
        ("version-true", '"orbitproof":1', '"orbitproof":true'),
        ("version-in-a-string", '"orbitproof":1', '"orbitproof":"1"'),
        ("duplicate-key", '{"orbitproof":1', '{"orbitproof":1,"orbitproof":1'),
        ("unknown-field", '{"orbitproof":1', '{"orbitproof":1,"trusted":true'),
        ("remarks-missing-a-field", '"model":"",', ""),
        ("remarks-with-a-number", '"model":""', '"model":1'),
        ("name-that-forges-a-verdict", '"name":""', '"name":"\\nProved  everything"'),
        ("name-that-clears-the-terminal", '"name":""', '"name":"\\u001b[2J"'),
        ("assumptions-of-numbers", '"assumptions":[]', '"assumptions":[1]'),
        ("remarks-null", '{"name":"","model":"","assumptions":[]}', "null"),
        ("claim-of-an-unknown-kind", '{"claim":"scrambled_set"}', '{"claim":"chaos"}'),
        ("claim-with-a-further-field", '{"claim":"scrambled_set"}', '{"claim":"scrambled_set","sure":1}'),
        ("claim-without-a-kind", '{"claim":"scrambled_set"}', "{}"),
        ("claim-that-is-a-string", '{"claim":"scrambled_set"}', '"scrambled_set"'),
        ("claim-kind-a-list", '{"claim":"scrambled_set"}', '{"claim":["scrambled_set"]}'),
    ):
        yield name, changed(base, old, new)
    head, *rest = base.splitlines(keepends=True)
    content = json.loads(head)
    for name, change in (
        ("no-claims", {"claims": []}),
        ("claims-null", {"claims": None}),
        ("wrong-digest", {"digest": "0" * 64}),
        ("digest-of-another-network", {"digest": lozi().digest}),
        ("digest-in-capitals", {"digest": content["digest"].upper()}),
        ("network-of-another-digest", {"network": tent("3/2").as_json()}),
        ("network-null", {"network": None}),
    ):
        yield name, b"".join([json.dumps({**content, **change}).encode() + b"\n", *rest])


def numbers(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield numbers that the grammar refuses."""
    for name, text in (
        ("float", "0.2857"),
        ("nan", "NaN"),
        ("infinity", "-Infinity"),
        ("exponent-float", "2e-1"),
        ("bare-integer", "2"),
        ("bare-long-integer", "1" * 19),
        ("bare-endless-integer", "1" * 5000),
        ("null-number", "null"),
        ("false-number", "false"),
        ("decimal-point-in-a-string", '"0.5"'),
        ("plus-sign", '"+2/7"'),
        ("two-signs", '"--2/7"'),
        ("sign-below", '"2/-7"'),
        ("blank-inside", '"2 /7"'),
        ("newline-behind", '"2/7\\n"'),
        ("leading-zero", '"02/7"'),
        ("capital-hexadecimal", '"0X1F"'),
        ("hexadecimal-leading-zero", '"0x0f"'),
        ("empty-hexadecimal", '"0x"'),
        ("empty-number", '""'),
        ("over-zero", '"2/0"'),
        ("quotient-and-exponent", '"2/7p3"'),
        ("underscore", '"1_0"'),
        ("arabic-digits", '"\\u0662/7"'),
        ("superscript-digit", '"2\\u00b2"'),
        ("exponent-too-large", '"1p400001"'),
        ("exponent-huge", '"1p9999999"'),
        ("over-long-number", '"' + "1" * 601 + '"'),
        ("over-long-hexadecimal", '"0x' + "1" * 100_001 + '"'),
        ("negative-radius", '"2/7~-1"'),
        ("empty-radius", '"2/7~"'),
        ("two-radii", '"2/7~1~1"'),
        ("word", '"nan"'),
    ):
        yield f"number-{name}", changed(base, '"point":["2/7"]', f'"point":[{text}]')


def steps(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield steps gone wrong."""
    for name, old, new in (
        ("theorem-of-no-catalogue", '"theorem":"exact_cycle"', '"theorem":"riemann"'),
        ("theorem-null", '"theorem":"exact_cycle"', '"theorem":null'),
        ("theorem-of-half-a-character", '"theorem":"exact_cycle"', '"theorem":"\\ud800"'),
        ("witness-null", '"witness":{}', '"witness":null'),
        ("witness-a-list", '"witness":{}', '"witness":[]'),
        ("witness-with-a-further-field", '"witness":{}', '"witness":{"sure":true}'),
        ("witness-with-a-null-field", '"witness":{}', '"witness":{"bits":null}'),
        ("witness-without-a-field", '"period":3', '"point_":3'),
        ("witness-with-a-key-twice", '"period":3', '"period":3,"period":3'),
        ("period-zero", '"period":3', '"period":0'),
        ("period-negative", '"period":3', '"period":-3'),
        ("period-absurdly-large", '"period":3', '"period":1000000000000'),
        ("period-true", '"period":3', '"period":true'),
        ("period-in-a-string", '"period":3', '"period":"3"'),
        ("point-of-too-many-coordinates", '"point":["2/7"]', '"point":["2/7","0"]'),
        ("point-a-string", '"point":["2/7"]', '"point":"2/7"'),
        ("cites-itself", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[2]'),
        ("cites-a-later-step", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[3]'),
        ("cites-nothing", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[]'),
        ("cites-step-zero", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[0]'),
        ("cites-backwards", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[-1]'),
        ("cites-too-much", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[1,1]'),
        ("cites-true", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":[true]'),
        ("cites-a-number", '"theorem":"entropy_from_period","cites":[1]', '"theorem":"entropy_from_period","cites":1'),
        ("step-number-zero", '"step":1', '"step":0'),
        ("step-of-another-number", '"step":3', '"step":4'),
        ("step-with-a-further-field", '"step":3', '"trust":1,"step":3'),
        ("step-without-cites", '"theorem":"entropy_gives_scrambling","cites":[2]', '"theorem":"entropy_gives_scrambling"'),
    ):
        yield name, changed(base, old, new)
    case = Case(lozi())
    good = cycle_witness(lozi(), two_cycle(lozi()), "1p-10")
    for name, change in (
        ("cycle-both-inverses", {"inverse_block": good["inverse"]}),
        ("cycle-inverse-of-another-shape", {"inverse": [["1"]]}),
        ("cycle-ragged-inverse", {"inverse": [["1", "0"], ["1"]]}),
        ("cycle-no-itinerary-and-a-small-inverse", {"itinerary": None}),
        ("cycle-bits-too-few", {"bits": 4}),
        ("cycle-itinerary-of-numbers", {"itinerary": [1, 0]}),
        ("cycle-points-with-a-radius", {"points": [["1~1", "0"], ["0", "0"]]}),
    ):
        case.steps = []
        yield name, case.bad("cycle", {**good, **change})


def networks(base: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield networks that do not fit together."""
    head, *rest = base.splitlines(keepends=True)
    changes: dict[str, Callable[[dict], object]] = {
        "no-operations": lambda net: net.update(program=[]),
        "dimension-zero": lambda net: net.update(dimension=0),
        "dimension-two": lambda net: net.update(dimension=2),
        "dimension-true": lambda net: net.update(dimension=True),
        "dimension-absurd": lambda net: net.update(dimension=10**9),
        "unknown-operation": lambda net: net["program"][1].update(op="softmax"),
        "a-register-of-the-future": lambda net: net["program"][0].update(of=[2]),
        "a-register-before-the-first": lambda net: net["program"][0].update(of=[-1]),
        "no-registers": lambda net: net["program"][1].update(of=[]),
        "two-registers-for-a-relu": lambda net: net["program"][1].update(of=[1, 1]),
        "add-of-two-sizes": lambda net: net["program"][1].update(op="add", of=[0, 1]),
        "matrix-for-nothing": lambda net: net["program"][0].update(of=[]),
        "matrix-missing": lambda net: net["program"][0].update(matrices=[]),
        "matrix-with-a-short-row": lambda net: net["program"][0].update(matrices=[[["1"], []]]),
        "matrix-of-numbers": lambda net: net["program"][0].update(matrices=[[[1], [1]]]),
        "bias-too-long": lambda net: net["program"][0].update(bias=["0", "0", "0"]),
        "bias-empty": lambda net: net["program"][0].update(bias=[], matrices=[[]]),
        "bias-missing": lambda net: net["program"][0].pop("bias"),
        "relu-with-a-bias": lambda net: net["program"][1].update(bias=["0", "0"]),
        "last-operation-too-wide": lambda net: net["program"].pop(),
        "weight-with-a-negative-radius": lambda net: net["program"][2].update(bias=["0~-1"]),
        "weight-a-float": lambda net: net["program"][2].update(bias=[0.5]),
        "operation-a-string": lambda net: net["program"].append("relu"),
        "a-field-nobody-asked-for": lambda net: net.update(name="tent"),
    }
    for name, change in changes.items():
        content = json.loads(head)
        change(content["network"])
        yield f"network-{name}", b"".join([json.dumps(content).encode() + b"\n", *rest])


def changed(base: bytes, old: str, new: str) -> bytes:
    """Return the bytes with one occurrence replaced; the attack must find its place."""
    if base.count(old.encode()) < 1:
        raise LookupError(old)
    return base.replace(old.encode(), new.encode(), 1)
