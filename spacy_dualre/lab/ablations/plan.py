"""What is compared: a plan of variants, checked before anything is trained."""

import json
import re
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, List, Literal, Mapping, NamedTuple, Optional, Tuple

import spacy
from pydantic import BaseModel, ConfigDict, Field
from spacy.schemas import ConfigSchemaInit, ConfigSchemaTraining
from spacy.util import load_config, load_model_from_config, registry

from ...errors import Errors
from ...formats.files import parse_json, read_text
from ...records.record import Place
from ...scoring.protocols import get_protocol
from ...training.reader import rel_corpus
from .clock import CALLBACK

#: What the plan sets itself, and no overrides may.
_SET = ("paths.train", "paths.dev", "training.seed", "training.before_update")
COMPONENT = "dual_encoder_rel"
#: What leaves predicates out of a training.
WITHOUT = (
    "corpora.train.without",
    "corpora.dev.without",
    f"initialize.components.{COMPONENT}.descriptions.without",
)
#: Settings of the component that training alone asks for.
_OF_TRAINING = ("max_candidates_per_batch", "negatives_per_positive", "sampled_predicates")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

Overrides = Dict[str, Any]


class Variant(BaseModel):
    """overrides: what differs from the plan's settings. note: what that means, for the table. trained_as: a variant
    whose trained pipelines are read with these overrides, which are settings of prediction then; None: it is trained.
    new_predicates: it is trained without the documents that have one of these and without their descriptions, by which
    they are added to the trained pipeline.
    """

    model_config = ConfigDict(extra="forbid")

    overrides: Overrides = {}
    note: str = ""
    trained_as: Optional[str] = None
    new_predicates: List[str] = []


class Plan(BaseModel):
    """Which variants of a config are trained and how they are compared. In config and overrides, "{corpus}" stands for
    the name of the corpus' folder.

    config: the training config that all variants start from. corpus: a folder with train.spacy and dev.spacy (and
    test.spacy). protocol: how relations are counted. split: what the results are about; "dev" also chooses the best
    checkpoint in both cases. overrides: settings that all variants have, by dotted keys of the config. seeds: one
    training each. reference: the variant that the others are compared with.
    """

    model_config = ConfigDict(extra="forbid")

    config: str
    corpus: str
    protocol: str
    split: Literal["dev", "test"] = "dev"
    overrides: Overrides = {}
    seeds: List[int] = Field(min_length=1)
    reference: str
    variants: Dict[str, Variant]

    @property
    def corpus_name(self) -> str:
        return Path(self.corpus).name

    @property
    def config_path(self) -> str:
        return self._filled_in(self.config)

    @property
    def common(self) -> Overrides:
        """The settings of all variants, without the seed."""
        return {"paths.train": self.data("train"), "paths.dev": self.data("dev"), **self._filled_in(self.overrides)}

    def data(self, split: str) -> str:
        """Where the documents of a split are."""
        return str(Path(self.corpus) / f"{split}.spacy")

    def of(self, variant: str) -> Overrides:
        """What differs in a variant, in training or in prediction."""
        own = self.variants[variant]
        inherited = self.of(own.trained_as) if own.trained_as else {}
        unknown = {key: own.new_predicates for key in WITHOUT if own.new_predicates}
        return {**inherited, **unknown, **self._filled_in(own.overrides)}

    def new_predicates(self, variant: str) -> List[str]:
        """The predicates that a variant's training does not know."""
        own = self.variants[variant]
        return self.new_predicates(own.trained_as) if own.trained_as else own.new_predicates

    def _filled_in(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled_in(item) for key, item in value.items()}
        return value.replace("{corpus}", self.corpus_name) if isinstance(value, str) else value


class Run(NamedTuple):
    """A variant with a seed. overrides: all that it is given. settings: the whole config that comes of them, defaults
    too. source: the run whose trained pipeline it reads; None: it is trained itself.
    """

    variant: str
    seed: int
    overrides: Overrides
    settings: Dict[str, Any]
    source: Optional["Run"]

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.seed}"

    @property
    def training(self) -> "Run":
        """The run whose training this is."""
        return self.source or self


def read_plan(path: Path, overrides: Mapping[str, Any] = {}, **changes: Any) -> Plan:
    """A plan from a JSON file. overrides are added to its own, changes replace what it says; None changes nothing.

    Raises ValueError naming the first thing that is wrong with it, see `check_plan` too.
    """
    plan = parse_json(read_text(path), Plan, Place(path))
    given = {name: value for name, value in changes.items() if value is not None}
    plan = plan.model_copy(update={**given, "overrides": {**plan.overrides, **overrides}})
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """Raises ValueError for an unknown protocol or reference, an unusable name, seeds that are negative or occur twice,
    a setting that the plan sets itself, a variant that is trained as none that is trained or differs from it in more
    than the pipeline, and for documents that are missing or that the protocol cannot count.
    """
    protocol = get_protocol(plan.protocol)
    if plan.reference not in plan.variants:
        raise ValueError(Errors.DR702.format(reference=plan.reference, variants=", ".join(plan.variants)))
    for name in plan.variants:
        if not _NAME.fullmatch(name):
            raise ValueError(Errors.DR703.format(name=name))
    if len(set(plan.seeds)) < len(plan.seeds) or min(plan.seeds) < 0:
        raise ValueError(Errors.DR704.format(seeds=plan.seeds))
    for overrides in (plan.overrides, *(variant.overrides for variant in plan.variants.values())):
        for key in _SET:
            if key in overrides:
                raise ValueError(Errors.DR705.format(key=key, where="the plan's overrides"))
    for name, variant in plan.variants.items():
        source = plan.variants.get(variant.trained_as) if variant.trained_as else None
        foreign = [key for key in variant.overrides if not _is_of_reading(key)]
        if variant.trained_as and (source is None or source.trained_as or foreign or variant.new_predicates):
            raise ValueError(Errors.DR715.format(name=name, source=variant.trained_as))
    for name, variant in plan.variants.items():
        unknown = set(variant.new_predicates) - set(protocol.labels)
        if unknown:
            labels = ", ".join(protocol.labels)
            raise ValueError(Errors.DR716.format(name=name, unknown=", ".join(sorted(unknown)), labels=labels))
    data = Path(plan.data(plan.split))
    if not protocol.from_docs(example.reference for example in rel_corpus(data)(spacy.blank("en"))):
        raise ValueError(Errors.DR714.format(path=data))


def _is_of_reading(key: str) -> bool:
    """Whether a trained pipeline can be read with another value: neither what its network is, nor of training alone."""
    section, component, setting, *rest = [*key.split("."), "", "", ""]
    if section != "components" or not setting:
        return False
    if component != COMPONENT:
        return True
    return rest[0] == "run" if setting == "model" else setting not in _OF_TRAINING


def plan_runs(plan: Plan, variants: Optional[Collection[str]] = None) -> Tuple[List[Run], List[str]]:
    """All runs, seed by seed, and the variants left out since they are the same as the reference in this config.

    variants: those of which runs are wanted; None: of all. Raises ValueError for one that the plan does not have, for
    settings that the config does not have or that cannot be, and for those that name a variant's new predicates.
    """
    wanted = plan.variants if variants is None else variants
    for name in wanted:
        if name not in plan.variants:
            raise ValueError(Errors.DR717.format(name=name, variants=", ".join(plan.variants)))
    base = _fill(plan, "its own settings", {}, resolve=False)
    if base["training"]["before_update"] is not None:
        raise ValueError(Errors.DR705.format(key="training.before_update", where=plan.config_path))
    settings = {}
    for name in plan.variants:
        overrides = {**plan.common, **plan.of(name)}
        _check_keys(plan, name, overrides, base)
        settings[name] = _fill(plan, f"variant {name!r}", overrides)
        _check_new(name, plan.variants[name].new_predicates, settings[name]["components"].get(COMPONENT, {}))
    same = [name for name in plan.variants if name != plan.reference and settings[name] == settings[plan.reference]]
    trained_as = {name: plan.variants[name].trained_as or name for name in plan.variants if name not in same}
    trained_as = {name: plan.reference if source in same else source for name, source in trained_as.items()}
    # A variant that is not trained comes behind the one that is
    order = list(plan.variants)
    names = sorted(trained_as, key=lambda name: (order.index(trained_as[name]), trained_as[name] != name))
    names = [name for name in names if name in wanted]

    def run(name: str, seed: int) -> Run:
        overrides = {**plan.common, **plan.of(name), "training.seed": seed}
        own = {**settings[name], "training": {**settings[name]["training"], "seed": seed}}
        return Run(name, seed, overrides, own, run(trained_as[name], seed) if trained_as[name] != name else None)

    return [run(name, seed) for seed in plan.seeds for name in names], same


def _fill(plan: Plan, whose: str, overrides: Overrides, resolve: bool = True) -> Dict[str, Any]:
    """The whole config, as training would fill it. resolve: also make what it names, all but the encoder.

    Raises ValueError naming whose settings are wrong.
    """
    path = Path(plan.config_path)
    if not path.is_file():
        raise ValueError(Errors.DR005.format(path=path, hint="Expected a training config."))
    try:
        config = load_config(path, overrides=overrides, interpolate=False)
        filled = load_model_from_config(config, auto_fill=True).config.interpolate()
        if resolve:
            registry.resolve({"corpora": filled["corpora"]})
            registry.resolve(filled["training"], schema=ConfigSchemaTraining)
            registry.resolve(filled["initialize"], schema=ConfigSchemaInit)
    except ValueError as err:
        raise ValueError(Errors.DR707.format(whose=whose, config=path, problem=str(err).strip())) from err
    # As it will be read from a result
    return json.loads(json.dumps(filled))


def _check_keys(plan: Plan, name: str, keys: Iterable[str], config: Dict[str, Any]) -> None:
    for key in keys:
        section, known = config, list(config)
        for part in key.split("."):
            if not isinstance(section, dict) or part not in section:
                values = {"key": key, "name": name, "config": plan.config_path, "known": ", ".join(known)}
                raise ValueError(Errors.DR706.format(**values))
            section = section[part]
            known = list(section) if isinstance(section, dict) else []


def _check_new(name: str, new: Collection[str], component: Mapping[str, Any]) -> None:
    unknown = sorted({*new} & {*component.get("symmetric", ())})
    if unknown:
        raise ValueError(Errors.DR719.format(name=name, unknown=", ".join(unknown), setting="symmetric"))


def train_options(run: Run, clock: Path) -> List[str]:
    """The run's settings as options of `spacy train`."""
    overrides = {**run.overrides, "training.before_update": {"@callbacks": CALLBACK, "path": str(clock)}}
    return [word for key, value in overrides.items() for word in (f"--{key}", _as_option(value))]


def _as_option(value: Any) -> str:
    """spaCy reads what is JSON as JSON, all else as a string."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value)
