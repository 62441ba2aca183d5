"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import import_code

Model = Annotated[str, typer.Argument(help="Trained pipeline: folder or installed package")]
Gpu = Annotated[int, typer.Option("--gpu-id", "--gpu", "-g", help="GPU ID or -1 for CPU")]
#: The file is imported before the pipeline is loaded
Code = Annotated[
    Optional[Path],
    typer.Option("--code", "-c", callback=import_code, help="Python file with the pipeline's own components"),
]
JsonOutput = Annotated[Optional[Path], typer.Option("--output", "-o", help="Write the results as JSON to this file")]
