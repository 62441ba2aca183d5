"""`spacy dualre extract`: from documents to relations."""

import signal
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional

import typer
from spacy.cli._util import parse_config_overrides, setup_gpu
from tqdm import tqdm

from ..errors import Errors, Warnings
from ..extract import Extraction, Journal, Tally, part_of, unfinished
from ..formats import names, output_format
from ..formats.documents import Documents
from ..formats.files import Options
from ..formats.jsonl import dump
from ..pipeline.pipelines import ask_about, load_pipeline
from ..records.record import Record
from .app import (
    WITH_OVERRIDES,
    Code,
    Descriptions,
    Gpu,
    Interrupted,
    MaxLength,
    Model,
    dualre_cli,
    interruptible,
    msg,
    readable_errors,
    say,
)

_FORMAT = "Format, where the name of the file does not tell it"
_INPUT = "File or folder of documents, or - for standard input"
_OUTPUT = "File or folder to write; without it, or with -, JSON lines go to standard output"


@dualre_cli.command("extract", no_args_is_help=True, context_settings=WITH_OVERRIDES)
def extract_cli(
    ctx: typer.Context,
    model: Model,
    input_path: Path = typer.Argument(..., metavar="INPUT", help=_INPUT, allow_dash=True),
    output_path: Optional[Path] = typer.Argument(None, metavar="[OUTPUT]", help=_OUTPUT, allow_dash=True),
    format: Optional[str] = typer.Option(None, help=f"{_FORMAT}, one of: {', '.join(names('stream'))}"),
    to: Optional[str] = typer.Option(None, help=f"{_FORMAT}, one of: {', '.join(names('write'))}"),
    text_column: Optional[str] = typer.Option(None, help="Column with the texts in a table"),
    id_column: Optional[str] = typer.Option(None, help="Column with the document ids in a table"),
    descriptions: Descriptions = None,
    threshold: Optional[float] = typer.Option(None, min=0.0, max=1.0, help="Threshold, instead of the pipeline's"),
    batch_size: int = typer.Option(32, min=1, help="Number of documents per batch"),
    max_length: MaxLength = None,
    n_process: int = typer.Option(1, min=1, help="Number of processes"),
    resume: bool = typer.Option(False, "--resume", help="Continue where an earlier call stopped, if one did"),
    gold_mentions: bool = typer.Option(True, help="Keep mentions that documents have, instead of finding them anew"),
    show: int = typer.Option(0, help="Print the relations of this many documents"),
    use_gpu: Gpu = -1,
    code: Code = None,
) -> None:
    """Write the relations that a pipeline finds in documents. Existing mentions are kept; in documents without any, the
    pipeline finds them.

    Finished documents are kept in the folder OUTPUT.part until all are done. Unreadable documents, and those on which
    the pipeline fails, are reported and skipped, and the exit status is then 1.
    """
    output_path = None if output_path == Path("-") else output_path
    stdout = sys.stdout
    # Standard output may be reserved for the documents
    quiet = nullcontext() if output_path is not None else redirect_stdout(sys.stderr)
    with quiet, readable_errors(), _stopping(output_path):
        writer = _writer(input_path, output_path, to, resume)
        if n_process > 1 and use_gpu >= 0:
            raise ValueError(Errors.DR876)
        documents = Documents(input_path, format, Options(text_column, id_column))
        setup_gpu(use_gpu, silent=False)
        overrides = parse_config_overrides(ctx.args, env_var=None)
        nlp = load_pipeline(model, overrides)
        ask_about(nlp, descriptions)
        nlp.max_length = max_length or nlp.max_length
        extraction = Extraction(nlp, partial(say, err=True), gold_mentions)
        documents.options = documents.options._replace(spans_key=extraction.rel.spans_key)
        if threshold is not None:
            extraction.rel.threshold = threshold
        records = extraction.read(documents)
        extract = partial(extraction.extract, batch_size=batch_size, n_process=n_process)
        if output_path is None:
            # Whatever the locale says
            stdout.reconfigure(encoding="utf8", newline="\n")  # type: ignore[union-attr]
            stdout.writelines(f"{dump(record)}\n" for record in _shown(extract(records), show))
        else:
            settings = {**overrides, "threshold": threshold, "gold_mentions": gold_mentions, "max_length": max_length}
            if descriptions is not None:
                settings["descriptions"] = extraction.rel.label_data
            with Journal(output_path, extraction.run_values(settings), resume) as journal:
                if journal.complete:
                    journal.finish(writer)
                    msg.good(f"{output_path} was already complete")
                    _check(**journal.counts)
                    return
                extraction.skip(records, journal.done())
                for record in _shown(extract(journal.noting(records)), show):
                    journal.add(record)
                tally = extraction.tally
                if tally.documents:
                    counts = {"broken": tally.broken, "documents": tally.documents}
                    for what, n in journal.finish(writer, counts).items():
                        say(Warnings.DW827.format(what=what, n=n), err=True)
        _report(extraction.tally, documents, output_path)


def _writer(input_path: Path, path: Optional[Path], name: Optional[str], resume: bool) -> Any:
    """The function that writes the output, if it is no standard output. Raises ValueError if nothing can be written."""
    if path is None:
        if resume or name not in (None, "jsonl"):
            raise ValueError(Errors.DR825.format(format=name or "jsonl"))
        return None
    source, output = input_path.resolve(), path.resolve()
    if source in (output, *output.parents) or part_of(path) in (source, *source.parents):
        raise ValueError(Errors.DR830.format(output=path))
    return output_format(path, name)


@contextmanager
def _stopping(output_path: Optional[Path]) -> Iterator[None]:
    """Say how to continue where there is an unfinished output."""
    try:
        with interruptible(signal.SIGINT, signal.SIGTERM):
            yield
    except OSError as err:
        if unfinished(output_path) is None:
            raise
        raise ValueError(Errors.DR829.format(path=unfinished(output_path), problem=err.strerror or err)) from err
    except Interrupted:
        if unfinished(output_path) is not None:
            say(Errors.DR828.format(path=unfinished(output_path)), err=True)
        raise


def _shown(found: Iterable[Record], show: int) -> Iterator[Record]:
    """Show a progress bar, and print the first documents."""
    for number, record in enumerate(tqdm(found, unit=" documents", disable=None), 1):
        if number <= show:
            _print(record)
        yield record


def _print(record: Record) -> None:
    msg.divider(f"Document {record.id}")
    say(record.text)
    texts = {mention.id: record.covered(mention) for mention in record.mentions}
    for rel in record.relations:
        say(f"  {texts[rel.subject]}  --{rel.predicate} ({rel.score:.2f})->  {texts[rel.object]}")
    if not record.relations:
        say("  (no relations)")


def _report(tally: Tally, documents: Documents, output_path: Optional[Path]) -> None:
    """Print results and omissions. Raises ValueError if not all of the input could be read."""
    for reason, n, first in (*tally.left_out, *documents.skipped):
        say(Warnings.DW826.format(reason=reason, n=n, where=first), err=True)
    if tally.without_mentions:
        say(Warnings.DW825.format(n=tally.without_mentions, total=tally.documents), err=True)
    if not tally.documents:
        raise ValueError(Errors.DR827.format(path=documents.path))
    if output_path is not None:
        before = f" ({tally.done_before} of them done before)" if tally.done_before else ""
        msg.good(f"Wrote {tally.relations} relations of {tally.documents} documents{before} to {output_path}")
    _check(tally.broken, tally.documents)


def _check(broken: int = 0, documents: int = 0) -> None:
    """Raise ValueError if a document could not be read, or failed."""
    if broken:
        raise ValueError(Errors.DR826.format(n=broken, documents=documents))
