"""Documents -> documents with relations, in order."""

import hashlib
from dataclasses import dataclass, field, replace
from itertools import chain, islice, starmap
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.concepts import set_long_forms
from ..annotations.mentions import SPANS_KEY
from ..errors import CorpusError, Errors
from ..pipeline.pipelines import find_component
from ..records.from_docs import doc_to_record
from ..records.record import Document, Losses, Record
from ..records.to_docs import ConversionReport, records_to_docs
from .given import GIVEN, check_finds_mentions, extraction_pipeline, sentence_splitter

#: Number of first documents of which one must have mentions if the pipeline finds none.
_FIRST = 20
#: Number of documents after which spaCy's memory of their words is freed, also in worker processes.
_ZONE = 5000


@dataclass
class Tally:
    """Counts of finished documents, of those of an earlier run among them, of unreadable ones, and of what was found.

    Given mentions that cannot be used are `left_out`.
    """

    documents: int = 0
    done_before: int = 0
    broken: int = 0
    relations: int = 0
    without_mentions: int = 0
    left_out: Losses = field(default_factory=Losses)

    def count(self, record: Record) -> None:
        """Count a finished document."""
        self.documents += 1
        self.without_mentions += not record.mentions
        self.relations += len(record.relations)


class Extraction:
    """Extracts relations with a pipeline that has a component dual_encoder_rel.

    Args:
        nlp: The pipeline. Raises ValueError if it has no such component.
        on_broken: Called with a message for each document that cannot be read.
        gold_mentions: Use the mentions that documents have, instead of finding them anew.
    """

    def __init__(self, nlp: Language, on_broken: Callable[[str], None], gold_mentions: bool = True) -> None:
        self.nlp = nlp
        self.gold_mentions = gold_mentions
        name, self.rel = find_component(nlp)
        self.on_broken = on_broken
        self.tally = Tally()
        self._pipeline = extraction_pipeline(nlp, name)
        self._splitter = sentence_splitter(nlp, name)
        # Of all given mentions, including those that doc.ents cannot hold
        self._given_key = self.rel.spans_key or SPANS_KEY
        self._origin = {"model": f"{nlp.meta['lang']}_{nlp.meta['name']}", "version": nlp.meta["version"]}

    def run_values(self, settings: Dict[str, Any]) -> Dict[str, Any]:
        """JSON values that identify this run by model, files and settings."""
        return {**self._origin, "files": _digest(self.nlp.path), "settings": settings}

    def read(self, documents: Iterable[Document]) -> Iterator[Record]:
        """Iterate over the documents that can be read. Raises ValueError if mentions are neither given nor found."""
        records = self._readable(documents)
        first = list(islice(records, _FIRST))
        if first and not any(record.mentions_given for record in first):
            check_finds_mentions(self.nlp)
        yield from chain(first, records)

    def skip(self, records: Iterator[Record], done: Iterable[Record]) -> None:
        """Skip the documents that are done. Raises ValueError if the input has changed."""
        for number, before in enumerate(done, 1):
            key = (before.id, before.text)
            # A document that the pipeline refuses is not among the finished ones
            record = next((one for one in records if key == (one.id, one.text) or self._doc(one) is not None), None)
            if record is None or key != (record.id, record.text):
                now = f"{record.id!r} at {record.place}" if record is not None else "none"
                raise ValueError(Errors.DR403.format(number=number, then=before.id, now=now))
            self.tally.count(before)
            self.tally.done_before += 1

    def extract(self, records: Iterable[Record], batch_size: int, n_process: int = 1) -> Iterator[Record]:
        """Extract the relations of documents from `read`, in order. Raises ValueError if a worker process died."""
        stream = iter(records)
        while part := list(islice(stream, 1)):
            # Otherwise the words of all texts would stay in the vocabulary
            with self._pipeline.memory_zone():
                docs = self._docs(chain(part, islice(stream, _ZONE - 1)))
                try:
                    done = self._pipeline.pipe(docs, as_tuples=True, batch_size=batch_size, n_process=n_process)
                    yield from starmap(self._finished, done)
                except EOFError as err:
                    raise ValueError(Errors.DR404) from err

    def _finished(self, doc: Doc, source: Record) -> Record:
        key = self._given_key if GIVEN in doc.user_data else self.rel.spans_key
        record = doc_to_record(doc, source.id, source.place, key)
        record.meta = {**source.meta, **self._origin}
        self.tally.left_out.add_dropped(record.dropped)
        self.tally.count(record)
        return record

    def _readable(self, documents: Iterable[Document]) -> Iterator[Record]:
        for record in documents:
            if isinstance(record, CorpusError):
                self._broken(record)
                continue
            if not self.gold_mentions:
                record = replace(record, mentions=[], mentions_given=False, dropped=[])
            self.tally.left_out.add_dropped(one for one in record.dropped if one.what != "relation")
            yield record

    def _docs(self, records: Iterable[Record]) -> Iterator[Tuple[Doc, Record]]:
        for record in records:
            doc = self._doc(record)
            if doc is not None:
                # A component may predict only the predicates of a document's corpus
                doc.user_data["corpus"] = record.meta.get("corpus")
                yield doc, Record(record.id, "", record.place, meta=record.meta)

    def _doc(self, record: Record) -> Optional[Doc]:
        n, limit = len(record.text), self.nlp.max_length
        try:
            if n > limit:
                raise record.place.error(Errors.DR409, id=record.id, n=n, limit=limit)
            return self._annotated(record) if record.mentions_given else self._bare(record)
        except CorpusError as err:
            self._broken(err)
        except ValueError as err:
            self._broken(Errors.DR408.format(where=record.place, id=record.id, problem=err))
        return None

    def _annotated(self, record: Record) -> Doc:
        record = replace(record, relations=[], concept_relations=[])
        report = ConversionReport()
        (doc,) = records_to_docs([record], self._splitter, report, self._given_key)
        if self.rel.spans_key is None and report.counts["mentions_nested_or_overlapping"]:
            where = f"{record.place}, document {record.id}"
            reason = "nested mention, which doc.ents cannot hold: in no relation"
            self.tally.left_out.add(reason, where, report.counts["mentions_nested_or_overlapping"])
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


def _digest(folder: Optional[Path]) -> str:
    """A digest of the names and contents of all files in a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())  # type: ignore[arg-type]
            digest.update(path.read_bytes())
    return digest.hexdigest()
