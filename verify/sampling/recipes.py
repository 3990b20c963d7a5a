"""The canonical text of a recipe."""

from __future__ import annotations

import json


def recipe_text(content: dict[str, object]) -> str:
    """Return a recipe as compact JSON with sorted keys."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
