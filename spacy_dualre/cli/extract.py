"""`spacy dualre extract`: relations of documents with mentions, as JSON lines."""

from pathlib import Path
from typing import Any, Dict, Iterator

import srsly
import typer
from spacy.cli._util import setup_gpu
from spacy.language import Language
from tqdm import tqdm
from wasabi import msg

from ..corpora.jsonl import to_json
from ..corpora.reader import rel_corpus
from .app import (
    WITH_OVERRIDES,
    config_overrides,
    dualre_cli,
    existing,
    interactive,
    load_pipeline,
    mentions_key,
    readable_errors,
)


@dualre_cli.command("extract", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def extract_cli(
    ctx: typer.Context,
    model: str = typer.Argument(..., help="Trained pipeline: folder or installed package"),
    input_path: Path = typer.Argument(..., metavar="INPUT", help="Documents with mentions, .spacy"),
    output_path: Path = typer.Argument(..., metavar="OUTPUT", help="The .jsonl file to write"),
    gold_mentions: bool = typer.Option(
        True, help="Give the pipeline the mentions of the documents; else it finds them"
    ),
    show: int = typer.Option(0, help="Print the relations of this many documents"),
    use_gpu: int = typer.Option(-1, "--gpu-id", "-g", help="GPU ID or -1 for CPU"),
) -> None:
    """Write the relations that a pipeline finds: one document a line with id, text, mentions, rels and sentences
    (character offsets, end exclusive), which `spacy dualre convert jsonl` reads.
    """
    n = 0
    with readable_errors():
        setup_gpu(use_gpu, silent=False)
        existing(input_path, "Expected documents with mentions, as `spacy dualre convert` writes them.")
        nlp = load_pipeline(model, config_overrides(ctx))
        output_path.parent.mkdir(parents=True, exist_ok=True)
        records = extract(nlp, input_path, gold_mentions)
        with output_path.open("w", encoding="utf8") as output:
            for n, record in enumerate(tqdm(records, unit=" documents", disable=not interactive()), 1):
                output.write(srsly.json_dumps(record) + "\n")
                if n <= show:
                    _print(record)
    msg.good(f"Wrote the relations of {n} documents to {output_path}")


def extract(nlp: Language, path: Path, gold_mentions: bool = True) -> Iterator[Dict[str, Any]]:
    """One JSON value for each document. gold_mentions: false: the pipeline gets the text alone."""
    examples = rel_corpus(path, gold_mentions=gold_mentions)(nlp)
    spans_key = mentions_key(nlp)
    for number, doc in enumerate(nlp.pipe(example.predicted for example in examples), 1):
        yield to_json(doc, doc.user_data.get("doc_id", str(number)), spans_key)


def _print(record: Dict[str, Any]) -> None:
    msg.divider(f"Document {record['id']}")
    print(record["text"])
    for rel in record["rels"]:
        print(f"  {rel['subject']['text']}  --{rel['predicate']} ({rel['score']:.2f})->  {rel['object']['text']}")
    if not record["rels"]:
        print("  (no relations)")
