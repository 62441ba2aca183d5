"""Ablations: variants of a config, each trained with several seeds in a process of its own, and scored officially."""

import gc
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, Collection, Dict, List, Literal, Mapping, NamedTuple, Optional

import torch
from pydantic import BaseModel, Field, NonNegativeInt, model_validator
from spacy.util import ENV_VARS
from thinc.api import Config

from ..errors import Errors
from ..formats.files import parse_json, read_text
from ..instances.descriptions import read_descriptions
from ..pipeline.configs import read_config
from ..pipeline.pipelines import load_pipeline, predict_examples
from ..records.record import Place
from ..scoring.protocols import document_ids, get_protocol, predicates_of
from ..training.reader import rel_corpus
from ..types import DescriptionTexts
from ..writing import write_text
from .environment import commit, device_name, package_versions
from .resuming import CHECKPOINT, Checkpoint
from .tables import Overrides, RunResult, Setup, read_results

COMPONENT = "dual_encoder_rel"
#: Settings that leave predicates out of a training.
WITHOUT = ("corpora.train.without", "corpora.dev.without", f"initialize.components.{COMPONENT}.descriptions.without")
#: Names of variants become parts of file names.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Variant(BaseModel, extra="forbid"):
    """A variant to compare: its settings by dotted key, and a note on them for the table."""

    overrides: Overrides = {}
    note: str = ""
    trained_as: Optional[str] = None  # load this variant's pipelines with the overrides instead of training
    new_predicates: List[str] = []  # leave out of training, documents and descriptions alike, and add afterwards


class Plan(BaseModel, extra="forbid"):
    """The variants of a config to train and compare.

    The corpus is a folder with train.spacy and dev.spacy; whatever split is scored, dev chooses the best checkpoint.
    """

    config: str
    corpus: str
    protocol: str
    split: Literal["dev", "test"] = "dev"
    overrides: Overrides = {}
    seeds: List[NonNegativeInt] = Field(min_length=1)
    reference: str
    variants: Dict[Name, Variant]

    @model_validator(mode="after")
    def _check(self) -> "Plan":
        get_protocol(self.protocol)
        if self.reference not in self.variants:
            raise ValueError(Errors.DR702.format(reference=self.reference, variants=", ".join(self.variants)))
        for name, variant in self.variants.items():
            source = self.variants.get(variant.trained_as or name)
            of_components = all(key.startswith("components.") for key in variant.overrides)
            if variant.trained_as and (source is None or source.trained_as or not of_components):
                raise ValueError(Errors.DR715.format(name=name, source=variant.trained_as))
        return self

    @property
    def setup(self) -> Setup:
        """What the runs have in common."""
        return Setup(self.corpus, self.split, self.protocol, self.config, self.overrides)

    def of(self, variant: str) -> Overrides:
        """Settings in which a variant differs from the common ones, in training or at loading."""
        own = self.variants[variant]
        inherited = self.of(own.trained_as) if own.trained_as else {}
        return {**inherited, **{key: own.new_predicates for key in WITHOUT if own.new_predicates}, **own.overrides}


class Training(NamedTuple):
    """A training of a variant with a seed."""

    variant: str
    seed: int
    config: Config
    scored: List[str]  # the variants that are scored with its pipeline: itself, and those trained as it

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.seed}"


def read_plan(path: Path, overrides: Mapping[str, Any] = {}, **changes: Any) -> Plan:
    """Read a plan from a JSON file, with more overrides and changed fields (None or empty: unchanged), and check it.

    "{corpus}" anywhere in the plan becomes the name of the corpus folder. Raises ValueError naming the first problem.
    """
    plan = parse_json(read_text(path), Plan, Place(path))
    given = {name: value for name, value in changes.items() if value}
    values = {**plan.model_dump(), **given, "overrides": {**plan.overrides, **overrides}}
    text = json.dumps(values).replace("{corpus}", json.dumps(Path(values["corpus"]).name)[1:-1])
    plan = parse_json(text, Plan, Place(path))
    rel_corpus(plan.setup.data)
    if not Path(plan.config).is_file():
        raise ValueError(Errors.DR005.format(path=plan.config, hint="Expected a training config."))
    return plan


def plan_trainings(plan: Plan, variants: Collection[str] = ()) -> List[Training]:
    """The trainings that some variants (none: all) need, seed by seed. Raises ValueError if a variant is unknown, or a
    setting in a section that the config does not have.
    """
    for name in variants:
        if name not in plan.variants:
            raise ValueError(Errors.DR717.format(name=name, variants=", ".join(plan.variants)))
    data = {f"paths.{split}": str(Path(plan.corpus) / f"{split}.spacy") for split in ("train", "dev")}
    trainings = []
    for seed in plan.seeds:
        for name, variant in plan.variants.items():
            scored = [name, *(other for other, own in plan.variants.items() if own.trained_as == name)]
            if not variant.trained_as and (not variants or {*scored} & {*variants}):
                overrides = {"training.seed": seed, **data, **plan.overrides, **plan.of(name)}
                config = read_config(Path(plan.config), overrides)
                new = sorted(variant.new_predicates)
                unknown = [label for label in new if label not in _descriptions(config)]
                if unknown:
                    raise ValueError(Errors.DR716.format(name=name, unknown=", ".join(unknown)))
                trainings.append(Training(name, seed, config, scored))
    return trainings


def _descriptions(config: Config) -> DescriptionTexts:
    settings = config.interpolate()["initialize"]["components"][COMPONENT]["descriptions"]
    return read_descriptions(settings["path"])


def to_do(plan: Plan, training: Training, folder: Path) -> List[str]:
    """The variants of a training without a result in the folder. Raises ValueError if one has other settings."""
    paths = {variant: folder / f"{variant}-{training.seed}.run.json" for variant in training.scored}
    done = [variant for variant in paths if paths[variant].exists()]
    for variant in done:
        (result,) = read_results([paths[variant]])
        there = (result.setup.data, result.setup.protocol, result.overrides, read_text(folder / f"{training.name}.cfg"))
        if there != (plan.setup.data, plan.protocol, plan.of(variant), training.config.to_str()):
            raise ValueError(Errors.DR708.format(path=paths[variant]))
    return [variant for variant in paths if variant not in done]


def execute(plan: Plan, training: Training, variants: Collection[str], folder: Path, use_gpu: int) -> List[RunResult]:
    """Train, or go on with a training that was cut off, and score these variants.

    The folder receives their results, the config, the output (NAME.log) and the trained pipeline (NAME/model-best).
    Raises ValueError if anything fails.
    """
    log = folder / f"{training.name}.log"
    try:
        _train(training, folder, log, use_gpu)
        return [_score(plan, training, variant, folder, use_gpu) for variant in variants]
    except Exception as err:  # whatever a pipeline raises, the other runs continue
        with log.open("a", encoding="utf8") as file:
            traceback.print_exc(file=file)
        raise ValueError(Errors.DR709.format(name=training.name, problem=err, log=log)) from err


def _train(training: Training, folder: Path, log: Path, use_gpu: int) -> None:
    # Free the memory of the pipeline scored last
    gc.collect()
    torch.cuda.empty_cache()
    config = folder / f"{training.name}.cfg"
    write_text(config, training.config.to_str())
    command = [sys.executable, "-m", "spacy", "dualre", "train", str(config), "--resume"]
    command += ["--output", str(folder / training.name), "--gpu-id", str(use_gpu)]
    # The plan includes spaCy's overrides from the environment already
    environment = {**os.environ, "TQDM_DISABLE": "1", ENV_VARS.CONFIG_OVERRIDES: ""}
    with log.open("w", encoding="utf8") as output:
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode
    if status:
        raise RuntimeError(f"exit status {status}")


def _score(plan: Plan, training: Training, variant: str, folder: Path, use_gpu: int) -> RunResult:
    model, own = folder / training.name, plan.variants[variant]
    new = plan.variants[training.variant].new_predicates
    nlp = load_pipeline(model / "model-best", own.overrides if own.trained_as else {})
    component: Any = nlp.get_pipe(COMPONENT)
    if new:
        descriptions = _descriptions(training.config)
        for label in new:
            component.add_label(label, descriptions[label])
    examples = list(rel_corpus(plan.setup.data)(nlp))
    predict_examples(nlp, examples)
    protocol = get_protocol(plan.protocol).counting({*component.labels, *predicates_of(examples)})
    counts = protocol.count_examples(examples)
    scores = protocol.scores(counts)
    result = RunResult(
        setup=plan.setup,
        variant=variant,
        seed=training.seed,
        note=own.note,
        reference=plan.reference,
        overrides=plan.of(variant),
        new_predicates=new,
        scores={name: scores[name] for name in ("p", "r", "f", "macro_f")},
        seconds=Checkpoint.read(model / CHECKPOINT).evaluations[-1]["seconds"],
        device=device_name(torch.device("cuda", use_gpu) if use_gpu >= 0 else torch.device("cpu")),
        commit=commit(),
        versions=package_versions(),
        labels=list(protocol.labels),
        documents=dict(zip(document_ids(example.reference for example in examples), counts.tolist())),
    )
    write_text(folder / f"{variant}-{training.seed}.run.json", result.model_dump_json() + "\n")
    return result
