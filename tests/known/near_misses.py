"""Covering graphs that are almost there: strips of short words around fixed points, inside and outside their regions, kept or not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from proofs.network import Network
from verify.candidates import Covering, Slab
from verify.numerics.batch import FloatNetwork
from verify.numerics.strips import Letters, saddle_frame, slab_frame, solve_passage, strip_of

SIZES = (0.05, 0.3, 1.0)  # of slabs, relative to the size of the fixed point
LONGEST = 4
MOST = 12  # strips of one slab
MOST_HINGES = 2
SINGULAR = 1e-9


def near_misses(network: Network) -> Iterator[Covering]:
    """Yield slabs around the fixed point of every piece with the words of up to four letters that come closest to crossing them.

    However far off those are; of networks with at most two live hinges.
    """
    floats = FloatNetwork(network)
    letters, live = Letters(floats), np.flatnonzero(floats.live)
    if len(live) > MOST_HINGES:
        return
    patterns = np.zeros((2 ** len(live), network.hinges), dtype=bool)
    patterns[:, live] = list(product([False, True], repeat=len(live)))
    names = letters.read(patterns)
    words = [word for steps in range(1, LONGEST + 1) for word in product(names, repeat=steps)]
    for name in names:
        A, b = letters.compose((name,))
        I_A = np.eye(len(b)) - A
        frame = None if abs(np.linalg.det(I_A)) < SINGULAR else saddle_frame(np.asarray(np.linalg.solve(I_A, b), dtype=np.float64), A)
        if frame is None:
            continue
        for size in SIZES:
            slab = Slab(frame.center, frame.basis * size * (1e-3 + np.abs(frame.center).max()))
            here = [slab_frame(slab, frame.unstable)]
            passages = [passage for word in words if (passage := solve_passage(letters, here, (0, 0), word)) is not None]
            strips = sorted((strip_of(letters, here, passage)[0] for passage in passages), key=lambda strip: -strip.slack)
            close = [strip for strip in strips if np.isfinite(strip.width).all()][:MOST]
            if len(close) > 1:
                yield Covering(frame.unstable, (slab,), tuple(close))
