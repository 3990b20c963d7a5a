"""Checkpoints of a run: networks that ``verify.load`` reads as they are, and the state from which training goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs.errors import Malformed
from verify.formats import Stored, read, write
from verify.formats.files import failures_of, replace_file
from verify.formats.torch import save

if TYPE_CHECKING:
    from verify.training.models import Recurrent
    from verify.training.observation import Observation

FOLDER = "checkpoints"
STATE = "state.pt"
_NAME = re.compile(r"model_(\d{8,})\.safetensors", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """The network after ``update`` updates."""

    update: int
    path: Path

    def provenance(self) -> dict[str, Any]:
        """Return what the file says of its making: update, epoch, seed, digest of the configuration, data, loss, versions."""
        text = read(self.path).meta.get("training")
        if not isinstance(text, str):
            law, expected = "a checkpoint says where it comes from", "training, a JSON text in the metadata"
            raise Malformed(where=self.path.name, law=law, expected=expected, got=repr(text))
        return dict(json.loads(text))


def path_of(directory: Path, update: int) -> Path:
    """Return the file of the checkpoint after ``update`` updates."""
    return directory / FOLDER / f"model_{update:08d}.safetensors"


def checkpoints_of(directory: Path) -> tuple[Checkpoint, ...]:
    """Return the checkpoints in a run's folder, first to last. **Raises:** Malformed: there is no such folder."""
    folder = directory / FOLDER
    if not folder.is_dir():
        got = "a folder without checkpoints" if directory.is_dir() else "no folder"
        raise Malformed(where=str(directory), law="a run's folder", expected=f"a folder with {FOLDER}", got=got)
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return tuple(sorted((Checkpoint(int(match[1]), path) for match, path in found if match), key=lambda one: one.update))


def save_network(path: Path, name: str, model: Recurrent, observation: Observation, provenance: Mapping[str, object]) -> None:
    """Write a network with its observation model and provenance. **Guarantee:** exact, and whole or not at all."""
    arrays = model.arrays() | {key: value.detach().clone() for key, value in observation.named_parameters()}
    kept = {key: value.numpy() for key, value in arrays.items() if value.numel()}
    meta = {"model": model.family, "name": name, **model.settings(), "training": json.dumps(provenance, sort_keys=True)}
    write(path, Stored(kept, meta))


def save_state(directory: Path, state: Mapping[str, object]) -> None:
    """Write the state of a training. **Guarantee:** whole or not at all."""
    replace_file(directory / STATE, lambda file: save(state, file))


def load_state(directory: Path) -> dict[str, Any]:
    """Read the state of a training; no code in the file is run. **Raises:** Malformed: absent or damaged."""
    import pickle

    import torch

    path = directory / STATE
    if not path.is_file():
        raise Malformed(where=str(path), law="a run that can be resumed", expected="a run's folder", got="no such file")
    with failures_of(path, "state of a training", (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError)):
        found = torch.load(path, weights_only=True)
    if not isinstance(found, dict):
        raise Malformed(where=str(path), law="a run that can be resumed", expected="the state of a training", got="something else")
    return found
