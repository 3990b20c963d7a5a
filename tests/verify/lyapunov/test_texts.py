"""What a person reads: estimates with their error bars, proofs apart, checks that failed in capitals, the unit always."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from verify.lyapunov.answers import Answer, Proofs, proved_json
from verify.lyapunov.checks import Check
from verify.lyapunov.doctor import Diagnosis, Fault
from verify.lyapunov.results import Certified, Estimate, Exact, Scope
from verify.lyapunov.spectra import Spectrum
from verify.lyapunov.texts import answer_text, diagnosis_text, enclosed, measured

INF = float("inf")
NETWORK = {"name": "net", "kind": "GRU, 1 layer of 2, 1 input, biases", "dimension": 2, "digest": None, "assumptions": ["it was guessed"]}
HALF = Certified(1, Fraction(1, 3), Fraction(1, 2), "this cycle", "multiplier_moduli")
CHECK = Check("sum", 1e-12, 1e-8, "sum against mean log|det J|")


def found(exponents: tuple[Estimate, ...], **changes: object) -> Spectrum:
    """Return a spectrum with these exponents."""
    k = len(exponents)
    empty = np.zeros((1, 1, k))
    base = Spectrum(
        "net", "driven", k, k, 100, 10, 20, 3, "float64", "cpu", 7, exponents, Estimate("sum", -1.0, 0.01), Estimate("sum", -1.0, 0.01),
        1.25, 0.5, 1.75, 50, empty, empty[0], empty[0], None, (CHECK,), 2.5,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


PAIR = (Estimate(1, 0.5, 0.01), Estimate(2, -INF, 0.0))


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (0.4192403, 0.000061, "0.419240 +- 0.000061"),
        (-1.0169, 0.2, "-1.017 +- 0.200"),
        (-0.7318917623038, 1e-15, "-0.731891762304 +- 1e-15"),
        (-INF, 0.0, "-inf"),
        (0.5, float("nan"), "0.500000 +- unknown"),
    ],
)
def test_measured(value: float, half_width: float, text: str) -> None:
    assert measured(value, half_width) == text


def test_enclosed() -> None:
    assert enclosed(HALF, 3) == "in [0.333, 0.500]"
    assert enclosed(replace(HALF, lower=None), 1) == "at most 0.5"
    assert enclosed(replace(HALF, upper=None), 1) == "at least 0.3"
    assert enclosed(Exact(2, "-infinity", None, None, "every orbit", "volume"), 5) == "-inf"
    assert (
        enclosed(Exact(1, "log(2)", Fraction(69, 100), Fraction(7, 10), "almost every orbit in a region", "markov_exponent"), 2)
        == "log(2), in [0.69, 0.70]"
    )
    assert proved_json(HALF, 4)["decimals"] == ["0.3333", "0.5000"]


def test_an_estimate() -> None:
    answer = Answer(NETWORK, found(PAIR), inputs="drive.npy (100, 1)")
    assert answer.verdict == "Estimate"
    assert answer_text(answer) == [
        "network      net (GRU, 1 layer of 2, 1 input, biases, 2 states)",
        "assumed      it was guessed",
        "mode         driven by the input: conditional exponents, drive.npy (100, 1)",
        "run          100 steps after a warm-up of 10 (state) and 20 (tangent), 3 sequences, seed 7",
        "arithmetic   float64 on cpu, a QR every 2.5 steps",
        "",
        "exponent     estimate, nats/step, with 95 % interval",
        "1            0.500 +- 0.010",
        "2            -inf",
        "sum          -1.000 +- 0.010",
        "log|det J|   -1.000 +- 0.010 (mean along the run)",
        "dimension    1.25 (Kaplan-Yorke)",
        "entropy      at most 0.5 by these estimates (sum of the positive ones)",
        "spread       1.75 directions of the state (participation ratio of its covariance)",
        "",
        "check        sum        ok     1.0e-12 (at most 1.0e-08): sum against mean log|det J|",
        "Estimate  largest exponent 0.500 +- 0.010 nats/step along this run; nothing is proved",
    ]


def test_a_check_that_failed_is_seen() -> None:
    answer = Answer(NETWORK, found(PAIR, checks=(CHECK, Check("order", 0.3, 1e-8, "the product"))))
    lines = answer_text(answer)
    assert "check        order      FAILED 3.0e-01 (at most 1.0e-08): the product" in lines
    assert lines[-1].endswith("nothing is proved; 1 identity check FAILED: do not trust the estimates")


def test_proofs_stand_apart() -> None:
    entries = (
        Certified("sum", Fraction(-5), Fraction(-4), "every orbit", "volume"),
        Certified(1, None, Fraction(1), "every orbit", "contraction"),
        HALF,
    )
    answer = Answer(NETWORK, found(PAIR), Proofs(entries, None, ("markov: no",)), 6, certificate="net.cert", figure="net.svg")
    assert answer.verdict == "Proved"
    lines = answer_text(answer)
    assert lines[lines.index("Proved (accepted by the checker, nothing here rests on the estimates)") + 1 :] == [
        "sum          in [-5.000000, -4.000000] nats/step; every orbit; theorem volume",
        "exponent 1   at most 1.000000 nats/step; every orbit; theorem contraction",
        "exponent 1   in [0.333333, 0.500000] nats/step; this cycle; theorem multiplier_moduli",
        "undecided    markov: no",
        "certificate  net.cert",
        "figure       net.svg",
        (
            "Proved  exponent 1 of this cycle: in [0.3333333333, 0.5000000000] nats/step (and 2 more above)"
            "; everything else above is an estimate"
        ),
    ]


def test_finite_times_stand_apart_from_limits() -> None:
    scope: Scope = "this orbit, under the stated inputs"
    finite = (
        Certified(1, Fraction(1, 3), Fraction(1, 2), scope, "finite_time", 20),
        Certified(2, None, Fraction(-3), scope, "finite_time", 20),
    )
    run = found(PAIR, start=np.array([0.5, -1.0]))
    lines = answer_text(Answer(NETWORK, run, Proofs(finite), 3))
    assert lines[lines.index("Proved (accepted by the checker, nothing here rests on the estimates)") + 1 :] == [
        "proved for this orbit: exponent 1 over 20 steps in [0.333, 0.500] nats/step",
        "proved for this orbit: exponent 2 over 20 steps in [-inf, -3.000] nats/step",
        (
            "this orbit   the exact one from (0.5, -1.0), under the first inputs, without a warm-up: finite-time exponents "
            "(theorem finite_time) are no limits, and floats leave an orbit that is chaotic"
        ),
        (
            "Proved  finite-time exponent 1 of this orbit over 20 steps: in [0.33333333, 0.50000000] nats/step (and 1 more above); "
            "no limit is proved, everything else above is an estimate"
        ),
    ]
    assert answer_text(Answer(NETWORK, run, Proofs((*finite, HALF)), 3))[-1].startswith("Proved  exponent 1 of this cycle: in")
    assert finite[0].as_json()["scope"] == "this orbit, 20 steps from the stated start, under the stated inputs"
    assert (finite[0].as_json()["steps"], "steps" in HALF.as_json()) == (20, False)


def test_nothing_proved() -> None:
    answer = Answer(NETWORK, found(PAIR), Proofs(undecided=("contraction: no",)))
    assert answer.verdict == "NotFound"
    lines = answer_text(answer)
    assert lines[-3:] == [
        "Nothing was proved",
        "undecided    contraction: no",
        "NotFound  no exponent was proved; the numbers above are estimates",
    ]


def test_many_exponents_are_cut() -> None:
    many = tuple(Estimate(i, -float(i), 0.1) for i in range(1, 101))
    lines = answer_text(Answer(NETWORK, found(many, sum=None, log_det=None, kaplan_yorke=None, participation=None)))
    table = lines[lines.index("exponent     estimate, nats/step, with 95 % interval") + 1 :]
    assert (table[35], table[36], table[37]) == (
        "36           -36.000 +- 0.100",
        "... 61 more (--json lists all)",
        "98           -98.000 +- 0.100",
    )
    assert table[40] == "dimension    not known from so few exponents (Kaplan-Yorke)"


def test_json_keeps_the_kinds_apart() -> None:
    content = Answer(NETWORK, found(PAIR), Proofs((HALF,), None, (), ("multiplier_moduli",)), 3).as_json()
    assert [(entry["index"], entry["kind"]) for entry in content["exponents"]] == [(1, "estimate"), (2, "estimate"), (1, "certified")]  # type: ignore[attr-defined]
    assert (content["verdict"], content["theorems"], content["unit"]) == ("Proved", ["multiplier_moduli"], "nats/step")
    assert content.keys() >= {"mode", "sum", "log_det", "kaplan_yorke", "steps", "warmup", "network", "checks", "undecided", "certificate"}


def test_diagnoses() -> None:
    fault = Fault("reversed order", "the numbers are others", "multiply from the left")
    ill = Diagnosis("Faulty", (1.5, -2.0), PAIR, (fault,), ("bits for nats",), ("a note",))
    assert diagnosis_text("net (rnn)", ill) == [
        "network      net (rnn)",
        "given        1.5  -2",
        "expected     0.500 +- 0.010 nats/step",
        "expected     -inf nats/step",
        "fault        reversed order: the numbers are others",
        "remedy       multiply from the left",
        "or           bits for nats: within the error bars, too",
        "note         a note",
        "Faulty  reversed order (by estimates of this run, no proof)",
    ]
    assert diagnosis_text("net", Diagnosis("Healthy", (0.5,), PAIR), "own:code")[1:3] == [
        "given        0.5 (by own:code)",
        "expected     0.500 +- 0.010 nats/step",
    ]
    assert diagnosis_text("net", Diagnosis("Unexplained", (), PAIR))[-1].startswith("Unexplained  the numbers are not the exponents")
