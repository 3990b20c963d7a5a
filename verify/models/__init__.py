"""Architecture families: one file each, parameters <-> exact networks."""

from __future__ import annotations

from verify.models.draft import Draft
from verify.models.families import FAMILIES, build, canonical_arrays, check_settings
from verify.models.layouts import settle
from verify.models.recognise import recognise, settings_of, unused

__all__ = ["FAMILIES", "Draft", "build", "canonical_arrays", "check_settings", "recognise", "settings_of", "settle", "unused"]
