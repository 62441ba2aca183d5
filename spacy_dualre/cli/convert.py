"""`spacy dualre convert`: a corpus in its makers' format -> .spacy."""

from collections import Counter
from pathlib import Path
from typing import Optional

import srsly
import typer
from spacy.tokens import DocBin
from tqdm import tqdm
from wasabi import msg

from ..corpora import FORMATS
from ..corpora.convert import ConversionReport, records_to_docs
from ..corpora.tokenizers import SPLITTERS, TOKENIZERS, make_splitter
from ..errors import Errors
from .app import dualre_cli, interactive, readable_errors


@dualre_cli.command("convert", no_args_is_help=True)
def convert_cli(
    format: str = typer.Argument(..., help=f"The corpus format: {', '.join(FORMATS)}"),
    input_path: Path = typer.Argument(..., metavar="INPUT", help="File or folder in that format"),
    output_path: Path = typer.Argument(..., metavar="OUTPUT", help="The .spacy file to write"),
    lang: str = typer.Option("en", help="Language of the tokenizer"),
    tokenizer: str = typer.Option("spacy", help=f"One of: {', '.join(TOKENIZERS)}. scispacy is for biomedical text"),
    splitter: str = typer.Option("sentencizer", help=f"Sentence splitter, one of: {', '.join(SPLITTERS)}"),
    report_path: Optional[Path] = typer.Option(None, "--report", help="Write the report as JSON to this file"),
) -> None:
    """Convert a corpus to spaCy's binary format and report what became of everything in it."""
    with readable_errors():
        report = convert(format, input_path, output_path, lang, tokenizer, splitter)
        if report_path is not None:
            report_path.parent.mkdir(parents=True, exist_ok=True)
            srsly.write_json(report_path, report.to_json())
    for name, value in report.to_json().items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {n}" for key, n in Counter(value).most_common())
        msg.text(f"{name.replace('_', ' ')}: {value}")
    msg.good(f"Converted {report.documents} documents to {output_path}")


def convert(
    format: str, input_path: Path, output_path: Path, lang: str, tokenizer: str, splitter: str
) -> ConversionReport:
    """Read, convert and write. Raises CorpusError or ValueError naming file and line."""
    if format not in FORMATS:
        raise ValueError(Errors.DR101.format(value=format, known=", ".join(FORMATS)))
    nlp = make_splitter(lang, tokenizer, splitter)
    report = ConversionReport()
    docs = DocBin(store_user_data=True)
    for doc in tqdm(
        records_to_docs(FORMATS[format](input_path), nlp, report), unit=" documents", disable=not interactive()
    ):
        docs.add(doc)
    output_path.parent.mkdir(parents=True, exist_ok=True)
    docs.to_disk(output_path)
    return report
