"""Names that published code and torch give to parameters, turned into a family's own.

Whatever is decided here without being stated by the file or the caller becomes an assumption, one sentence each.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.stored import as_fraction, exact_array
from verify.models.draft import Draft, family_name
from verify.models.families import FAMILIES

_UNICODE = {"W₁": "W1", "W₂": "W2", "h₁": "h1", "h₂": "h2", "α": "alpha"}
_LATENT = "latent_model.latent_step."
_MIXTURE = ("A_MoE", "W_MoE", "h_MoE")
_LISTED = ("A", "W", "h", "W1", "W2", "h1", "h2", "alpha", "H")
_CELL = {"weight_hh_l0": "W", "weight_hh": "W", "weight_ih_l0": "C", "weight_ih": "C"}
_BIASES = ("bias_ih_l0", "bias_hh_l0", "bias_ih", "bias_hh")
_SMC_LEFT = {"rnn.w_out", "rnn.w_out_scale", "rnn.w_inp_scale", "rnn.taus_gaus", "x0", "rnn.x0"}


def settle(draft: Draft) -> None:
    """Turn foreign names into those of a family, in place.

    **Raises** Unsupported: continuous time, a mixture without a chosen expert, gated or stacked torch cells, a driven low-rank network;
    Malformed: a choice outside its range, statements that disagree, a scaling that was not given.
    """
    _refuse_continuous(draft)
    draft.rename(_UNICODE)
    _pick_expert(draft)
    _pick_listed(draft)
    _split_latent(draft)
    _turn_low_rank(draft)
    _fold_torch_cell(draft)
    _read_type(draft)
    _apply_mask(draft)
    _drop_idle_input(draft)
    _repeat_notes(draft)


def _refuse_continuous(draft: Draft) -> None:
    hint = draft.meta.get("file_hint")
    hinted = isinstance(hint, dict) and hint.get("continuous_time") is True and "p" in draft.arrays
    named = (draft.type_name or "").rpartition(".")[2].lower().startswith(("cont", "cplrnn"))
    if draft.meta.get("continuous_time") or named or hinted or draft.meta.get("model") in {"cplrnn", "contalrnn"}:
        law = "a state map in discrete time"
        raise Unsupported(where=draft.place, law=law, expected="z' = F(z), one step at a time", got="a continuous-time model dz/dt = f(z)")
    if draft.meta.pop("component_arrays", None):
        law, remedy = "arrays have names", "save A, W, h ... by name"
        raise Unsupported(where=draft.place, law=law, expected="named arrays", got="one flat parameter vector", remedy=remedy)


def _pick_expert(draft: Draft) -> None:
    """Take expert i of a DynaMix mixture: an AL-RNN."""
    if f"{_MIXTURE[0]}.0" not in draft.arrays:
        if draft.meta.pop("expert", None) is not None:
            raise Malformed(where=draft.place, law="expert", expected="a mixture of experts", got="one network")
        return
    count = sum(name.startswith(f"{_MIXTURE[0]}.") for name in draft.arrays)
    expert = draft.meta.pop("expert", None)
    if expert is None:
        law, remedy = "one state map", f"choose one of the {count} experts, counted from 0: --set expert=0"
        got = "a softmax-gated mixture, which is not piecewise linear as a whole"
        raise Unsupported(where=draft.place, law=law, expected="an expert to be chosen", got=got, remedy=remedy)
    chosen = _index(draft, "expert", expert, count)
    found = {name[0]: draft.arrays[f"{name}.{chosen}"] for name in _MIXTURE if f"{name}.{chosen}" in draft.arrays}
    draft.arrays = {name: array for name, array in draft.arrays.items() if not name.startswith((*_MIXTURE, "gating_network."))}
    draft.arrays.update(found)
    draft.meta = {name: value for name, value in draft.meta.items() if not name.startswith("gating_network.")}
    draft.set("model", "alrnn", "for an expert of DynaMix")
    draft.notes.append(f"the map is expert {chosen} of {count} (counted from 0) alone, without the gating network")


def _pick_listed(draft: Draft) -> None:
    """Take entry i of lists of parameters, one network an epoch."""
    lists = draft.meta.get("lists")
    index = draft.meta.pop("index", None)
    names = [name for name in _LISTED if isinstance(lists, dict) and isinstance(lists.get(name), int)]
    if not names:
        if index is not None:
            raise Malformed(where=draft.place, law="index", expected="lists of parameters", got="one network")
        return
    count = min(cast("dict[str, int]", lists)[name] for name in names)
    if index is None:
        law, remedy = "one network", "choose one, counted from 0: --set index=0"
        raise Malformed(where=draft.place, law=law, expected="an index into the lists", got=f"{count} networks", remedy=remedy)
    chosen = _index(draft, "index", index, count)
    for name in names:
        found = draft.arrays.get(f"{name}.{chosen}")
        if found is None:
            raise Malformed(where=draft.place, law="lists of parameters", expected=f"an array {name}.{chosen}", got="none")
        draft.arrays = {key: array for key, array in draft.arrays.items() if not key.startswith(f"{name}.")}
        draft.arrays[name] = found
    draft.notes.append(f"the map is network {chosen} of {count} in the file (counted from 0)")


def _index(draft: Draft, name: str, value: object, count: int) -> int:
    if not isinstance(value, int) or not 0 <= value < count:
        raise Malformed(where=f"{draft.place}, key {name}", law=name, expected=f"a whole number from 0 to {count - 1}", got=repr(value))
    return value


def _split_latent(draft: Draft) -> None:
    """Split AW of the Python PLRNN code into its diagonal A and the rest W; its thresholds are added to z."""
    weights = draft.arrays.pop(f"{_LATENT}AW", None)
    if weights is None:
        return
    if weights.ndim != len("MM") or weights.shape[0] != weights.shape[1]:
        where = f"{draft.place}, array {_LATENT}AW"
        raise Malformed(where=where, law="array shapes", expected="M x M", got=" x ".join(map(str, weights.shape)) or "one number")
    draft.put("A", np.diag(weights).copy(), "as the diagonal of AW")
    draft.put("W", weights - np.diag(np.diag(weights)), "as AW without its diagonal")
    draft.rename({f"{_LATENT}h": "h", f"{_LATENT}alphas": "alpha", f"{_LATENT}thetas": "H"})
    draft.notes.append(f"A is the diagonal and W the rest of {_LATENT}AW; the options clip_range and mean_centering are taken to be off")
    if "alpha" in draft.arrays:
        draft.set("model", "dendritic_plrnn", f"by the names {_LATENT}*")
        draft.set("threshold_sign", "plus", f"by the names {_LATENT}*")
        draft.notes.append("threshold_sign = plus is the convention of the code that writes latent_model.latent_step.thetas")


def _turn_low_rank(draft: Draft) -> None:
    """Turn smc_rnns' rnn.m (N x R) and rnn.n (R x N) into z' = a z + (1 - a)/N n relu(m z + b)."""
    if not {"rnn.m", "rnn.n", "rnn.b_rec"} <= draft.arrays.keys():
        return
    _refuse_drive(draft)
    inner, outer = draft.arrays.pop("rnn.m"), draft.arrays.pop("rnn.n")
    decay = _decay(draft)
    if outer.ndim != len("RN") or outer.size == 0:
        raise Malformed(where=f"{draft.place}, array rnn.n", law="array shapes", expected="R x N", got=str(outer.shape))
    factor = (1 - decay) / outer.shape[1]
    scaled = [as_fraction(x) * factor for x in exact_array(f"{draft.place}, array rnn.n", outer).ravel().tolist()]
    draft.put("m", _objects(scaled, outer.shape), "as (1 - a)/N rnn.n")
    draft.put("n", inner, "as rnn.m")
    draft.arrays["a"] = _objects([decay], (1,))
    draft.rename({"rnn.b_rec": "b"})
    draft.arrays = {name: array for name, array in draft.arrays.items() if name not in _SMC_LEFT}
    draft.set("model", "low_rank", "by the names rnn.m, rnn.n, rnn.b_rec")
    draft.notes.append(f"the map is z' = a z + (1 - a)/N n relu(m z + b_rec) with a = {decay}, N = {outer.shape[1]}; relu is assumed")


def _decay(draft: Draft) -> Fraction:
    given = {name: draft.arrays.pop(name) for name in ("a", "dt", "tau") if name in draft.arrays}
    numbers = {name: as_fraction(array.reshape(-1).tolist()[0]) for name, array in given.items() if array.size == 1}
    if "a" in numbers and len(given) == 1:
        return numbers["a"]
    if {"dt", "tau"} == numbers.keys() and numbers["tau"] > 0:
        return 1 - numbers["dt"] / numbers["tau"]
    law, remedy = "the scaling of a low-rank network", "--set dt=VALUE --set tau=VALUE, or --set a=VALUE for 1 - dt/tau"
    raise Malformed(where=draft.place, law=law, expected="dt and tau, or a = 1 - dt/tau", got=", ".join(given) or "none", remedy=remedy)


def _refuse_drive(draft: Draft) -> None:
    drive, given = draft.arrays.pop("rnn.w_inp", np.zeros(0)), draft.arrays.pop("input", np.ones(1))
    if np.any(drive != 0) and np.any(given != 0):
        law, remedy = "an input-driven model needs its input", "with no input at all: --set input=0"
        got = "rnn.w_inp; a nonzero input leaves the latent coordinates"
        raise Unsupported(where=f"{draft.place}, array rnn.w_inp", law=law, expected="input = 0", got=got, remedy=remedy)
    if np.any(drive != 0):
        draft.notes.append("the input was set to 0, so rnn.w_inp was left out")


def _fold_torch_cell(draft: Draft) -> None:
    """Name the parameters of torch.nn.RNN or RNNCell: W, C and the exact sum of both biases."""
    weights = draft.arrays.get("weight_hh_l0", draft.arrays.get("weight_hh"))
    if weights is None:
        return
    more = [name for name in draft.arrays if name.endswith("_reverse") or name.startswith(("weight_hh_l1", "weight_hr_l"))]
    if more or weights.ndim != len("HH") or weights.shape[0] != weights.shape[1]:
        law = "one layer, one direction, no gates"
        got = more[0] if more else f"weight_hh of shape {' x '.join(map(str, weights.shape))}, as in LSTM or GRU"
        raise Unsupported(where=draft.place, law=law, expected="torch.nn.RNN or RNNCell: weight_hh is H x H", got=got)
    size = len(weights)
    biases = {name: draft.arrays.pop(name) for name in _BIASES if name in draft.arrays}
    for name, bias in biases.items():
        if bias.shape != (size,):
            where = f"{draft.place}, array {name}"
            raise Malformed(
                where=where, law="array shapes", expected=f"M = {size} (M from weight_hh)", got=" x ".join(map(str, bias.shape))
            )
    sums = [sum(map(as_fraction, entries), Fraction(0)) for entries in zip(*(b.tolist() for b in biases.values()), strict=True)]
    draft.put("b", _objects(sums or [Fraction(0)] * size, (size,)), "as the sum of both torch biases")
    draft.rename(_CELL)
    draft.set("model", "rnn", "by the names of torch.nn.RNN")


def _read_type(draft: Draft) -> None:
    """Let the type of a Julia struct say the family."""
    kind = (draft.type_name or "").rpartition(".")[2]
    model = family_name(kind)
    if model not in FAMILIES or "W_mask" in draft.arrays:
        return
    draft.set("model", model, f"by the type {kind}")
    if model == "dendritic_plrnn":
        draft.set("threshold_sign", "minus", f"by the type {kind}")
        draft.set("clipped", kind.lower().startswith("clipped"), f"by the type {kind}")


def _apply_mask(draft: Draft) -> None:
    mask, weights = draft.arrays.get("W_mask"), draft.arrays.get("W")
    if mask is None or weights is None:
        return
    if "model" not in draft.meta:
        law, expected = "one family", "the family to be named; these fit: plrnn, mean_centred_plrnn"
        raise Malformed(where=draft.place, law=law, expected=expected, got="arrays with W_mask", remedy="--model FAMILY")
    if mask.shape != weights.shape or not np.all((mask == 0) | (mask == 1)):
        where, expected = f"{draft.place}, array W_mask", "0 and 1 in the shape of W"
        raise Malformed(where=where, law="a mask", expected=expected, got=" x ".join(map(str, mask.shape)))
    masked = weights.copy()
    masked[mask == 0] = Fraction(0) if masked.dtype == object else 0.0
    draft.arrays["W"] = masked
    del draft.arrays["W_mask"]
    draft.notes.append("W was multiplied by W_mask, entry by entry")


def _drop_idle_input(draft: Draft) -> None:
    """Leave out an input matrix that is empty or zero where no input is given."""
    matrix = draft.arrays.get("C")
    if matrix is not None and "input" not in draft.arrays and not np.any(matrix != 0):
        del draft.arrays["C"]
        draft.notes.append("C is zero or empty, so there is no input")


def _repeat_notes(draft: Draft) -> None:
    for key, sentence in (("assumptions", "{}"), ("ignored", "{} in the file is no array and was left out")):
        texts = draft.meta.pop(key, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Malformed(where=f"{draft.place}, key {key}", law="settings have one type", expected="a list of texts", got=repr(texts))
        draft.notes += [sentence.format(text) for text in texts]


def _objects(values: list[Fraction], shape: tuple[int, ...]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found.reshape(shape)
