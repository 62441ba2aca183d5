"""The trainable component `dual_encoder_rel`."""

import warnings
from collections import Counter
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

import numpy
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from ..annotations.mentions import get_mentions, gold_relations, mention_key, with_type
from ..annotations.relations import set_rels
from ..candidates.policy import CandidatePolicy, given_type_pairs
from ..errors import DAMAGED, Errors, Unavailable, Warnings, visible
from ..instances.descriptions import choose_templates, complete_descriptions, parse_descriptions, plain_template
from ..instances.maker import InstanceMaker
from ..training.batcher import chosen
from ..training.loss import joint_loss
from ..training.targets import Targets, labels_of_corpora, training_targets
from ..types import NEGATIVE, Candidate, DescriptionTexts, Instance, Query, Relation, RelScores, Shortened, TypePairs
from .configs import in_words
from .decode import decode, log_odds
from .diagnosis import Diagnosis, diagnose, logger
from .settings import Settings


class Scored(NamedTuple):
    """P consecutive candidates of a Doc with instances, scores and log odds (P, L), in numpy arrays."""

    doc: Doc
    candidates: List[Candidate]
    instances: List[Instance]
    scores: RelScores
    odds: numpy.ndarray


def _some(names: List[str], most: int = 20) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def join(parts: Iterable[Scored]) -> Tuple[List[Candidate], numpy.ndarray]:
    """The candidates of a Doc's parts and their log odds."""
    scored = [(part.candidates, part.odds) for part in parts]
    return [one for candidates, _ in scored for one in candidates], numpy.concatenate([odds for _, odds in scored])


class DualEncoderRel(Settings, TrainablePipe):
    """Reads the entities of a Doc and writes relations to ``Doc._.rels``.

    Args:
        model: Such as ``spacy-dualre.DualEncoder.v1``.
        candidates: Decides which pairs of mentions to ask for, such as ``spacy-dualre.entity_pairs.v1``.
        scorer: Called by ``nlp.evaluate``.
        settings: All the others of ``[components.dual_encoder_rel]``; they are attributes too.

    Raises:
        ValueError: A setting is out of range.
    """

    NIL = NEGATIVE

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Query, RelScores],
        name: str,
        *,
        candidates: CandidatePolicy,
        scorer: Optional[Callable],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.vocab = vocab
        self.model = model
        self.name = name
        self.candidates = candidates
        self.scorer = scorer
        # What training learnt. Settings stay in the config, so that a config given at loading can change them.
        self.cfg: Dict[str, Any] = {"descriptions": {}, "type_pairs": None, "of_corpus": {}}
        self._said: Set[str] = set()

    @property
    def labels(self) -> Tuple[str, ...]:
        """The predicates, without the negative one."""
        return tuple(label for label in self.cfg["descriptions"] if label != self.NIL)

    @property
    def undirected(self) -> Set[str]:
        """Predicates without direction: the symmetric ones, or all if each pair of mentions comes only once."""
        return self.symmetric if self.candidates.directed else set(self.labels)

    @property
    def label_data(self) -> DescriptionTexts:
        """The descriptions of all predicates, the negative one's included: a valid descriptions file."""
        return self.cfg["descriptions"]

    @property
    def is_initialized(self) -> bool:
        """Whether there are predicates and a network to score them."""
        return bool(self.labels) and self.model.has_dim("nO") is True

    @property
    def type_pairs(self) -> TypePairs:
        """The pairs of types that may be candidates; None allows all."""
        pairs = self.cfg["type_pairs"]
        return None if pairs is None else frozenset((subject, object) for subject, object in pairs)

    @property
    def mentions_from(self) -> str:
        """Where the mentions are read from, in words."""
        return "doc.ents" if self.spans_key is None else f"doc.spans[{self.spans_key!r}]"

    # Initialisation

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Union[List[str], DescriptionTexts]] = None,
        descriptions: Optional[DescriptionTexts] = None,
    ) -> None:
        """Find the predicates and types, load the encoder, and report what the training data holds.

        Args:
            labels: The predicates, as a list or in the form of `label_data`; None takes those of the gold relations.
            descriptions: A template for each predicate, as ``spacy-dualre.read_descriptions.v1`` reads them.

        Raises:
            ValueError: There is nothing to learn; says why.
        """
        validate_get_examples(get_examples, "DualEncoderRel.initialize")
        if isinstance(labels, dict):
            descriptions = {**labels, **(descriptions or {})}
            labels = list(labels)
        examples = list(get_examples())
        gold = [rel for example in examples for rel in gold_relations(example, self.type_map)]
        self._set_descriptions(labels, descriptions, {rel.predicate for rel in gold})
        if labels is None and not gold:
            raise ValueError(Errors.DR174.format(n=len(examples)))
        pairs = given_type_pairs(self.candidates.type_pairs, gold, self.symmetric)
        self.cfg["type_pairs"] = sorted(pairs) if pairs is not None else None
        self.cfg["of_corpus"] = labels_of_corpora(examples)
        self._check_symmetric()
        report = diagnose(
            examples, self.candidates, self.spans_key, self.type_pairs, self.undirected, self.is_possible, self.type_map
        )
        self._report(report)
        if self.spans_key is not None and not any(self.spans_key in example.predicted.spans for example in examples):
            self._warn(Warnings.DW170, key=self.spans_key)
        types = sorted(report.mentions) or sorted({type for pair in pairs or () for type in pair})
        if not types:
            raise ValueError(Errors.DR170.format(source=self.mentions_from))
        # Generic descriptions mark mentions of no type
        self.model.attrs["entity_types"] = [*types, ""] if self.description_mode == "generic" else types
        # With alpha 0 no classifier learns
        self.model.set_dim("nO", len(self.label_data) if self.alpha else 1, force=True)
        self.model.initialize()

    def add_label(self, label: str, description: Optional[Any] = None) -> int:
        """Add a predicate. After initialisation it is scored, untrained, from its description by similarity alone.

        Args:
            description: A template, several, or either per pair of types; None makes a plain template from the name,
                with a warning. Pairs of types that it names become candidates if the allowed ones were learnt.

        Returns:
            1 if the label is new, else 0; a given description then replaces the old one.

        Raises:
            ValueError: The description is not usable, or the label is the negative predicate's.
        """
        if label == self.NIL:
            raise ValueError(Errors.DR167.format(label=label))
        is_new = label not in self.label_data
        if description is None and is_new:
            self._warn(Warnings.DW161, labels=repr(label))
            description = plain_template(label)
        if description is not None:
            parse_descriptions({label: description})
            self.cfg["descriptions"] = {**self.label_data, label: description}
        if self.is_initialized and self.candidates.type_pairs == "learn" and self.cfg["type_pairs"] is not None:
            described = {tuple(pair.split("|")) for pair in parse_descriptions(self.label_data)[label] if "|" in pair}
            self.cfg["type_pairs"] = sorted({*map(tuple, self.cfg["type_pairs"]), *described})
        return int(is_new)

    def set_labels(self, descriptions: DescriptionTexts) -> None:
        """Ask about these predicates in place of the present ones, from their descriptions alone.

        Pairs of types that were learnt, with which the present ones held, no longer count: all may be candidates.

        Args:
            descriptions: A template, or several, for each predicate, as ``spacy-dualre.read_descriptions.v1`` reads
                them.

        Raises:
            ValueError: There is none, one is not usable, or the pipeline has a classifier for its predicates.
        """
        if self.is_initialized and self.model.get_dim("nO") > 1:
            raise ValueError(Errors.DR182.format(name=self.name))
        parse_descriptions(descriptions)
        if not set(descriptions) - {self.NIL}:
            raise ValueError(Errors.DR168.format(name=self.name))
        negative = self.label_data.get(self.NIL, plain_template(self.NIL, negative=True))
        self.cfg.update(descriptions={self.NIL: negative, **descriptions}, of_corpus={})
        if self.candidates.type_pairs == "learn":
            self.cfg["type_pairs"] = None

    def _set_descriptions(
        self, labels: Optional[Sequence[str]], given: Optional[DescriptionTexts], in_gold: Set[str]
    ) -> None:
        texts, undescribed, unused = complete_descriptions(labels, {**self.label_data, **(given or {})}, in_gold)
        if not set(texts) - {self.NIL}:
            raise ValueError(Errors.DR168.format(name=self.name))
        if undescribed:
            self._warn(Warnings.DW161, labels=_some(undescribed))
        if unused and in_gold:
            self._warn(Warnings.DW162, labels=_some(unused))
        parse_descriptions(texts)
        self.cfg["descriptions"] = texts

    def _check_symmetric(self) -> None:
        for label in sorted(self.symmetric - set(self.labels)):
            raise ValueError(Errors.DR162.format(label=label, labels=", ".join(self.labels)))

    def _report(self, report: Diagnosis) -> None:
        logger.info("'%s': %s", self.name, visible(report))
        n, n_uncovered = report.relations.total(), report.uncovered.total()
        if n_uncovered and n_uncovered == n:
            raise ValueError(Errors.DR169.format(n=n, reasons=report.reasons, source=self.mentions_from))
        if n_uncovered:
            self._warn(Warnings.DW163, n=n_uncovered, total=n, reasons=report.reasons)

    # From Docs to scores: candidates, instances, model

    def get_candidates(self, doc: Doc) -> Iterator[Candidate]:
        """Yield the candidates of a Doc. Mentions of unknown types are left out, which is said once."""
        mentions = []
        for mention in get_mentions(doc, self.spans_key, self.type_map):
            if self.has_marker(mention):
                mentions.append(mention)
            else:
                self._warn_once(mention.label_, Warnings.DW165, type=mention.label_)
        if len(mentions) > 1 and not doc.has_annotation("SENT_START"):
            self._warn_once("sentences", Warnings.DW160, doc=f"a document of {len(doc)} tokens")
        # The policy sees the types that the model knows, relations refer to the Doc's mentions
        own = {mention_key(with_type(one, self.type_map)): one for one in get_mentions(doc, self.spans_key)}
        for subject, object, about in chosen(doc, self.candidates(doc, mentions, self.type_pairs)):
            yield Candidate(own[mention_key(subject)], own[mention_key(object)], about)

    def has_marker(self, mention: Span) -> bool:
        """Whether the model knows the type of a mention, which `type_map` has been applied to."""
        # None are named where the model knows all
        known = self.model.attrs["entity_types"]
        return not known or mention.label_ in known

    def why_not(self, subject: Span, object: Span) -> Optional[str]:
        """Say in words why two mentions of a Doc are not a candidate; None if they may be one."""
        subject, object = with_type(subject, self.type_map), with_type(object, self.type_map)
        for mention in (subject, object):
            if not self.has_marker(mention):
                return f"type {mention.label_} not seen in training"
        return self.candidates.why_not(subject, object, self.type_pairs)

    def is_possible(self, label: str, subject: Span, object: Span) -> bool:
        """Whether a predicate has a description for the types of two mentions."""
        parsed = parse_descriptions({label: self.label_data[label]})
        (templates,) = choose_templates(parsed, [label], subject.label_, object.label_, self.candidates.directed)
        return bool(templates)

    def stream(self, docs: Iterable[Doc], *, read_all: bool = False, at_least: int = 512) -> Iterator[Scored]:
        """Score the candidates of Docs, see `score_candidates`."""
        candidates = (candidate for doc in docs for candidate in self.get_candidates(doc))
        return self.score_candidates(candidates, read_all=read_all, at_least=at_least)

    def score_candidates(
        self, candidates: Iterable[Candidate], *, read_all: bool = False, at_least: int = 512
    ) -> Iterator[Scored]:
        """Score candidates, Doc by Doc; those of a Doc with many of them come in several parts.

        Args:
            candidates: In the order of their Docs.
            read_all: Do without the cascade.
            at_least: Candidates that go through the model together, whatever their Docs, unless
                max_candidates_per_batch is more. The default fills the encoder's batches evenly.

        Raises:
            ValueError: The component is not initialised.
        """
        cascade = None if read_all else self.cascade
        for chunk, instances in self._slices(candidates, max(self.max_candidates_per_batch, at_least)):
            scores = self.model.predict(Query(instances, self.prediction != "classifier", cascade))
            self._say_shortened(scores.shortened)
            odds = log_odds(scores, self.prediction, self.alpha)
            arrays = [self.model.ops.to_numpy(array) for array in (*scores[:4], odds)]
            part = slice(0, 0)
            for doc, run in groupby(chunk, key=lambda candidate: candidate.subject.doc):
                part = slice(part.stop, part.stop + sum(1 for _ in run))
                *of_part, of_odds = (array[part] for array in arrays)
                yield Scored(doc, chunk[part], instances[part], RelScores(*of_part), of_odds)

    def instance_maker(self) -> InstanceMaker:
        """Turns candidates into what the model reads of them."""
        return InstanceMaker(
            list(self.label_data),
            parse_descriptions(self.label_data),
            self.context,
            self.description_mode,
            self.candidates.directed,
            self.cfg["of_corpus"] if self.predicates_per_corpus else {},
            self.type_map,
        )

    def _check_mentions(self, docs: Sequence[Doc]) -> None:
        """Say once if the first documents have no mention that can be used."""
        if "mentions" not in self._said and any(map(len, docs)):
            self._said.add("mentions")
            found = [mention for doc in docs for mention in get_mentions(doc, self.spans_key, self.type_map)]
            if not any(map(self.has_marker, found)):
                counts = Counter(mention.label_ for mention in found)
                self._said.update(counts)
                listed = ", ".join(f"{type} {n}" for type, n in counts.most_common())
                source = " or ".join(dict.fromkeys((self.mentions_from, "doc.ents")))
                self._warn(Warnings.DW180, n=len(docs), source=source, found=listed or "no mention")

    def _slices(self, candidates: Iterable[Candidate], size: int) -> Iterator[Tuple[List[Candidate], List[Instance]]]:
        """Slices of `size` candidates with their instances."""
        if not self.is_initialized:
            raise ValueError(Errors.DR101.format(name=self.name))
        make_instances = self.instance_maker()
        for chunk in minibatch(candidates, size):
            yield chunk, make_instances(chunk)

    # Prediction

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Process a stream in order. If a batch fails, its Docs are tried one by one.

        So the error handler (`set_error_handler`) gets only those that fail; what it does not raise is left out.
        """
        for docs in minibatch(stream, batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
            except Exception:
                docs = [doc for doc in map(self, docs) if doc is not None]
            yield from docs

    def predict(self, docs: Iterable[Doc]) -> List[List[Relation]]:
        """Find the relations of each Doc, without writing them."""
        docs = list(docs)
        self._check_symmetric()
        self._check_mentions(docs)
        # Once each: a batch may hold the same Doc twice
        distinct = {id(doc): doc for doc in docs}
        found: Dict[int, List[Relation]] = {}
        for doc, parts in groupby(self.stream(distinct.values()), key=lambda scored: scored.doc):
            candidates, odds = join(parts)
            found[id(doc)] = self.decide(candidates, odds)
        return [found.get(id(doc), []) for doc in docs]

    def decide(
        self, candidates: Sequence[Candidate], odds: numpy.ndarray, threshold: Optional[float] = None
    ) -> List[Relation]:
        """Decide on the relations of a Doc from the log odds (P, L) of all its candidates."""
        decisions, pooled = self.candidates.pool(candidates, odds)
        threshold = self.threshold if threshold is None else threshold
        return decode(decisions, pooled, list(self.label_data), threshold, self.undirected, self.multi_label)

    def set_annotations(self, docs: Iterable[Doc], scores: List[List[Relation]]) -> None:
        """Write relations to ``Doc._.rels``, replacing what was there."""
        for doc, rels in zip(docs, scores):
            set_rels(doc, rels)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score with the component's scorer, which gets what it needs of the settings."""
        own: Dict[str, Any] = {"symmetric": self.undirected, "pairs": self.candidates.pairs}
        own.update(spans_key=self.spans_key, type_map=self.type_map)
        # An evaluation without mentions says so each time
        self._said.discard("mentions")
        return super().score(examples, **{**own, **kwargs})

    # Training

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch. The loss is the mean over its candidates, however they are sliced.

        With ``accumulate_gradient`` spaCy calls this for parts of a batch, and the means of the parts add up.
        ``max_candidates_per_batch`` saves as much memory and keeps the mean of the batch. `drop` is not used: dropout
        is a setting of the model.

        Raises:
            ValueError: A gold predicate is unknown.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "DualEncoderRel.update")
        candidates, rows = self.training_targets(examples)
        if not candidates:
            self._warn_once("no candidates", Warnings.DW164)
            return losses
        done = 0
        for chunk, instances in self._slices(candidates, self.max_candidates_per_batch):
            gold = rows[done : done + len(chunk)]
            # alpha 1 trains the classifier alone, which needs no descriptions
            query = Query(instances, similarity=self.alpha < 1, sampled=self.sampled_predicates, gold=gold)
            scores, backprop = self.model.begin_update(query)
            self._say_shortened(scores.shortened)
            loss, d_scores = joint_loss(scores, self.model.ops.xp.asarray(gold), self.alpha, len(candidates))
            backprop(d_scores)  # type: ignore[arg-type]
            done += len(chunk)
            losses[self.name] += loss
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def training_targets(self, examples: Iterable[Example]) -> Targets:
        """The candidates of a batch with their gold predicates, see `training_targets`."""
        pairs, labels = self.candidates.pairs, list(self.label_data)
        return training_targets(
            examples, self.get_candidates, pairs, self.undirected, labels, self.negatives_per_positive, self.type_map
        )

    # Serialisation: what TrainablePipe does, with errors that say what is wrong

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        with self._loading("bytes", exclude):
            return super().from_bytes(bytes_data, exclude=exclude)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        with self._loading(path, exclude):
            return super().from_disk(path, exclude=exclude)

    @contextmanager
    def _loading(self, source: Union[str, Path], exclude: Iterable[str]) -> Iterator[None]:
        given = self.model.attrs["network"]
        try:
            # thinc refuses to load a dimension that differs from the present one
            if "model" not in exclude:
                self.model.set_dim("nO", None, force=True)  # type: ignore[arg-type]
            yield
            parse_descriptions(self.label_data)
            # Labels without a network are what add_label leaves before initialisation
            if not {"cfg", "model"} & set(exclude) and self.model.has_dim("nO") is True and not self.labels:
                raise ValueError(Errors.DR173)
        except Unavailable:
            raise
        except DAMAGED as err:
            raise ValueError(
                Errors.DR171.format(name=self.name, path=source, problem=in_words(err).rstrip("."))
            ) from err
        stored = self.model.attrs["network"]
        other = [f"{key} = {stored[key]!r}" for key in stored if given.get(key) != stored[key]]
        if other:
            self._warn(Warnings.DW169, source=source, settings=", ".join(other))

    # Messages

    def _warn(self, message: str, **values: Any) -> None:
        types = ", ".join(self.model.attrs["entity_types"]) or "all"
        warnings.warn(visible(message.format(**{"name": self.name, "types": types, **values})), stacklevel=3)

    def _warn_once(self, key: str, message: str, **values: Any) -> None:
        if key not in self._said:
            self._said.add(key)
            self._warn(message, **values)

    def _say_shortened(self, shortened: Shortened) -> None:
        if shortened.words:
            percent = 100 * shortened.words / shortened.total
            self._warn_once("shortened", Warnings.DW166, n=shortened.words, percent=percent, **shortened._asdict())
