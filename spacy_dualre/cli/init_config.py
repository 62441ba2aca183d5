"""`spacy dualre init-config`: a starter project for a new corpus."""

from pathlib import Path
from typing import List, Optional, Tuple

import spacy
import typer
from spacy.tokens import Doc

from ..errors import Errors
from ..records.shards import DocWriter, is_held_out
from ..starter import write_starter
from ..starter.facts import Facts, find_facts
from ..training.reader import rel_corpus
from .app import command, msg

#: The share of documents that is held out where there is no file of them, as in the project file.
_DEV_FRACTION = 0.2


@command("init-config")
def init_config_cli(
    output: Path = typer.Option(..., "--output", "-o", help="Folder to write to"),
    data: Optional[Path] = typer.Option(None, help="Annotated documents, .spacy, from which to take all of the rest"),
    dev: Optional[Path] = typer.Option(None, help="Those to develop on; by default a fifth of the others"),
    labels: str = typer.Option("", help="Predicates, separated by commas"),
    types: str = typer.Option("", help="Types of mentions, separated by commas"),
    type_pairs: str = typer.Option("", help="Pairs of types, such as A|B,B|B; by default those of the training data"),
    symmetric: str = typer.Option("", help="Predicates without direction, separated by commas"),
) -> None:
    """Write a config, a project file and descriptions for your own corpus.

    With --data, the settings are those that the documents suggest, and the descriptions are drafts from phrases of
    their texts. Options that are given take precedence.
    """
    pairs = [(first.strip(), second.strip()) for first, _, second in (p.partition("|") for p in _split(type_pairs))]
    facts = Facts(_split(labels), _split(types))
    if data is not None:
        train_docs, dev_docs = _documents(data, dev)
        facts = find_facts(train_docs)
        if not facts.labels:
            raise ValueError(Errors.DR174.format(n=len(train_docs)))
        facts = facts._replace(labels=_split(labels) or facts.labels, types=_split(types) or facts.types)
    facts = facts._replace(type_pairs=pairs or facts.type_pairs, symmetric=_split(symmetric) or facts.symmetric)
    paths = write_starter(output, facts)
    if data is not None:
        for name, docs in (("train", train_docs), ("dev", dev_docs)):
            with DocWriter(output / "corpus" / f"{name}.spacy") as writer:
                for doc in docs:
                    writer.add(doc)
            paths.append(writer.path)
        _print_facts(facts)
    for path in paths:
        msg.good(f"Wrote {path}")
    todo = f"check {paths[0]} and" if data is not None else f"check {paths[2]}, fill in"
    msg.text(f"Now {todo} {paths[1]}, then run: python -m spacy project run all {output}")


def _documents(data: Path, dev: Optional[Path]) -> Tuple[List[Doc], List[Doc]]:
    """The documents to train and to develop on. Raises ValueError if there are none of either."""
    train: List[Doc] = []
    held_out: List[Doc] = []
    for example in rel_corpus(data)(spacy.blank("xx")):
        is_dev = dev is None and is_held_out(example.reference.text, _DEV_FRACTION, seed=0)
        (held_out if is_dev else train).append(example.reference)
    if dev is not None:
        held_out = [example.reference for example in rel_corpus(dev)(spacy.blank("xx"))]
    for path, docs in ((data, train), (dev or data, held_out)):
        if not docs:
            raise ValueError(Errors.DR803.format(path=path))
    return train, held_out


def _print_facts(facts: Facts) -> None:
    msg.text(f"Predicates: {', '.join(facts.labels)}")
    msg.text(f"Without direction: {', '.join(facts.symmetric) or 'none'}")
    if facts.one_way:
        msg.warn(f"The subject is nearly always first in the text, or last: {', '.join(facts.one_way)}")
        msg.text("Where such a predicate has no direction, add it to `symmetric` in config.cfg.")
    msg.text(f"Types: {', '.join(facts.types)}")
    msg.text(f"Mentions are in: {'doc.ents' if facts.spans_key is None else facts.spans_key}")
    msg.text(f"Pairs of mentions to train on: {facts.candidates}")


def _split(names: str) -> List[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
