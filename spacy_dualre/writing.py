"""Files that are there as a whole or not at all, whatever ends the work."""

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator, Optional

import srsly

from .errors import Errors


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside the file's own to write to, which takes its place in the end. The folder is made. What is no
    plain file, such as /dev/stdout, is written directly.

    Raises ValueError naming the path where it cannot be written.
    """
    final = path.resolve()
    is_direct = final.exists() and not final.is_file()
    unfinished = final if is_direct else final.with_name(f".part-{final.name}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        if not is_direct:
            unfinished.replace(final)
    except OSError as err:
        raise ValueError(Errors.DR824.format(path=path, problem=err.strerror or err)) from err
    finally:
        if not is_direct:
            with suppress(OSError):
                unfinished.unlink()


def check_writable(*paths: Optional[Path]) -> None:
    """Make the folders that the files will be written to, so that it is known before the work whether they can be. None
    is let pass. Raises as `whole_file`.
    """
    for path in filter(None, paths):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(None, "is a folder")
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise PermissionError(None, "no permission")
        except OSError as err:
            raise ValueError(Errors.DR824.format(path=path, problem=err.strerror)) from err


def for_xml(text: str) -> str:
    """The text with U+FFFD for each character that XML 1.0, and so SVG, cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def write_text(path: Path, text: str) -> None:
    """UTF-8 with the line ends as they are. Raises as `whole_file`."""
    with whole_file(path) as file:
        file.write_text(text, encoding="utf8", newline="\n")


def write_json(path: Optional[Path], values: Any) -> None:
    """JSON values, indented, unless the path is None. Raises as `whole_file`."""
    if path is not None:
        with whole_file(path) as file:
            srsly.write_json(file, values)
