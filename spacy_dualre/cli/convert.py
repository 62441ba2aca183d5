"""`spacy dualre convert`: a corpus in its original format -> .spacy."""

from contextlib import ExitStack
from pathlib import Path
from typing import List, Optional, Tuple

import typer
from tqdm import tqdm

from ..errors import CorpusError, Errors, Warnings
from ..formats import function, names
from ..records.shards import DocWriter, is_held_out
from ..records.splitting import SPLITTERS, TOKENIZERS, load_splitter, make_splitter
from ..records.to_docs import ConversionReport, records_to_docs
from ..writing import check_writable, write_json
from .app import MaxLength, command, msg


@command("convert")
def convert_cli(
    format: str = typer.Argument(..., help=f"The corpus format: {', '.join(names('read'))}"),
    input_path: Path = typer.Argument(..., metavar="INPUT", help="File or folder in that format"),
    output_path: Path = typer.Argument(..., metavar="OUTPUT", help="The .spacy file to write, or a folder of them"),
    lang: str = typer.Option("en", help="Language of the tokenizer"),
    tokenizer: str = typer.Option("spacy", help=f"One of: {', '.join(TOKENIZERS)}. scispacy is for biomedical text"),
    splitter: str = typer.Option("sentencizer", help=f"Sentence splitter, one of: {', '.join(SPLITTERS)}"),
    pipeline: Optional[str] = typer.Option(None, help="Pipeline or config (.cfg) to tokenize and split with instead"),
    corpus: Optional[str] = typer.Option(None, help="Corpus name to store in the Docs, instead of the format"),
    dev_path: Optional[Path] = typer.Option(None, "--dev", help="Hold documents out and write them here"),
    dev_fraction: float = typer.Option(0.1, min=0.0, max=1.0, help="Approximate share of documents to hold out"),
    seed: int = typer.Option(0, help="Seed for the choice of held-out documents"),
    max_length: MaxLength = None,
    strict: bool = typer.Option(False, "--strict", help="Fail if a mention or relation would have to be left out"),
    report_path: Optional[Path] = typer.Option(None, "--report", help="Write the report as JSON to this file"),
) -> None:
    """Convert a corpus to spaCy's binary format and report what was converted and what was left out."""
    read = function(format, "read")
    _check_outputs(output_path, dev_path)
    check_writable(report_path)
    report = ConversionReport()
    nlp = load_splitter(pipeline) if pipeline is not None else make_splitter(lang, tokenizer, splitter)
    nlp.max_length = max_length or nlp.max_length
    docs = records_to_docs(read(input_path), nlp, report, strict=strict)
    with ExitStack() as files:
        output = files.enter_context(DocWriter(output_path))
        held_out = files.enter_context(DocWriter(dev_path)) if dev_path is not None else output
        for doc in tqdm(docs, unit=" documents", disable=None):
            if corpus is not None:
                doc.user_data["corpus"] = corpus
            (held_out if is_held_out(doc.text, dev_fraction, seed) else output).add(doc)
        _check(report, input_path, strict)
    write_json(report_path, report.to_json())
    print_report(report)
    for writer in dict.fromkeys((output, held_out)):
        msg.good(f"Converted {writer.documents} documents to {writer.path}")


def _check_outputs(output_path: Path, dev_path: Optional[Path]) -> None:
    """Raise ValueError if the outputs could not be written, or not be told apart later."""
    for path in filter(None, (output_path, dev_path)):
        if path.suffix not in ("", ".spacy") or (path.is_dir() if path.suffix else path.is_file()):
            raise ValueError(Errors.DR841.format(path=path))
    if dev_path is not None:
        output, dev = output_path.resolve(), dev_path.resolve()
        if output == dev or output in dev.parents or dev in output.parents:
            raise ValueError(Errors.DR842.format(path=dev_path))


def _check(report: ConversionReport, path: Path, strict: bool) -> None:
    """Raise CorpusError if the result is useless. Warn or, if strict, raise it if offsets seem to count otherwise."""
    for what in ("document", "mention"):
        lost = [each for each in report.dropped if each[0].startswith(f"{what}: ")]
        if lost and not report.counts[f"{what}s"]:
            reasons, counts, places = zip(*lost)
            names = ", ".join(reason.removeprefix(f"{what}: ") for reason in reasons)
            message = Errors.DR820 if "offsets" in names else Errors.DR819
            raise CorpusError(message.format(what=what, where=places[0], n=sum(counts), reasons=names))
    within, total = report.counts["mentions_within_a_word"], report.counts["mentions"]
    if 2 * within > total:
        message = Warnings.DW360.format(where=path, n=within, total=total)
        if strict:
            raise CorpusError(message)
        msg.warn(message)


def print_report(report: ConversionReport) -> None:
    """Print counts as a table, and omissions as warnings."""
    rows: List[Tuple[str, str]] = []
    for name, value in report.to_json().items():
        if not name.startswith("dropped") and (value or name in ("mentions", "relations")):
            by = value if isinstance(value, dict) else {}
            rows.append((name.replace("_", " "), "" if by else str(value)))
            rows += [(f"  {key}", str(n)) for key, n in by.items()]
    msg.table(rows, aligns=("l", "r"))
    for reason, n, first in report.dropped:
        msg.warn(f"Left out: {reason}, {n} times, first at {first}")
