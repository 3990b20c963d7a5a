"""Training of piecewise linear recurrent networks on time series, with checkpoints that the rest of the tool reads as exact networks.

``data`` and ``systems`` simulate, ``models`` and ``observation`` are torch modules, ``forcing`` drives them, ``run`` trains, ``measures``
judges the free-running network. Everything here is in floats: estimates, never proofs.
"""
