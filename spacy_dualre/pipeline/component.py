"""The trainable component `dual_encoder_rel`."""

import warnings
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
    cast,
)

import numpy
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from ..annotations.mentions import get_mentions, gold_relations
from ..annotations.relations import set_rels
from ..candidates.policy import CandidatePolicy, given_type_pairs
from ..errors import DAMAGED, Errors, Warnings
from ..instances.descriptions import (
    ANY_TYPES,
    complete_descriptions,
    is_possible,
    parse_descriptions,
    plain_template,
)
from ..instances.maker import InstanceMaker
from ..models.dual_encoder import texts_as_read
from ..models.stages import stage
from ..training.batcher import chosen
from ..training.loss import joint_loss
from ..training.targets import Targets, labels_of_corpora, training_targets
from ..types import (
    NEGATIVE,
    Candidate,
    DescriptionTexts,
    Instance,
    Query,
    Relation,
    RelScores,
    Shortened,
    TypePairs,
)
from .checks import as_cascade, check_settings
from .decode import decode, log_odds
from .diagnosis import Diagnosis, diagnose, logger


class Scored(NamedTuple):
    """P consecutive candidates of a Doc with instances, scores and log odds (P, L), in numpy arrays."""

    doc: Doc
    candidates: List[Candidate]
    instances: List[Instance]
    scores: RelScores
    odds: numpy.ndarray


def join(parts: Iterable[Scored]) -> Tuple[List[Candidate], numpy.ndarray]:
    """The candidates of a Doc's parts and their log odds."""
    scored = [(part.candidates, part.odds) for part in parts]
    return [one for candidates, _ in scored for one in candidates], numpy.concatenate([odds for _, odds in scored])


class DualEncoderRel(TrainablePipe):
    """Reads the entities of a Doc and writes relations to ``Doc._.rels``.

    Args:
        vocab: The shared vocabulary.
        model: Such as ``spacy-dualre.DualEncoder.v1``.
        name: The component's name in the pipeline.
        candidates: The policy that decides which pairs of mentions to ask for, such as
            ``spacy-dualre.entity_pairs.v1``.
        scorer: Called by ``nlp.evaluate``; ``spacy-dualre.rel_scorer.v1`` by default.
        spans_key: Read the mentions from ``doc.spans[spans_key]`` or, in a Doc without such a group, from ``doc.ents``.
            None always reads ``doc.ents``.
        alpha: Weight of the classifier's loss, 0 to 1; the contrastive loss has the rest.
        prediction: The head that decides: "similarity" (the paper), "classifier" or "joint" (both, weighed by alpha).
        threshold: The least probability of a predicate against the negative one, 0 to 1; 0.5 is the arg max.
        symmetric: Predicates without direction. Both directions are trained and scored, one relation comes out.
        max_candidates_per_batch: Candidates of a training batch that go through the model at once. Bounds memory,
            changes no result.
        negatives_per_positive: In training, keep this many negative candidates for each positive one of a batch; None
            keeps all.
        sampled_predicates: In training, compare a candidate with its gold predicates, the negative one and this many
            others, drawn by the classifier's probabilities; None compares with all.
        predicates_per_corpus: Do not ask a document that names its corpus (``user_data["corpus"]``, as converted ones
            do) about predicates that only other corpora have in the training data. So one pipeline learns from corpora
            with different predicates. Documents without a corpus are asked about all.
        multi_label: Find every predicate that reaches the threshold instead of the best one only.
        context: Size in words of the window around a candidate's sentence; 0 for the sentence alone.
        description_mode: How a candidate is described: "adapted" (the paper), "static" or "label", see `MODES`.
        cascade: In prediction, read no description if the classifier gives the negative predicate at least the
            probability "negative", else only those of its "predicates" likeliest others and the negative one.
            `spacy dualre tune` finds values that cost next to nothing. None reads all.

    Raises:
        ValueError: A setting is out of range.
    """

    NIL = NEGATIVE

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Query, RelScores],
        name: str = "dual_encoder_rel",
        *,
        candidates: CandidatePolicy,
        scorer: Optional[Callable] = None,
        spans_key: Optional[str] = None,
        alpha: float = 0.5,
        prediction: str = "similarity",
        threshold: float = 0.5,
        symmetric: Iterable[str] = (),
        max_candidates_per_batch: int = 64,
        negatives_per_positive: Optional[float] = None,
        sampled_predicates: Optional[int] = None,
        predicates_per_corpus: bool = False,
        multi_label: bool = False,
        context: int = 0,
        description_mode: str = "adapted",
        cascade: Optional[Dict[str, float]] = None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.candidates = candidates
        self.scorer = scorer
        self.spans_key = spans_key
        self.alpha = alpha
        self.prediction = prediction
        self.threshold = threshold
        self.symmetric: Set[str] = set(symmetric)
        self.max_candidates_per_batch = max_candidates_per_batch
        self.negatives_per_positive = negatives_per_positive
        self.sampled_predicates = sampled_predicates
        self.predicates_per_corpus = predicates_per_corpus
        self.multi_label = multi_label
        self.context = context
        self.description_mode = description_mode
        self.cascade = as_cascade(cascade)
        check_settings(dict(vars(self)))
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
            get_examples: Gives the training examples.
            nlp: Not used.
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
        gold = [rel for example in examples for rel in gold_relations(example)]
        self._set_descriptions(labels, descriptions, {rel.predicate for rel in gold})
        pairs = given_type_pairs(self.candidates.type_pairs, gold, self.symmetric)
        self.cfg["type_pairs"] = sorted(pairs) if pairs is not None else None
        self.cfg["of_corpus"] = labels_of_corpora(examples)
        self._check_symmetric()
        report = diagnose(examples, self.candidates, self.spans_key, self.type_pairs, self.undirected, self.is_possible)
        self._report(report)
        if self.spans_key is not None and not any(self.spans_key in example.predicted.spans for example in examples):
            self._warn(Warnings.DW170, key=self.spans_key)
        types = sorted(report.types) or sorted({type for pair in pairs or () for type in pair})
        if not types:
            raise ValueError(Errors.DR170.format(source=self.mentions_from))
        self.model.attrs["entity_types"] = types
        self.model.set_dim("nO", len(self.label_data), force=True)
        self.model.initialize()

    def add_label(self, label: str, description: Optional[Any] = None) -> int:
        """Add a predicate. After initialisation it is scored, untrained, from its description by similarity alone.

        Args:
            label: The predicate.
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
            self._store_descriptions({label: description})
        if self.is_initialized and self.candidates.type_pairs == "learn" and self.cfg["type_pairs"] is not None:
            described = {tuple(pair.split("|")) for pair in parse_descriptions(self.label_data)[label]} - {(ANY_TYPES,)}
            self.cfg["type_pairs"] = sorted({*map(tuple, self.cfg["type_pairs"]), *described})
        return int(is_new)

    def _set_descriptions(
        self, labels: Optional[Sequence[str]], given: Optional[DescriptionTexts], in_gold: Set[str]
    ) -> None:
        completed = complete_descriptions(labels, {**self.label_data, **(given or {})}, in_gold)
        if not set(completed.texts) - {self.NIL}:
            raise ValueError(Errors.DR168.format(name=self.name))
        if completed.undescribed:
            self._warn(Warnings.DW161, labels=", ".join(map(repr, completed.undescribed)))
        if completed.unused and in_gold:
            self._warn(Warnings.DW162, labels=", ".join(map(repr, completed.unused)))
        self.cfg["descriptions"] = {}
        self._store_descriptions(completed.texts)

    def _store_descriptions(self, texts: DescriptionTexts) -> None:
        parsed = parse_descriptions(texts)
        if self.NIL in parsed and ANY_TYPES not in parsed[self.NIL]:
            raise ValueError(Errors.DR166.format(label=self.NIL))
        self.cfg["descriptions"] = {**self.cfg["descriptions"], **texts}

    def _check_symmetric(self) -> None:
        for label in sorted(self.symmetric - set(self.labels)):
            raise ValueError(Errors.DR162.format(label=label, labels=", ".join(self.labels)))

    def _report(self, report: Diagnosis) -> None:
        logger.info("'%s': %s", self.name, report)
        if report.documents and not report.mentions:
            self._warn(Warnings.DW167, source=self.mentions_from, n=report.documents)
        if report.documents and not report.relations:
            self._warn(Warnings.DW168, n=report.documents)
        if report.uncovered:
            n = sum(report.uncovered.values())
            if n == report.relations:
                raise ValueError(Errors.DR169.format(n=n, reasons=report.reasons, source=self.mentions_from))
            self._warn(Warnings.DW163, n=n, total=report.relations, reasons=report.reasons)

    # From Docs to scores: candidates, instances, model

    def get_candidates(self, doc: Doc) -> Iterator[Candidate]:
        """Yield the candidates of a Doc. Mentions of types without a marker are left out, which is said once."""
        mentions = get_mentions(doc, self.spans_key)
        for type in sorted({mention.label_ for mention in mentions if not self._has_marker(mention)}):
            self._warn_once(type, Warnings.DW165, types=repr(type))
        mentions = [mention for mention in mentions if self._has_marker(mention)]
        if len(mentions) > 1 and not doc.has_annotation("SENT_START"):
            self._warn_once("sentences", Warnings.DW160, doc=f"a document of {len(doc)} tokens")
        yield from chosen(doc, self.candidates(doc, mentions, self.type_pairs))

    def why_not(self, subject: Span, object: Span) -> Optional[str]:
        """Say in words why two mentions of a Doc are not a candidate; None if they may be one."""
        for mention in (subject, object):
            if not self._has_marker(mention):
                return f"type {mention.label_} not seen in training"
        return self.candidates.why_not(subject, object, self.type_pairs)

    def is_possible(self, label: str, subject: Span, object: Span) -> bool:
        """Whether a predicate has a description for the types of two mentions."""
        parsed = parse_descriptions({label: self.label_data[label]})
        return is_possible(parsed, label, subject, object, self.candidates.directed)

    def stream(self, docs: Iterable[Doc], *, read_all: bool = False, at_least: int = 512) -> Iterator[Scored]:
        """Score the candidates of Docs.

        Args:
            docs: With mentions.
            read_all: Do without the cascade.
            at_least: Candidates that go through the model together, whatever their Docs, unless
                max_candidates_per_batch is more. The default fills the encoder's batches evenly.

        Yields:
            The candidates Doc by Doc, those of a Doc with many of them in several parts. A Doc without candidates does
            not occur.

        Raises:
            ValueError: The component is not initialised.
        """
        candidates = (candidate for doc in docs for candidate in self.get_candidates(doc))
        cascade = None if read_all else self.cascade
        for chunk, instances in self._slices(candidates, max(self.max_candidates_per_batch, at_least)):
            scores = self.model.predict(Query(instances, self.prediction != "classifier", cascade))
            self._say_shortened(scores.shortened)
            with stage("decode"):
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
        )

    def texts_as_read(self, instances: Sequence[Instance]) -> List[str]:
        """The text of each instance as the encoder reads it: cut to its length, with markers and special pieces."""
        return texts_as_read(self.model, list(instances))

    def _has_marker(self, mention: Span) -> bool:
        known = self.model.attrs["entity_types"]
        return not known or mention.label_ in known

    def _slices(self, candidates: Iterable[Candidate], size: int) -> Iterator[Tuple[List[Candidate], List[Instance]]]:
        """Slices of `size` candidates with their instances."""
        if not self.is_initialized:
            raise ValueError(Errors.DR101.format(name=self.name))
        make_instances = self.instance_maker()
        stream = iter(candidates)
        while True:
            with stage("candidates"):
                chunk = list(islice(stream, size))
            if not chunk:
                return
            with stage("instances"):
                instances = make_instances(chunk)
            yield chunk, instances

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> List[List[Relation]]:
        """Find the relations of each Doc, without writing them."""
        docs = list(docs)
        self._check_symmetric()
        # Once each: a batch may hold the same Doc twice
        distinct = {id(doc): doc for doc in docs}
        found: Dict[int, List[Relation]] = {}
        for doc, parts in groupby(self.stream(distinct.values()), key=lambda scored: scored.doc):
            candidates, odds = join(parts)
            with stage("decode"):
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
        """Score with the component's scorer, which gets the symmetric predicates, the pairs and the span group."""
        own = {"symmetric": self.undirected, "pairs": self.candidates.pairs, "spans_key": self.spans_key}
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
        ``max_candidates_per_batch`` saves as much memory and keeps the mean of the batch.

        Args:
            examples: The batch.
            drop: Not used: dropout is a setting of the model.
            sgd: Change the weights with this optimizer; None only collects gradients.
            losses: Gets the loss under the component's name; returned.

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
            loss, d_scores = joint_loss(scores, self.model.ops.asarray2f(cast(Any, gold)), self.alpha, len(candidates))
            backprop(d_scores)  # type: ignore[arg-type]
            done += len(chunk)
            losses[self.name] += loss
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def training_targets(self, examples: Iterable[Example]) -> Targets:
        """The candidates of a batch with their gold predicates, see `training_targets`."""
        return training_targets(
            examples,
            self.get_candidates,
            self.candidates.pairs,
            self.undirected,
            list(self.label_data),
            self.negatives_per_positive,
        )

    # Serialisation: what TrainablePipe does, with errors that say what is wrong

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        """Load from the result of `to_bytes`. Raises ValueError if it is damaged."""
        with self._loading("bytes", exclude):
            super().from_bytes(bytes_data, exclude=exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        """Load from the folder that `to_disk` wrote. Raises ValueError if a file is missing or damaged."""
        with self._loading(path, exclude):
            super().from_disk(path, exclude=exclude)
        return self

    @contextmanager
    def _loading(self, source: Union[str, Path], exclude: Iterable[str]) -> Iterator[None]:
        given = self.model.attrs["network"]
        try:
            # thinc refuses to load a dimension that differs from the present one
            if "model" not in exclude:
                self.model.set_dim("nO", cast(int, None), force=True)
            yield
            self._check_loaded(exclude)
        except DAMAGED as err:
            raise ValueError(Errors.DR171.format(name=self.name, path=source, problem=repr(err))) from err
        stored = self.model.attrs["network"]
        other = [f"{key} = {stored[key]!r}" for key in stored if given.get(key) != stored[key]]
        if other:
            self._warn(Warnings.DW169, source=source, settings=", ".join(other))

    def _check_loaded(self, exclude: Iterable[str]) -> None:
        parse_descriptions(self.label_data)
        # Labels without a network are what add_label leaves before initialisation
        if not {"cfg", "model"} & set(exclude) and self.model.has_dim("nO") is True and not self.labels:
            raise ValueError(Errors.DR173)

    # Messages

    def _warn(self, message: str, **values: Any) -> None:
        warnings.warn(message.format(name=self.name, **values), stacklevel=3)

    def _warn_once(self, key: str, message: str, **values: Any) -> None:
        if key not in self._said:
            self._said.add(key)
            self._warn(message, **values)

    def _say_shortened(self, shortened: Shortened) -> None:
        if shortened.words:
            percent = 100 * shortened.words / shortened.total
            counts = {"n": shortened.words, "percent": percent, **shortened._asdict()}
            self._warn_once("shortened", Warnings.DW166, **counts)
