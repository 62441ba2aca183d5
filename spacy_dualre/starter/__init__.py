"""Writes a starter project for a new corpus: config, descriptions to fill in, and project file."""

from pathlib import Path
from typing import List, Sequence

from thinc.api import Config

from ..annotations.mentions import SPANS_KEY
from ..errors import Errors
from ..instances.descriptions import UNWRITTEN, plain_template
from ..types import NEGATIVE, DescriptionTexts, TypePair
from ..writing import write_json, write_text

_HERE = Path(__file__).parent


def write_starter(
    output: Path,
    labels: Sequence[str],
    types: Sequence[str],
    type_pairs: Sequence[TypePair] = (),
    symmetric: Sequence[str] = (),
) -> List[Path]:
    """Write config.cfg, descriptions.json and project.yml to a folder, and return their paths.

    The config is configs/default.cfg, with mentions in the span group that `spacy dualre convert` writes. Training
    refuses the descriptions until they are filled in. Without type pairs, those of the training data are used.

    Raises:
        ValueError: Predicates or types are not usable, or a file exists already.
    """
    for what, names in (("predicates", labels), ("types", types)):
        if not names or len(set(names)) < len(names):
            raise ValueError(Errors.DR800.format(what=what, names=", ".join(names)))
    if NEGATIVE in labels:
        raise ValueError(Errors.DR167.format(label=NEGATIVE))
    in_pairs = [type for pair in type_pairs for type in pair]
    for what, given, known in (("type pairs", in_pairs, types), ("symmetric predicates", symmetric, labels)):
        for name in sorted(set(given) - set(known)):
            raise ValueError(Errors.DR801.format(what=what, name=name, known=", ".join(known)))
    paths = [output / name for name in ("config.cfg", "descriptions.json", "project.yml")]
    for path in filter(Path.exists, paths):
        raise ValueError(Errors.DR802.format(path=path))
    config = Config().from_disk(_HERE / "default.cfg", interpolate=False)
    config["paths"].update(train="corpus/train.spacy", dev="corpus/dev.spacy", descriptions="descriptions.json")
    config["relations"].update(spans_key=SPANS_KEY, symmetric=list(symmetric))
    if type_pairs:
        config["relations"]["candidates"]["type_pairs"] = [list(pair) for pair in type_pairs]
    write_text(paths[0], config.to_str(interpolate=False) + "\n")
    write_json(paths[1], _descriptions(labels, type_pairs))
    write_text(paths[2], (_HERE / "project.yml").read_text(encoding="utf8"))
    return paths


def _descriptions(labels: Sequence[str], type_pairs: Sequence[TypePair]) -> DescriptionTexts:
    """Templates to fill in, one per pair of types if there are several, since wordings tend to differ."""
    texts: DescriptionTexts = {NEGATIVE: plain_template(NEGATIVE, negative=True)}
    for label in labels:
        template = f"{UNWRITTEN} say in plain words that {{subject}} and {{object}} have the relation {label}."
        pairs = {f"{subject}|{object}": template for subject, object in type_pairs}
        texts[label] = pairs if len(pairs) > 1 else template  # type: ignore[assignment]
    return texts
