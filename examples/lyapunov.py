"""Exponents of a network of three neurons: estimated, then proved; and the doctor names the fault of a product in the wrong order."""

import numpy as np

import verify
from verify.lyapunov import certify_exponents, diagnose, spectrum
from verify.lyapunov.record import record_of
from verify.lyapunov.texts import enclosed, measured

W = [[-4, 2, -4], [-4, -4, 2], [0, -4, -4]]
START = np.array([0.1, 0.2, -0.3])
network = verify.load_network({"W": W, "b": [0, 0, 0]}, model="rnn", activation="tanh")
run = record_of(network, start=START, steps=1200)
wrong = [1.38601, -6.10834, -8.57582]  # what code prints that pushes with the transposed Jacobian

estimated = spectrum(network, start=START, steps=1200).exponents
entries = certify_exponents(network, start=START.tolist(), digits=20, budget=4).entries
proved = {entry.of: entry for entry in entries if entry.scope == "this cycle"}
print("h' = tanh(W h): Lyapunov exponents in nats per step")
for entry in estimated:
    print(f"{entry.of}  estimate {measured(entry.value, entry.half_width):<24} proved {enclosed(proved[entry.of], 20)}")

found = diagnose(wrong, run)
print(f"\nthe doctor on {wrong}: {found.verdict}")
for fault in found.faults:
    print(f"- {fault.name}: {fault.evidence}\n  {fault.remedy}")
