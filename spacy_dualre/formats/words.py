"""What corpora of tokens have in common: texts of words, and ids of predicates, whose names are in a file beside."""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Dict, List, Sequence, Tuple, Union

from pydantic import RootModel

from ..errors import Errors
from ..records.record import Offsets, Place, Record
from .files import parse_json, read_text

#: Escapes of the Penn Treebank.
ESCAPES = {
    **{"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    **{"``": '"', "''": '"'},
}


class _Names(RootModel):
    """Names, which may have descriptions."""

    root: Dict[str, Union[str, Tuple[str, str]]]


def record_of_words(id: str, sentences: Sequence[Sequence[str]], place: Place) -> Record:
    """A record of the words of sentences, unescaped and joined with blanks. Raises CorpusError for an empty one."""
    tokens: List[Offsets] = []
    starts: List[int] = []
    offset = 0
    for number, sentence in enumerate(sentences, 1):
        # An empty sentence has lists of annotations but no offset
        starts += [offset] if sentence else []
        for word in sentence:
            if not word:
                raise place.error(Errors.DR368, number=number, id=id)
            tokens.append((offset, offset + len(ESCAPES.get(word, word))))
            offset = tokens[-1][1] + 1
    text = " ".join(ESCAPES.get(word, word) for word in chain.from_iterable(sentences))
    return Record(id, text, place, sentences=tuple(starts), tokens=tuple(tokens))


def stretch(tokens: Sequence[Offsets], first: int, end: int) -> Offsets:
    """The characters of some tokens, end exclusive, or (-1, -1), outside of the text, if these are no tokens of it."""
    return (tokens[first][0], tokens[end - 1][1]) if 0 <= first < end <= len(tokens) else (-1, -1)


def names_beside(path: Path, name: str) -> Dict[str, str]:
    """The names of predicates, by their ids, in the JSON file with this name beside a corpus; none without the file.

    A name of several predicates, such as None, would make them one, and is left out.
    """
    file = path.with_name(name)
    if not file.exists():
        return {}
    values = parse_json(read_text(file), _Names, Place(file)).root
    names = {id: value if isinstance(value, str) else value[0] for id, value in values.items()}
    n = Counter(names.values())
    return {id: name for id, name in names.items() if name and n[name] == 1}


def name_predicate(id: str, names: Dict[str, str], record: Record) -> str:
    """The name of a predicate, or else its id, which is noted."""
    if id not in names:
        record.notes["predicate without a name of its own, so called by its id"] += 1
    return names.get(id, id)
