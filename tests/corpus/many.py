"""Collections: many certificates in one file, sound ones and those that a hostile or a careless hand would make."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpus.parts import Case, tent

END = b'{"end":'


def collected(*certificates: bytes, count: int | None = None) -> bytes:
    """Return the file that holds these certificates; ``count`` may be made to lie."""
    closing = b'{"collection_end":%d}\n' % (len(certificates) if count is None else count)
    return b"".join([b'{"orbitproof_collection":1}\n', *certificates, closing])


def certificates() -> tuple[bytes, bytes, bytes]:
    """Return three certificates, of two networks."""
    chaotic, again, ordered = Case(tent()), Case(tent()), Case(tent("1/2"))
    chaotic.good("li_yorke", {"point": "1/4"})
    chaotic.good("entropy_from_period", {"rate": "8/5"}, 1)
    again.good("exact_cycle", {"point": ["2/7"], "period": 3})
    ordered.good("pieces", {"max_knots": 9})
    ordered.good("coppel", {"exponent": 0, "max_knots": 9}, 1)
    return chaotic.claiming(), again.claiming(), ordered.claiming()


def accepted_collections() -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes)."""
    one, two, three = certificates()
    yield "one-certificate", collected(one)
    yield "three-certificates-of-two-networks", collected(one, two, three)
    yield "the-same-certificate-twice", collected(three, three)
    yield "written-with-spaces", collected(one).replace(b'"orbitproof_collection":1', b' "orbitproof_collection" : 1 ')


def rejected_collections() -> Iterator[tuple[str, bytes]]:
    """Yield what follows the format and proves nothing."""
    one, two, three = certificates()
    yield "second-certificate-with-another-point", collected(one, two.replace(b'"2/7"', b'"1/7"'), three)
    yield "last-certificate-with-another-claim", collected(one, three.replace(b'"exponent":0}]', b'"exponent":1}]'))
    yield "steps-of-another-certificate", collected(three, headed(three, one))
    yield "first-certificate-wrong-others-right", collected(one.replace(b'"1/4"', b'"1/5"'), two, three)


def malformed_collections() -> Iterator[tuple[str, bytes]]:
    """Yield what is no collection, whatever its certificates would prove."""
    one, two, three = certificates()
    whole = collected(one, two, three)
    rows = whole.splitlines(keepends=True)
    yield "no-certificate", collected()
    yield "no-certificate-counted-as-one", collected(count=1)
    yield "count-too-large", collected(one, two, count=3)
    yield "count-too-small", collected(one, two, count=1)
    yield "count-as-text", whole.replace(b'"collection_end":3', b'"collection_end":"3"')
    yield "count-as-truth", collected(one).replace(b'"collection_end":1', b'"collection_end":true')
    yield "more-in-the-closing-line", whole.replace(b'"collection_end":3', b'"collection_end":3,"end":3')
    yield "more-in-the-first-line", whole.replace(b'"orbitproof_collection":1', b'"orbitproof_collection":1,"count":3')
    yield "of-another-version", whole.replace(b'"orbitproof_collection":1', b'"orbitproof_collection":2')
    yield "no-closing-line", whole.removesuffix(rows[-1])
    yield "no-opening-line", whole.removeprefix(rows[0])
    yield "closed-twice", whole + rows[-1]
    yield "a-certificate-after-the-end", whole + one
    yield "a-collection-inside", collected(one, collected(two), three, count=4)
    yield "opened-twice", rows[0] + whole
    yield "one-line-between", collected(one, b"{}\n", two, count=2)
    yield "junk-between", collected(one, b"and now\n", two, count=2)
    yield "an-empty-line-between", collected(one, b"\n", two, count=2)
    yield "a-certificate-not-closed", collected(one.partition(END)[0], two)
    yield "a-certificate-closed-twice", collected(one, END + b"2}\n", two, count=2)
    yield "a-step-between", collected(one, one.splitlines(keepends=True)[1], two, count=2)
    yield "closed-inside-a-certificate", whole.replace(END + b"2}\n", rows[-1], 1)
    yield "networks-swapped", collected(swapped(one, three), two)
    yield "cut-in-the-last-line", whole[:-1]
    yield "cut-in-a-certificate", whole[: len(whole) // 2]


def headed(head: bytes, rest: bytes) -> bytes:
    """Return the first line of one certificate with the other lines of another."""
    return head.partition(b"\n")[0] + b"\n" + rest.partition(b"\n")[2]


def swapped(one: bytes, other: bytes) -> bytes:
    """Return a certificate with the network of another put in, its digest and claims left."""
    network = other[other.index(b'"network":') : other.index(b',"digest":')]
    return one[: one.index(b'"network":')] + network + one[one.index(b',"digest":') :]
