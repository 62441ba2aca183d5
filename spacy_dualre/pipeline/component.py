"""The trainable component `dual_encoder_rel`."""

import warnings
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union, cast

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer

from ..annotations.mentions import get_corpus, get_mentions, gold_relations
from ..annotations.relations import set_rels
from ..candidates.policy import CANDIDATE_RANGE, CandidatePolicy, given_type_pairs
from ..errors import Errors, Warnings
from ..instances.descriptions import ANY_TYPES, complete_descriptions, has_template, parse_descriptions, plain_template
from ..instances.maker import InstanceMaker
from ..models.dual_encoder import get_engine
from ..models.stages import stage
from ..training.loss import joint_loss
from ..training.targets import gold_predicates, labels_of_corpora, sample_negatives, target_rows, training_corpora
from ..types import (
    NEGATIVE,
    Candidate,
    Cascade,
    DescriptionTexts,
    Instance,
    Query,
    Relation,
    RelScores,
    Shortened,
    TypePairs,
)
from .decode import (
    OTHER,
    Threshold,
    ThresholdSetting,
    as_threshold,
    best_of_each,
    by_doc,
    decode,
    log_odds,
    threshold_row,
)
from .diagnosis import Diagnosis, diagnose, logger
from .settings import check_settings

#: Candidates that are predicted together, at least: enough to fill the encoder's batches evenly.
_SLICE = 512


class DualEncoderRel(TrainablePipe):
    """Reads the entities of a Doc and writes relations to ``Doc._.rels``.

    candidates: the policy that says which pairs of mentions are asked for, such as ``spacy-dualre.entity_pairs.v1``.
    scorer: what ``nlp.evaluate`` calls, ``spacy-dualre.rel_scorer.v1`` by default.
    spans_key: read the mentions from ``doc.spans[spans_key]``, or from ``doc.ents`` where a Doc has no such group;
        None: from ``doc.ents``.
    alpha: weight of the classifier's loss, 0 to 1; the contrastive loss gets the rest.
    prediction: which head decides: "similarity", "classifier" or "joint" (both, weighed by alpha).
    threshold: how probable a predicate must be against the negative one, 0 to 1; 0.5 is the arg max. A dict sets it per
        predicate, "*" for all others; so does a list of [predicate, threshold] pairs, for configs, whose keys cannot
        hold a colon.
    symmetric: predicates without direction. Both directions are trained and scored, one relation comes out.
    max_candidates_per_batch: how many candidates of a training batch go through the model at once; bounds memory,
        changes no result.
    negatives_per_positive: training keeps this many negative candidates for each positive of a batch (at least one);
        None: all.
    sampled_predicates: training compares a candidate with its gold predicates, the negative one and this many others,
        drawn by the classifier's probabilities; None: with all.
    predicates_per_corpus: a document that says its corpus (``user_data["corpus"]``, as converted ones do) is not asked
        about predicates that in the training data only other corpora have, in training and in prediction; one that does
        not say so is asked about all, in training unless its reference says it. So one pipeline learns from corpora
        with different predicates.
    multi_label: every predicate that reaches its threshold, in place of the best one only.
    context: words of the window around the sentence of a candidate.
    description_mode: how the mentions get into the templates: "adapted" (the method), "static" or "label" (ablations).
    cascade: in prediction, read no description where the classifier gives the negative predicate at least the
        probability "negative", and elsewhere only those of its "predicates" likeliest others and the negative one;
        `spacy dualre tune` finds values that cost next to nothing. None: read all.
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
        threshold: ThresholdSetting = 0.5,
        symmetric: Iterable[str] = (),
        max_candidates_per_batch: int = 64,
        negatives_per_positive: Optional[float] = None,
        sampled_predicates: Optional[int] = None,
        predicates_per_corpus: bool = False,
        multi_label: bool = False,
        context: int = 100,
        description_mode: str = "adapted",
        cascade: Optional[Dict[str, float]] = None,
    ) -> None:
        """Raises ValueError for a setting out of range."""
        threshold = as_threshold(threshold)
        check_settings(
            alpha=alpha,
            prediction=prediction,
            threshold=threshold,
            max_candidates_per_batch=max_candidates_per_batch,
            negatives_per_positive=negatives_per_positive,
            sampled_predicates=sampled_predicates,
            context=context,
            description_mode=description_mode,
            cascade=cascade,
        )
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
        self.cascade = Cascade(int(cascade["predicates"]), cascade["negative"]) if cascade is not None else None
        # What training learnt. Settings stay in the config, so that a config given at loading time can change them.
        self.cfg: Dict[str, Any] = {"descriptions": {}, "type_pairs": None, "of_corpus": {}}
        self._said: Set[str] = set()

    @property
    def labels(self) -> Tuple[str, ...]:
        """The predicates, without the negative one."""
        return tuple(label for label in self.cfg["descriptions"] if label != self.NIL)

    @property
    def undirected(self) -> Set[str]:
        """The predicates without direction: the symmetric ones, or all where each pair of mentions is a candidate only
        once.
        """
        return self.symmetric if self.candidates.directed else set(self.labels)

    @property
    def label_data(self) -> DescriptionTexts:
        """The predicates' descriptions, the negative one's included: a valid descriptions file."""
        return self.cfg["descriptions"]

    @property
    def is_initialized(self) -> bool:
        """Whether there are predicates and a network to score them."""
        return bool(self.labels) and self.model.has_dim("nO") is True

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

        labels: the predicates, as a list or as `label_data` gives them; None: those of the gold relations.
        descriptions: a template for each predicate, as ``spacy-dualre.read_descriptions.v1`` reads them.
        Raises ValueError where there is nothing to learn, naming why.
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
        self._check_named_labels()
        parsed = parse_descriptions(self.label_data)
        report = diagnose(
            examples,
            self.candidates,
            self.spans_key,
            self.type_pairs,
            self.undirected,
            lambda label, candidate: has_template(parsed, label, candidate, self.candidates.directed),
        )
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

        description: a template, several, or either per pair of types; None: a plain template from the name, with a
        warning. Pairs of types that it names become candidates where the allowed ones were learnt. Returns 1 if the
        label is new, else 0 (a given description then replaces the old one).
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

    def _check_named_labels(self) -> None:
        thresholds = set(self.threshold) - {OTHER} if isinstance(self.threshold, dict) else set()
        for setting, named in (("threshold", thresholds), ("symmetric", self.symmetric)):
            for label in sorted(named - set(self.labels)):
                raise ValueError(Errors.DR162.format(setting=setting, label=label, labels=", ".join(self.labels)))

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

    @property
    def mentions_from(self) -> str:
        """Where the mentions are read from, in words."""
        return "doc.ents" if self.spans_key is None else f"doc.spans[{self.spans_key!r}]"

    # The road: candidates -> instances -> scores

    @property
    def type_pairs(self) -> TypePairs:
        """The pairs of types that may be candidates; None: all."""
        pairs = self.cfg["type_pairs"]
        return None if pairs is None else frozenset((subject, object) for subject, object in pairs)

    def get_candidates(self, doc: Doc) -> Iterator[Candidate]:
        """The candidates of one Doc. Mentions of types without a marker are left out, which is said once."""
        mentions = get_mentions(doc, self.spans_key)
        for type in sorted({mention.label_ for mention in mentions if not self._has_marker(mention)}):
            self._warn_once(type, Warnings.DW165, types=repr(type))
        mentions = [mention for mention in mentions if self._has_marker(mention)]
        if len(mentions) > 1 and not doc.has_annotation("SENT_START"):
            self._warn_once("sentences", Warnings.DW160, doc=f"a document of {len(doc)} tokens")
        candidates = self.candidates(doc, mentions, self.type_pairs)
        return islice(candidates, *doc.user_data.get(CANDIDATE_RANGE, (None,)))

    def why_not(self, subject: Span, object: Span) -> Optional[str]:
        """The reason why two mentions of a Doc are no candidate, in words; None if they may be one."""
        for mention in (subject, object):
            if not self._has_marker(mention):
                return f"type {mention.label_} not seen in training"
        return self.candidates.why_not(subject.doc, subject, object, self.type_pairs)

    def texts_as_read(self, instances: Sequence[Instance]) -> List[str]:
        """The text of each instance as its encoder reads it: cut to its length, with markers and special pieces."""
        return get_engine(self.model).texts_as_read(instances)

    def _has_marker(self, mention: Span) -> bool:
        known = self.model.attrs["entity_types"]
        return not known or mention.label_ in known

    def _score(self, candidates: Iterable[Candidate]) -> Iterator[Tuple[List[Candidate], Any]]:
        """Slices of the candidates with their log odds (P, L)."""
        for chunk, _, scores in self.model_scores(candidates, self.cascade):
            with stage("decode"):
                odds = self.model.ops.to_numpy(log_odds(scores, self.prediction, self.alpha))
            yield chunk, odds

    def model_scores(
        self, candidates: Iterable[Candidate], cascade: Optional[Cascade]
    ) -> Iterator[Tuple[List[Candidate], List[Instance], RelScores]]:
        """Slices of the candidates with what the model reads of them and its scores; cascade in place of its own."""
        for chunk, instances in self._slices(candidates, max(self.max_candidates_per_batch, _SLICE)):
            scores = self.model.predict(Query(instances, self.prediction != "classifier", cascade))
            self._say_shortened(scores.shortened)
            yield chunk, instances, scores

    def _slices(
        self, candidates: Iterable[Candidate], size: int, corpus: Callable[[Doc], Optional[str]] = get_corpus
    ) -> Iterator[Tuple[List[Candidate], List[Instance]]]:
        if not self.is_initialized:
            raise ValueError(Errors.DR101.format(name=self.name))
        make_instances = InstanceMaker(
            list(self.label_data),
            parse_descriptions(self.label_data),
            self.context,
            self.description_mode,
            self.candidates.directed,
            self.cfg["of_corpus"] if self.predicates_per_corpus else {},
            corpus,
        )
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
        """The relations of each Doc, without writing them."""
        docs = list(docs)
        self._check_named_labels()
        # Once each: a batch may hold the same Doc twice
        distinct = {id(doc): doc for doc in docs}
        found: Dict[int, List[Relation]] = {key: [] for key in distinct}
        slices = self._score(pair for doc in distinct.values() for pair in self.get_candidates(doc))
        for candidates, odds in by_doc(slices):
            with stage("decode"):
                found[id(candidates[0].subject.doc)] = self.decide(candidates, odds)
        return [found[id(doc)] for doc in docs]

    def decide(
        self, candidates: Sequence[Candidate], odds: Any, threshold: Optional[Threshold] = None
    ) -> List[Relation]:
        """The relations of one Doc, from its candidates with their log odds (P, L); threshold in place of its own."""
        labels = list(self.label_data)
        decisions, odds = self.candidates.pool(candidates, odds)
        thresholds = threshold_row(self.threshold if threshold is None else threshold, labels)
        rels = decode(decisions, odds, labels, thresholds, self.undirected, self.multi_label)
        return best_of_each(rels, self.undirected, self.candidates.pairs)

    def set_annotations(self, docs: Iterable[Doc], scores: List[List[Relation]]) -> None:
        """Write relations to ``Doc._.rels``, in place of what was there."""
        for doc, rels in zip(docs, scores):
            set_rels(doc, rels)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score with the component's scorer, which is told the symmetric predicates, what makes a pair, and where the
        mentions are.
        """
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

        drop is not used: dropout is a setting of the model. With ``accumulate_gradient`` spaCy calls this for parts of
        a batch and the parts' means add up; ``max_candidates_per_batch`` saves as much memory and keeps the batch's
        mean. Raises ValueError for a gold predicate that is not known.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "DualEncoderRel.update")
        candidates, targets = self._training_candidates(examples)
        if not candidates:
            self._warn_once("no candidates", Warnings.DW164)
            return losses
        rows = target_rows(targets, list(self.label_data))
        done = 0
        corpora = training_corpora(examples)
        for chunk, instances in self._slices(candidates, self.max_candidates_per_batch, corpora.get):
            gold = rows[done : done + len(chunk)]
            # alpha 1 trains the classifier alone, which reads no descriptions
            query = Query(instances, similarity=self.alpha < 1, sampled=self.sampled_predicates, gold=gold)
            scores, backprop = self.model.begin_update(query)
            self._say_shortened(scores.shortened)
            loss, d_scores = joint_loss(scores, self.model.ops.asarray2f(gold), self.alpha, len(candidates))
            backprop(d_scores)
            done += len(chunk)
            losses[self.name] += loss
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def _training_candidates(self, examples: Iterable[Example]) -> Tuple[List[Candidate], List[List[str]]]:
        """The candidates of a batch with the gold predicates of each, none for a negative."""
        candidates: List[Candidate] = []
        targets: List[List[str]] = []
        for example in examples:
            gold = gold_predicates(example, self.candidates, self.undirected, list(self.label_data))
            for candidate in self.get_candidates(example.predicted):
                candidates.append(candidate)
                (pair,) = self.candidates.pairs(*candidate)
                targets.append(gold.get(pair, []))
        if self.negatives_per_positive is not None:
            kept = sample_negatives(targets, self.negatives_per_positive)
            candidates, targets = [candidates[i] for i in kept], [targets[i] for i in kept]
        return candidates, targets

    def finish_update(self, sgd: Optimizer) -> None:
        """Change the weights by the gradients collected."""
        super().finish_update(sgd)
        self.model.attrs["engine"].forget()

    # Serialisation: what TrainablePipe does, with errors that say what is wrong

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        """Load from what `to_bytes` gave. Raises ValueError where it is damaged."""
        with self._loading("bytes", exclude):
            super().from_bytes(bytes_data, exclude=exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "DualEncoderRel":
        """Load from the folder that `to_disk` wrote. Raises ValueError where a file is missing or damaged."""
        with self._loading(path, exclude):
            super().from_disk(path, exclude=exclude)
        return self

    @contextmanager
    def _loading(self, source: Union[str, Path], exclude: Iterable[str]) -> Iterator[None]:
        given = self.model.attrs.get("network_config", {})
        try:
            # thinc refuses to load a dimension that differs from the one that is set.
            if "model" not in exclude:
                self.model.set_dim("nO", cast(int, None), force=True)
            yield
            self._check_loaded(exclude)
        except Exception as err:  # damaged files fail in as many ways as there are libraries below
            raise ValueError(Errors.DR171.format(name=self.name, path=source, problem=repr(err))) from err
        stored = self.model.attrs.get("network_config", {})
        other = [f"{key} = {stored[key]!r}" for key in stored if key in given and given[key] != stored[key]]
        if other:
            self._warn(Warnings.DW169, source=source, settings=", ".join(other))

    def _check_loaded(self, exclude: Iterable[str]) -> None:
        parse_descriptions(self.label_data)
        # Labels without a network are what add_label leaves before initialisation
        if not {"cfg", "model"} & set(exclude) and self.model.has_dim("nO") is True and not self.labels:
            raise ValueError("the settings in 'cfg' do not belong to the network in 'model'")

    # Messages

    def _warn(self, message: str, **values: Any) -> None:
        warnings.warn(message.format(name=self.name, **values), stacklevel=3)

    def _warn_once(self, key: str, message: str, **values: Any) -> None:
        if key not in self._said:
            self._said.add(key)
            self._warn(message, **values)

    def _say_shortened(self, shortened: Shortened) -> None:
        if shortened.words:
            self._warn_once(
                "shortened",
                Warnings.DW166,
                n=shortened.words,
                total=shortened.total,
                percent=100 * shortened.words / shortened.total,
                limit=self.model.attrs["max_length"],
                mentions=shortened.mentions,
            )
