"""Plans: the variants to compare, checked before anything is trained."""

import json
from pathlib import Path
from typing import Annotated, Any, Collection, Dict, List, Literal, Mapping, NamedTuple, Optional, Tuple

import spacy
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator
from spacy.schemas import ConfigSchemaInit, ConfigSchemaTraining
from spacy.util import load_config, load_model_from_config, registry

from ...errors import Errors
from ...formats.files import parse_json, read_text
from ...models.settings import NETWORK, RUN
from ...records.record import Place
from ...scoring.protocols import get_protocol
from ...training.reader import rel_corpus

COMPONENT = "dual_encoder_rel"
#: Settings that the plan derives from its corpus and seeds, or needs for the clock.
_RESERVED = ("paths.train", "paths.dev", "training.seed", "training.before_update")
#: Settings that leave predicates out of a training.
WITHOUT = (
    "corpora.train.without",
    "corpora.dev.without",
    f"initialize.components.{COMPONENT}.descriptions.without",
)
#: Settings of the component that only its training uses.
_TRAINING_ONLY = ("max_candidates_per_batch", "negatives_per_positive", "sampled_predicates")

Overrides = Dict[str, Any]
#: Names of variants become parts of file names.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Variant(BaseModel):
    """A variant to compare.

    Attributes:
        overrides: Settings that differ from the plan's, by dotted key.
        note: What the difference means, for the table.
        trained_as: Load this variant's trained pipelines with the overrides instead of training.
        new_predicates: Predicates to leave out of training, documents and descriptions alike, and to add to the
            trained pipeline by their descriptions.
    """

    model_config = ConfigDict(extra="forbid")

    overrides: Overrides = {}
    note: str = ""
    trained_as: Optional[str] = None
    new_predicates: List[str] = []


class Plan(BaseModel):
    """The variants of a config to train and compare.

    Attributes:
        corpus: A folder with train.spacy and dev.spacy (and test.spacy).
        split: The documents to score. The best checkpoint is chosen on dev in any case.
        overrides: Settings shared by all variants, by dotted key.
        reference: The variant that the others are compared with.
    """

    model_config = ConfigDict(extra="forbid")

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
        labels = get_protocol(self.protocol).labels
        if self.reference not in self.variants:
            raise ValueError(Errors.DR702.format(reference=self.reference, variants=", ".join(self.variants)))
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(Errors.DR704.format(seeds=self.seeds))
        given = {*self.overrides, *(key for variant in self.variants.values() for key in variant.overrides)}
        for key in sorted(given & {*_RESERVED}):
            raise ValueError(Errors.DR705.format(key=key, where="the plan's overrides"))
        for name, variant in self.variants.items():
            unknown = sorted({*variant.new_predicates} - {*labels})
            if unknown:
                known = ", ".join(labels)
                raise ValueError(Errors.DR716.format(name=name, unknown=", ".join(unknown), labels=known))
            if variant.trained_as and not self._can_be_loaded_as(variant):
                raise ValueError(Errors.DR715.format(name=name, source=variant.trained_as))
        return self

    def _can_be_loaded_as(self, variant: Variant) -> bool:
        source = self.variants.get(variant.trained_as or "")
        is_trained = source is not None and not source.trained_as
        return is_trained and not variant.new_predicates and all(map(_is_set_at_loading, variant.overrides))

    @property
    def common(self) -> Overrides:
        """Settings shared by all variants, without the seed."""
        return {"paths.train": self.data("train"), "paths.dev": self.data("dev"), **self.overrides}

    def data(self, split: str) -> str:
        return str(Path(self.corpus) / f"{split}.spacy")

    def of(self, variant: str) -> Overrides:
        """Settings in which a variant differs from the common ones, in training or at loading."""
        own = self.variants[variant]
        inherited = self.of(own.trained_as) if own.trained_as else {}
        left_out = {key: own.new_predicates for key in WITHOUT if own.new_predicates}
        return {**inherited, **left_out, **own.overrides}

    def new_predicates(self, variant: str) -> List[str]:
        """Predicates that a variant is not trained on."""
        own = self.variants[variant]
        return self.new_predicates(own.trained_as) if own.trained_as else own.new_predicates


class Run(NamedTuple):
    """A variant with a seed.

    Attributes:
        settings: The whole resulting config, defaults included.
        source: The run whose trained pipeline it loads. None: it is trained itself.
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
        """The run that trains the pipeline."""
        return self.source or self


def read_plan(path: Path, overrides: Mapping[str, Any] = {}, **changes: Any) -> Plan:
    """Read a plan from a JSON file, with more overrides and changed fields, and check it.

    "{corpus}" anywhere in the plan becomes the name of the corpus folder.

    Raises:
        ValueError: Names the first problem in the plan or its documents.
    """
    plan = parse_json(read_text(path), Plan, Place(path))
    given = {name: value for name, value in changes.items() if value is not None}
    values = {**plan.model_dump(), **given, "overrides": {**plan.overrides, **overrides}}
    text = json.dumps(values).replace("{corpus}", json.dumps(Path(values["corpus"]).name)[1:-1])
    plan = parse_json(text, Plan, Place(path))
    data = Path(plan.data(plan.split))
    if not get_protocol(plan.protocol).from_docs(example.reference for example in rel_corpus(data)(spacy.blank("en"))):
        raise ValueError(Errors.DR714.format(path=data))
    return plan


def _is_set_at_loading(key: str) -> bool:
    """Whether a trained pipeline can be loaded with another value of this setting."""
    section, component, setting, *rest = [*key.split("."), "", "", ""]
    if section != "components" or not setting:
        return False
    if component != COMPONENT:
        return True
    return rest[0] == "run" if setting == "model" else setting not in _TRAINING_ONLY


def plan_runs(plan: Plan, variants: Optional[Collection[str]] = None) -> Tuple[List[Run], List[str]]:
    """List the runs of some variants (None: all), seed by seed.

    Returns:
        The runs, and the variants left out because they equal the reference under this config.

    Raises:
        ValueError: A variant or setting is unknown, or a value is invalid.
    """
    wanted = plan.variants if variants is None else variants
    for name in wanted:
        if name not in plan.variants:
            raise ValueError(Errors.DR717.format(name=name, variants=", ".join(plan.variants)))
    base = _fill(plan, "its own settings", {})
    if base["training"]["before_update"] is not None:
        raise ValueError(Errors.DR705.format(key="training.before_update", where=plan.config))
    settings = {name: _settings(plan, name, base) for name in plan.variants}
    same = [name for name in plan.variants if name != plan.reference and settings[name] == settings[plan.reference]]
    trained_as = {name: variant.trained_as or name for name, variant in plan.variants.items() if name not in same}
    trained_as = {name: plan.reference if source in same else source for name, source in trained_as.items()}
    # A variant that loads another's pipeline comes right after it
    order = list(plan.variants)
    names = sorted(trained_as, key=lambda name: (order.index(trained_as[name]), trained_as[name] != name))

    def run(name: str, seed: int) -> Run:
        overrides = {**plan.common, **plan.of(name), "training.seed": seed}
        own = {**settings[name], "training": {**settings[name]["training"], "seed": seed}}
        return Run(name, seed, overrides, own, run(trained_as[name], seed) if trained_as[name] != name else None)

    return [run(name, seed) for seed in plan.seeds for name in names if name in wanted], same


def _settings(plan: Plan, variant: str, base: Dict[str, Any]) -> Dict[str, Any]:
    overrides = {**plan.common, **plan.of(variant)}
    for key in overrides:
        known = _missing_at(base, key)
        if known is not None:
            text = Errors.DR706.format(key=key, name=variant, config=plan.config, known=", ".join(known))
            raise ValueError(text)
    return _fill(plan, f"variant {variant!r}", overrides)


def _missing_at(settings: Dict[str, Any], key: str) -> Optional[List[str]]:
    """None if a config has this dotted key, else the names it has at the level where the key fails."""
    section: Any = settings
    for part in key.split("."):
        if not isinstance(section, dict):
            return []
        if part not in section:
            return list(section)
        section = section[part]
    return None


def _fill(plan: Plan, whose: str, overrides: Overrides) -> Dict[str, Any]:
    """The whole config as training would fill it; with overrides also resolved, except for the encoder."""
    path = Path(plan.config)
    if not path.is_file():
        raise ValueError(Errors.DR005.format(path=path, hint="Expected a training config."))
    try:
        config = load_config(path, overrides=overrides, interpolate=False)
        filled = load_model_from_config(config, auto_fill=True).config.interpolate()
        if overrides:
            registry.resolve({"corpora": filled["corpora"]})
            registry.resolve(filled["training"], schema=ConfigSchemaTraining)
            registry.resolve(filled["initialize"], schema=ConfigSchemaInit)
    except ValueError as err:
        raise ValueError(Errors.DR707.format(whose=whose, config=path, problem=str(err).strip())) from err
    # As a result's JSON will have it
    settings = json.loads(json.dumps(filled))
    model = settings["components"].get(COMPONENT, {}).get("model", {})
    for block, defaults in (("network", NETWORK), ("run", RUN)):
        if block in model:
            model[block] = {**defaults, **model[block]}
    return settings
