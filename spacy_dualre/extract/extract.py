"""Documents -> JSON values with relations, in order, and an account of what became of them."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.concepts import set_long_forms
from ..annotations.mentions import SPANS_KEY
from ..errors import CorpusError, Errors
from ..formats.inputs.source import Pending
from ..formats.jsonl import to_json
from ..pipeline.components import find_component
from ..records.record import Record
from ..records.to_docs import ConversionReport, records_to_docs
from .given import GIVEN, check_finds_mentions, extraction_pipeline, sentence_splitter

Json = Dict[str, Any]
#: Documents in which, if the pipeline finds no mentions, there must be a given one.
_FIRST = 20
_NESTED = "nested mention, which doc.ents cannot hold: in no relation"
#: Documents after which everything that was kept of them is forgotten, in worker processes too.
_ZONE = 5000


@dataclass
class Tally:
    """documents: done, with those done before; broken: those that could not be read; without_mentions: not given and
    not found. left_out: given mentions that could not be used, by reason, with the place of the first.
    """

    documents: int = 0
    done_before: int = 0
    broken: int = 0
    mentions: int = 0
    relations: int = 0
    without_mentions: int = 0
    left_out: Counter = field(default_factory=Counter)
    left_out_first: Dict[str, str] = field(default_factory=dict)

    def count_left_out(self, record: Record) -> None:
        """Count the mentions that its reader left out."""
        for dropped in record.dropped:
            if dropped.what != "relation":
                self.leave_out(f"{dropped.what}: {dropped.why}", dropped.where)

    def leave_out(self, reason: str, where: str, n: int = 1) -> None:
        """Count what could not be used."""
        self.left_out[reason] += n
        self.left_out_first.setdefault(reason, where)

    def count(self, document: Json) -> None:
        """Count a document that is done."""
        self.documents += 1
        self.mentions += len(document["mentions"])
        self.without_mentions += not document["mentions"]
        self.relations += len(document["rels"])


class Extraction:
    """Relations by a pipeline with a component dual_encoder_rel, whose name is rel_name.

    on_broken: is told of each document that cannot be read. gold_mentions: false: the mentions that documents have are
    forgotten, and found anew. Raises ValueError where there is no such component.
    """

    def __init__(self, nlp: Language, on_broken: Callable[[str], None], gold_mentions: bool = True) -> None:
        self.nlp = nlp
        self.gold_mentions = gold_mentions
        self.rel_name, self.rel = find_component(nlp)
        self.on_broken = on_broken
        self.tally = Tally()
        self._pipeline = extraction_pipeline(nlp, self.rel_name)
        self._splitter = sentence_splitter(nlp, self.rel_name)
        self._origin = {"model": f"{nlp.meta['lang']}_{nlp.meta['name']}", "version": nlp.meta["version"]}

    def run_values(self, settings: Json) -> Json:
        """What says which run this is: the model, its files, and the settings given to it."""
        return {**self._origin, "files": _digest(self.nlp.path), "settings": settings}

    def read(self, documents: Iterable[Pending]) -> Iterator[Record]:
        """The documents that can be read. Raises ValueError where mentions are neither given nor can be found."""
        records = self._readable(documents)
        first = list(islice(records, _FIRST))
        if first and not any(record.mentions_given for record in first):
            check_finds_mentions(self.nlp)
        yield from chain(first, records)

    def skip(self, records: Iterator[Record], done: Iterable[Json]) -> None:
        """Take the records that are done. Raises ValueError where the input is not what it was."""
        for number, document in enumerate(done, 1):
            # One that the pipeline could not take has left no trace
            record = next((one for one in records if _same(one, document) or self._doc(one) is not None), None)
            if record is None or not _same(record, document):
                now = f"{record.id!r} at {record.place}" if record is not None else "none"
                raise ValueError(Errors.DR403.format(number=number, then=document["id"], now=now))
            self.tally.count(document)
            self.tally.done_before += 1

    def extract(self, records: Iterable[Record], batch_size: int, n_process: int = 1) -> Iterator[Json]:
        """The documents in their order as JSON values of `corpora.jsonl`, with tokens. batch_size: documents that go
        through a component together.
        """
        stream = iter(records)
        while part := list(islice(stream, 1)):
            # The words of texts would stay in the vocabulary for ever
            with self._pipeline.memory_zone():
                docs = self._docs(chain(part, islice(stream, _ZONE - 1)))
                for document in self._documents(docs, batch_size=batch_size, n_process=n_process):
                    self.tally.count(document)
                    yield document

    def _documents(self, docs: Iterable[Tuple[Doc, Json]], **settings: int) -> Iterator[Json]:
        try:
            for doc, origin in self._pipeline.pipe(docs, as_tuples=True, **settings):  # type: ignore[call-overload]
                # All that were given, also those that doc.ents cannot hold
                key = self._given_key if GIVEN in doc.user_data else self.rel.spans_key
                yield {**to_json(doc, origin["id"], key, tokens=True), "meta": origin["meta"]}
        except EOFError as err:
            raise ValueError(Errors.DR404) from err

    @property
    def _given_key(self) -> str:
        return self.rel.spans_key or SPANS_KEY

    def _readable(self, documents: Iterable[Pending]) -> Iterator[Record]:
        for pending in documents:
            try:
                record = pending()
            except CorpusError as err:
                self._broken(err)
            else:
                if not self.gold_mentions:
                    record = replace(record, mentions=[], mentions_given=False, dropped=[])
                self.tally.count_left_out(record)
                yield record

    def _docs(self, records: Iterable[Record]) -> Iterator[Tuple[Doc, Json]]:
        for record in records:
            doc = self._doc(record)
            if doc is not None:
                if "corpus" in record.meta:
                    # Its predicates may be asked for alone
                    doc.user_data["corpus"] = record.meta["corpus"]
                yield doc, {"id": record.id, "meta": {**record.meta, **self._origin}}

    def _doc(self, record: Record) -> Optional[Doc]:
        try:
            return self._annotated(record) if record.mentions_given else self._bare(record)
        except ValueError as err:
            # A text that is too long, or no text: other documents have nothing to do with it
            is_placed = isinstance(err, CorpusError)
            self._broken(err if is_placed else Errors.DR003.format(where=f"{record.place}, {record.id}", problem=err))
            return None

    def _annotated(self, record: Record) -> Doc:
        # Gold relations are not asked for
        record = replace(record, relations=[], concept_relations=[])
        report = ConversionReport()
        (doc,) = records_to_docs([record], self._splitter, report, self._given_key)
        if self.rel.spans_key is None and report.mentions_nested_or_overlapping:
            where = f"{record.place}, document {record.id}"
            self.tally.leave_out(_NESTED, where, report.mentions_nested_or_overlapping)
        doc.user_data = {GIVEN: True}
        set_long_forms(doc, record.long_forms)
        return doc

    def _bare(self, record: Record) -> Doc:
        doc = self.nlp.make_doc(record.text)
        for token in doc:
            if token.idx in record.breaks:
                token.is_sent_start = True
        return doc

    def _broken(self, problem: object) -> None:
        self.tally.broken += 1
        self.on_broken(str(problem))


def _same(record: Record, document: Json) -> bool:
    return (record.id, record.text) == (document["id"], document["text"])


def _digest(folder: Optional[Path]) -> str:
    """Of the names and the contents of all files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())  # type: ignore[arg-type]
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
