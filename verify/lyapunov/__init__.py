"""Lyapunov spectra of recurrent networks: estimates with error bars, proofs where proofs exist."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.certification.spectra import certify_exponents
    from verify.lyapunov.doctor import diagnose
    from verify.lyapunov.flossing import flossing_loss, leading_exponents
    from verify.lyapunov.hooks import LightningHooks, TransformersHooks
    from verify.lyapunov.results import Certified, Estimate, Exact
    from verify.lyapunov.spectra import Spectrum, spectrum
    from verify.lyapunov.sweep import read_runs, run_sweep
    from verify.lyapunov.systems import system_of
    from verify.lyapunov.training import SpectrumCallback

_HOMES = {
    "Certified": "verify.lyapunov.results",
    "Estimate": "verify.lyapunov.results",
    "Exact": "verify.lyapunov.results",
    "LightningHooks": "verify.lyapunov.hooks",
    "Spectrum": "verify.lyapunov.spectra",
    "SpectrumCallback": "verify.lyapunov.training",
    "TransformersHooks": "verify.lyapunov.hooks",
    "certify_exponents": "verify.certification.spectra",
    "diagnose": "verify.lyapunov.doctor",
    "flossing_loss": "verify.lyapunov.flossing",
    "leading_exponents": "verify.lyapunov.flossing",
    "read_runs": "verify.lyapunov.sweep",
    "run_sweep": "verify.lyapunov.sweep",
    "spectrum": "verify.lyapunov.spectra",
    "system_of": "verify.lyapunov.systems",
}

__all__ = [
    "Certified",
    "Estimate",
    "Exact",
    "LightningHooks",
    "Spectrum",
    "SpectrumCallback",
    "TransformersHooks",
    "certify_exponents",
    "diagnose",
    "flossing_loss",
    "leading_exponents",
    "read_runs",
    "run_sweep",
    "spectrum",
    "system_of",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name not in _HOMES:
        message = f"module 'verify.lyapunov' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
