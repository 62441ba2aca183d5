"""Damaged files are read. They can be read after all, or are refused with an error of the package naming the file."""

import gzip
import json
import re
import shutil
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Iterator, List, NamedTuple, Tuple

import spacy
from helpers.damage import JSON_VALUES, assert_sound
from helpers.pipelines import NAME
from spacy.tokenizer import Tokenizer
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_dualre.errors import CorpusError
from spacy_dualre.extract import Journal
from spacy_dualre.formats import all_formats
from spacy_dualre.formats.files import Source
from spacy_dualre.graph.read import read_documents
from spacy_dualre.instances.descriptions import read_descriptions
from spacy_dualre.lab.resuming import Checkpoint
from spacy_dualre.models.dual_encoder import get_network
from spacy_dualre.pipeline.pipelines import load_pipeline
from spacy_dualre.records.record import Place, Record
from spacy_dualre.records.to_docs import ConversionReport, records_to_docs
from spacy_dualre.training.reader import rel_corpus

from .ground import Ground
from .inputs import INPUTS, write_input
from .trials import Attempt, Campaign, Trial

_SECONDS = 20
_MEGABYTES = 1000


class Kind(NamedTuple):
    """What can be damaged and read.

    Attributes:
        write: Writes it, undamaged, into a folder. Returns the path to read.
        damaged: Matches the names of the files that may be damaged.
        valid: It can be read without damage.
    """

    name: str
    write: Callable[[Path], Path]
    read: Callable[[Path], Any]
    damaged: str = "*"
    valid: bool = True


def campaigns(ground: Ground, files: int) -> List[Campaign]:
    """So many damaged files of each kind."""
    makers = {
        "read": ("readers of corpora", readers),
        "stream": ("streams of documents", streams),
        "spacy": (".spacy, descriptions", others),
        "pipeline": ("stored pipelines", partial(pipelines, ground)),
        "resume": ("journals, checkpoints", partial(resumed, ground)),
    }
    return [
        Campaign(f"files-{name}", f"{what}: damage", partial(damaged, make, files), _SECONDS, _MEGABYTES)
        for name, (what, make) in makers.items()
    ]


def damaged(make: Callable[[], List[Kind]], files: int) -> Iterator[Trial]:
    """Trials with each kind, of which the first is without damage."""
    for kind in make():
        for number in range(files):
            yield Trial(f"files-{kind.name}/{number}", partial(_read, kind, number > 0))


def _read(kind: Kind, is_damaged: bool, attempt: Attempt) -> None:
    path = kind.write(attempt.folder)
    random = attempt.random
    if is_damaged:
        file = random.choice(sorted(one for one in attempt.folder.rglob(kind.damaged) if one.is_file()))
        data, told = damage(random, file.read_bytes())
        attempt.tell(f"{file.relative_to(attempt.folder)}: {told}")
        file.write_bytes(data)
    try:
        kind.read(path)
    except ValueError as err:
        check(err, attempt.folder)
        assert is_damaged or not kind.valid, f"refused without any damage: {err}"


def check(err: ValueError, folder: Path) -> None:
    """An error must have a code of the package and name the file."""
    is_own = isinstance(err, CorpusError) or re.search(r"\[DR\d{3}\]", str(err))
    if not is_own or str(folder) not in str(err):
        raise err


# What is read


def readers() -> List[Kind]:
    """The readers of all formats."""
    return [
        Kind(f"read/{name}", partial(write_input, given), partial(_read_corpus, format.read))
        for name, format in all_formats().items()
        if format.read is not None
        for given in _inputs_of(name)
    ]


def streams() -> List[Kind]:
    """The streams of all formats, from plain and from compressed files."""
    kinds = []
    for name, format in all_formats().items():
        for given in _inputs_of(name) if format.stream is not None else ():
            for write in (write_input, _write_compressed):
                ending = ".gz" if write is _write_compressed else ""
                kinds.append(
                    Kind(f"stream/{given}{ending}", partial(write, given), partial(_read_stream, format.stream))
                )
    return kinds


def _inputs_of(format: str) -> List[str]:
    """The inputs of a format: those of its name, or of what stands before a hyphen in it."""
    found = [name for name in INPUTS if name == format or name.startswith(f"{format}-")]
    return found or [format.partition("-")[0]]


def others() -> List[Kind]:
    """What training, scoring and graphs read."""
    return [
        Kind("spacy/corpus", partial(write_input, "spacy"), lambda path: list(rel_corpus(path)(spacy.blank("xx")))),
        Kind("spacy/descriptions", partial(write_input, "descriptions"), read_descriptions),
        *(
            Kind(f"spacy/graph-{name}", partial(write_input, name), _read_for_graph)
            for name in ("jsonl", "relations", "spacy")
        ),
        Kind("spacy/graph-far", partial(write_input, "far-relations"), _read_for_graph, valid=False),
    ]


def pipelines(ground: Ground) -> List[Kind]:
    """A pipeline: the files of the component, and those of spaCy."""

    def write(folder: Path) -> Path:
        return shutil.copytree(ground.pipeline, folder / "pipeline")

    names = {"component": f"{NAME}/*", "config": "config.cfg", "vocabulary": "vocab/*"}
    names.update(meta="meta.json", tokenizer="tokenizer")
    return [Kind(f"pipeline/{name}", write, load_pipeline, damaged) for name, damaged in names.items()]


def resumed(ground: Ground) -> List[Kind]:
    """What an interrupted extraction or training left."""
    run = {"model": "xx_pipeline", "version": "0.0.0"}
    network = get_network(ground.make_pipeline().get_pipe(NAME).model)
    states = {"networks": [network.state_dict()]}

    def write_journal(folder: Path) -> Path:
        path = folder / "out.jsonl"
        with Journal(path, run) as journal:
            list(journal.done())
            for number in range(3):
                journal.add(Record(f"d{number}", "Zorbin lowers quexia.", Place(Path("in"), number)))
        return path

    def read_journal(path: Path) -> None:
        with Journal(path, run, resume=True) as journal:
            list(journal.done())

    def write_checkpoint(folder: Path) -> Path:
        path = folder / "checkpoint.pt"
        Checkpoint({"seed": "0"}, [{"step": 1, "score": 0.5}]).write(path, states)
        return path

    return [
        Kind("resume/journal", write_journal, read_journal),
        Kind("resume/checkpoint", write_checkpoint, Checkpoint.read),
    ]


def _write_compressed(name: str, folder: Path) -> Path:
    path = write_input(name, folder)
    compressed = path.with_name(f"{path.name}.gz")
    compressed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return compressed


def _read_corpus(read: Callable[[Path], Iterator[Record]], path: Path) -> None:
    _use(read(path))


def _read_stream(stream: Callable[[Source], Iterator[Any]], path: Path) -> None:
    _use(_without_errors(stream(Source(path, path.name)), path.parent))


def _read_for_graph(path: Path) -> None:
    errors: List[CorpusError] = []
    _use(read_documents([path], errors.append))
    for err in errors:
        check(err, path.parent)


def _without_errors(documents: Iterator[Any], folder: Path) -> Iterator[Record]:
    for document in documents:
        if isinstance(document, Record):
            yield document
        else:
            check(document, folder)


def _use(records: Iterator[Record]) -> None:
    """Convert what was read, as the commands do."""
    nlp = spacy.blank("xx")
    # With spaCy's rules, the time for many brackets in a row is quadratic
    nlp.tokenizer = Tokenizer(nlp.vocab)
    nlp.add_pipe("sentencizer")
    for record in records:
        assert_sound(record)
        docs = DocBin(docs=records_to_docs([record], nlp, ConversionReport()), store_user_data=True)
        list(DocBin().from_bytes(docs.to_bytes()).get_docs(Vocab()))


# Damage


def damage(random: Random, data: bytes) -> Tuple[bytes, str]:
    """Damage data one to three times. Returns it with what was done."""
    told = []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        ways = [*_WAYS, *[_change_json] * 8] if data[:1] == b"{" else _WAYS
        data, what = random.choice(ways)(random, data)
        told.append(what)
    return data, ", ".join(told)


def _flip(random: Random, data: bytes) -> Tuple[bytes, str]:
    at, bit = random.randrange(len(data) or 1), 1 << random.randrange(8)
    changed = bytes(byte ^ bit for byte in data[at : at + 1])
    return data[:at] + changed + data[at + 1 :], f"bit {bit} at {at} flipped"


def _cut(random: Random, data: bytes) -> Tuple[bytes, str]:
    at, n = random.randint(0, len(data)), random.choice([1, 2, 8, 64])
    return data[:at] + data[at + n :], f"{n} bytes at {at} cut"


def _truncate(random: Random, data: bytes) -> Tuple[bytes, str]:
    at = random.randint(0, len(data))
    return data[:at], f"ends at {at}"


def _insert(random: Random, data: bytes) -> Tuple[bytes, str]:
    at = random.randint(0, len(data))
    what = random.choice([b"0", b"-", b"9" * 9, b'"', b"\t", b"\n", b"[", b"}", b"<", b"&", b"\xff", b"\0"])
    return data[:at] + what + data[at:], f"{what!r} at {at} inserted"


def _insert_many(random: Random, data: bytes) -> Tuple[bytes, str]:
    at, what = random.randint(0, len(data)), random.choice([b"[", b'{"a":', b"<a>", b"9", b"\t", b"\n", b" "])
    return data[:at] + what * 5_000 + data[at:], f"5,000 times {what!r} at {at} inserted"


def _swap(random: Random, data: bytes) -> Tuple[bytes, str]:
    first, second = sorted(random.randint(0, len(data)) for _ in range(2))
    n = random.choice([1, 4, 32])
    end = max(second, first + n)
    swapped = data[end : end + n] + data[first + n : end] + data[first : first + n]
    return data[:first] + swapped + data[end + n :], f"{n} bytes at {first} and {end} swapped"


def _swap_lines(random: Random, data: bytes) -> Tuple[bytes, str]:
    lines = data.split(b"\n")
    first, second = (random.randrange(len(lines)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines), f"lines {first + 1} and {second + 1} swapped"


def _repeat_line(random: Random, data: bytes) -> Tuple[bytes, str]:
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    return b"\n".join([*lines[:number], lines[number], *lines[number:]]), f"line {number + 1} repeated"


def _change_number(random: Random, data: bytes) -> Tuple[bytes, str]:
    places = list(re.finditer(rb"\d+", data))
    if not places:
        return data, "nothing changed"
    place = random.choice(places)
    number = str(random.choice([-1, 0, 1, 7, 999_999_999, 2**31, 2**64])).encode()
    return data[: place.start()] + number + data[place.end() :], f"number {number.decode()} at {place.start()}"


def _change_json(random: Random, data: bytes) -> Tuple[bytes, str]:
    """Replace, remove or repeat one value in one line."""
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    try:
        document = json.loads(lines[number])
    except (ValueError, RecursionError):
        return data, "nothing changed"
    places = list(_places(document))
    if not places:
        return data, "nothing changed"
    container, key = random.choice(places)
    value = random.choice(JSON_VALUES)
    action = random.choice(["replaced", "removed", "repeated"])
    if action == "removed":
        del container[key]
    elif action == "repeated" and isinstance(container, list):
        container.append(container[key])
    else:
        action, container[key] = f"now {value!r}", value
    lines[number] = json.dumps(document).encode()
    return b"\n".join(lines), f"{key!r} in line {number + 1} {action}"


def _places(value: Any) -> Iterator[Tuple[Any, Any]]:
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


_WAYS = [_flip, _cut, _truncate, _insert, _insert_many, _swap, _swap_lines, _repeat_line, _change_number]
