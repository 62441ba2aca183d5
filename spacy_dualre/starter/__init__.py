"""Writes a starter project for a new corpus: config, descriptions to fill in or to check, and project file."""

from math import ceil
from pathlib import Path
from typing import List

from thinc.api import Config

from ..errors import Errors
from ..instances.descriptions import UNWRITTEN, plain_template
from ..types import NEGATIVE, DescriptionTexts
from ..writing import write_json, write_text
from .facts import Facts

_HERE = Path(__file__).parent
#: Candidates in a step, and the steps of a training on few documents.
_BATCH, _STEPS = 32, 500


def write_starter(output: Path, facts: Facts) -> List[Path]:
    """Write config.cfg, descriptions.json and project.yml to a folder, and return their paths.

    The config is configs/default.cfg with what the facts say. Training refuses descriptions without a draft until they
    are filled in. The project expects the documents in corpus/train.spacy and corpus/dev.spacy if the facts are from
    data, and converts annotated ones otherwise.

    Raises:
        ValueError: Predicates or types are not usable, or a file exists already.
    """
    labels, type_pairs = facts.labels, facts.type_pairs
    for what, names in (("predicates", labels), ("types", facts.types)):
        if not names or len(set(names)) < len(names):
            raise ValueError(Errors.DR800.format(what=what, names=", ".join(names) or "none"))
    if NEGATIVE in labels:
        raise ValueError(Errors.DR167.format(label=NEGATIVE))
    in_pairs = [type for pair in type_pairs for type in pair]
    for what, given, known in (
        ("type pairs", in_pairs, facts.types),
        ("symmetric predicates", facts.symmetric, labels),
    ):
        for name in sorted(set(given) - set(known)):
            raise ValueError(Errors.DR801.format(what=what, name=name, known=", ".join(known)))
    paths = [output / name for name in ("config.cfg", "descriptions.json", "project.yml")]
    for path in filter(Path.exists, paths):
        raise ValueError(Errors.DR802.format(path=path))
    config = Config().from_disk(_HERE / "default.cfg", interpolate=False)
    config["paths"].update(train="corpus/train.spacy", dev="corpus/dev.spacy", descriptions="descriptions.json")
    config["relations"].update(spans_key=facts.spans_key, symmetric=list(facts.symmetric))
    if type_pairs:
        config["relations"]["candidates"]["type_pairs"] = [list(pair) for pair in type_pairs]
    project = (_HERE / "project.yml").read_text(encoding="utf8")
    if facts.drafts:
        per_epoch = max(ceil(facts.candidates / _BATCH), 1)
        # Few documents are read up to 40 times, many 3 times
        epochs = min(max(ceil(_STEPS / per_epoch), 3), 40)
        config["training"].update(max_epochs=epochs, eval_frequency=ceil(epochs * per_epoch / 10))
        config["training"]["batcher"]["size"] = _BATCH * (1 + len(labels))
        project = project.replace("all: [convert, train", "all: [train")
    write_text(paths[0], config.to_str(interpolate=False) + "\n")
    write_json(paths[1], _descriptions(facts))
    write_text(paths[2], project)
    return paths


def _descriptions(facts: Facts) -> DescriptionTexts:
    """Drafts or templates to fill in, these one per pair of types if there are several: wordings tend to differ."""
    texts: DescriptionTexts = {NEGATIVE: plain_template(NEGATIVE, negative=True)}
    for label in facts.labels:
        if label in facts.drafts:
            texts[label] = facts.drafts[label]
            continue
        template = f"{UNWRITTEN} say in plain words that {{subject}} and {{object}} have the relation {label}."
        pairs = {f"{subject}|{object}": template for subject, object in facts.type_pairs}
        texts[label] = pairs if len(pairs) > 1 else template  # type: ignore[assignment]
    return texts
