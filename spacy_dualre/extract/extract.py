"""Documents -> documents with relations, in order."""

import hashlib
from dataclasses import dataclass, field, replace
from itertools import chain, islice, starmap
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from ..annotations.concepts import set_long_forms
from ..annotations.mentions import SPANS_KEY
from ..errors import CorpusError, Errors
from ..pipeline.pipelines import check_finds_mentions, components_before, find_component, sentence_splitters
from ..records.from_docs import doc_to_record
from ..records.record import Document, Losses, Record
from ..records.to_docs import ConversionReport, records_to_docs
from .journal import digest_of
from .workers import in_processes

#: Number of first documents of which one must have mentions if the pipeline finds none.
_FIRST = 20


@dataclass
class Tally:
    """Counts of finished documents, of those of an earlier run among them, of others, and of what was found.

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
        self.left_out.add_dropped(record.dropped)


class Extraction:
    """Extracts relations with a pipeline that has a component dual_encoder_rel.

    Args:
        nlp: The pipeline. Raises ValueError if it has no such component.
        on_broken: Called with a message for each document that cannot be read, or on which the pipeline fails.
        gold_mentions: Use the mentions that documents have, instead of finding them anew.
    """

    def __init__(self, nlp: Language, on_broken: Callable[[str], None], gold_mentions: bool = True) -> None:
        self.nlp = nlp
        self.gold_mentions = gold_mentions
        name, self.rel = find_component(nlp)
        self.on_broken = on_broken
        self.tally = Tally()
        self._splitters = sentence_splitters(nlp, name)
        self._before = components_before(nlp, name)
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

    def skip(self, records: Iterator[Record], done: Iterable[Tuple[Record, List[str]]]) -> None:
        """Skip the documents that are done, and those that failed. Raises ValueError if the input has changed."""
        for number, (before, inputs) in enumerate(done, 1):
            for n, digest in enumerate(inputs, 1):
                record = next(records, None)
                if record is None or digest_of(record) != digest:
                    now = f"{record.id!r} at {record.place}" if record is not None else "none"
                    raise ValueError(Errors.DR403.format(number=number, then=before.id, now=now))
                self.tally.left_out.add_dropped(record.dropped)
                if n < len(inputs):
                    self._broken(Errors.DR871.format(where=record.place, id=record.id))
            self.tally.count(before)
            self.tally.done_before += 1

    def extract(self, records: Iterable[Record], batch_size: int, n_process: int = 1) -> Iterator[Record]:
        """Extract the relations of documents from `read`, in order, without those on which a component fails.

        Raises ValueError if a worker process died.
        """
        # A wrong setting is no document's fault
        self.rel.predict([self.nlp.make_doc("")])
        batches = minibatch(records, batch_size)
        parts = map(self._work, batches) if n_process == 1 else in_processes(self._work, batches, n_process)
        for found in chain.from_iterable(parts):
            if isinstance(found, str):
                self._broken(found)
            else:
                self.tally.count(found)
                yield found

    def _work(self, batch: List[Record]) -> List[Union[Record, str]]:
        """Extract from a batch or, if that fails, from each document. One that fails alone gives a message."""
        # Frees spaCy's memory of the words of these documents. In the first 3.8 an exception leaves the zone open
        with self.nlp.memory_zone():
            try:
                return self._extracted([replace(record, dropped=list(record.dropped)) for record in batch])
            except CorpusError as err:
                problem = str(err)
            except Exception as err:  # whatever a component raises
                values = {"where": batch[0].place, "id": batch[0].id, "problem": f"{type(err).__name__}: {err}"}
                problem = Errors.DR408.format(**values)
        return [problem] if len(batch) == 1 else [found for record in batch for found in self._work([record])]

    def _extracted(self, sources: List[Record]) -> List[Union[Record, str]]:
        with self.nlp.select_pipes(enable=self._splitters):
            docs = [self._doc(record) for record in sources]
        with self.nlp.select_pipes(enable=self._before):
            found = self.nlp.pipe([doc for doc, one in zip(docs, sources) if not one.mentions_given])
            docs = [doc if one.mentions_given else next(found) for doc, one in zip(docs, sources)]
        with self.nlp.select_pipes(disable=self._before):
            # Strictly, since a component may lose documents
            done = zip(self.nlp.pipe(docs, batch_size=len(docs)), sources, strict=True)
            return list(starmap(self._finished, done))

    def _finished(self, doc: Doc, source: Record) -> Record:
        key = self._given_key if source.mentions_given else self.rel.spans_key
        record = doc_to_record(doc, source.id, source.place, key)
        record.meta = {**source.meta, **self._origin}
        record.dropped += source.dropped
        return record

    def _readable(self, documents: Iterable[Document]) -> Iterator[Record]:
        for record in documents:
            if isinstance(record, CorpusError):
                self._broken(record)
                continue
            if self.gold_mentions:
                yield replace(record, dropped=[one for one in record.dropped if one.what != "relation"])
            else:
                yield replace(record, mentions=[], mentions_given=False, dropped=[])

    def _doc(self, record: Record) -> Doc:
        n, limit = len(record.text), self.nlp.max_length
        if n > limit:
            raise record.place.error(Errors.DR409, id=record.id, n=n, limit=limit)
        doc = self._annotated(record) if record.mentions_given else self._bare(record)
        # A component may predict only the predicates of a document's corpus
        doc.user_data["corpus"] = record.meta.get("corpus")
        return doc

    def _annotated(self, record: Record) -> Doc:
        report = ConversionReport()
        unrelated = replace(record, relations=[], concept_relations=[])
        (doc,) = records_to_docs([unrelated], self.nlp, report, self._given_key)
        for _ in range(report.counts["mentions_nested_or_overlapping"] if self.rel.spans_key is None else 0):
            record.drop("nested mention, which doc.ents cannot hold", "in no relation")
        doc.user_data = {}
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
