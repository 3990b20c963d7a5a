"""The changelog has the form it promises, and knows the version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

RELEASE = re.compile(r"^## \[(?P<version>[^\]]+)\].*\n(?P<text>(?:(?!## \[).*\n?)*)", re.MULTILINE)


def releases(root: Path) -> dict[str, str]:
    """Return the text of every release by its version, newest first."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return {match["version"]: match["text"] for match in RELEASE.finditer(text)}


def test_unreleased_comes_first(root: Path) -> None:
    assert next(iter(releases(root))) == "Unreleased"


def test_every_release_speaks_of_soundness(root: Path) -> None:
    for version, text in releases(root).items():
        soundness = re.search(r"^### Soundness\n+(- .+)", text, re.MULTILINE)
        assert soundness, f"{version} says nothing about soundness"


def test_the_version_is_known(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(releases(root)) == 1 or list(releases(root))[1] == project["version"]
