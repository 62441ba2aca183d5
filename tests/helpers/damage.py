"""Damage to small valid files, and what must hold for whatever a reader still makes of them."""

import json
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

from hypothesis import strategies as st

from spacy_dualre.errors import CorpusError
from spacy_dualre.records.record import Record

Draw = Callable[[st.SearchStrategy], Any]

JSON_VALUES = [None, True, False, -1, 0, 1, 3, 10**30, 0.5, 7.0, float("nan"), "", " ", "NA", "\ud800", [], [[]], {}]


def _place(draw: Draw, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def _cut(draw: Draw, data: bytes) -> bytes:
    start = _place(draw, data)
    return data[:start] + data[start + draw(st.integers(1, 20)) :]


def _insert(draw: Draw, data: bytes) -> bytes:
    start = _place(draw, data)
    return data[:start] + draw(st.binary(min_size=1, max_size=4)) + data[start:]


def _overwrite(draw: Draw, data: bytes) -> bytes:
    start = _place(draw, data)
    return (
        data[:start] + draw(st.sampled_from([b"0", b"9", b"-", b'"', b"\t", b"[", b"}", b"\xff"])) + data[start + 1 :]
    )


def _truncate(draw: Draw, data: bytes) -> bytes:
    return data[: _place(draw, data)]


def _shuffle_lines(draw: Draw, data: bytes) -> bytes:
    return b"\n".join(draw(st.permutations(data.split(b"\n"))))


def _repeat_line(draw: Draw, data: bytes) -> bytes:
    lines = data.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    return b"\n".join([*lines, lines[number]])


def _change_json(draw: Draw, data: bytes) -> bytes:
    """Replace, remove or repeat one value in one line."""
    lines = data.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    try:
        document = json.loads(lines[number])
    except ValueError:
        return data
    places = list(_places(document))
    if not places:
        return data
    container, key = places[draw(st.integers(0, len(places) - 1))]
    action = draw(st.sampled_from(["replace", "remove", "repeat"]))
    if action == "remove":
        del container[key]
    elif action == "repeat" and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = draw(st.sampled_from(JSON_VALUES))
    lines[number] = json.dumps(document).encode()
    return b"\n".join(lines)


def _places(value: Any) -> Iterator[Tuple[Any, Any]]:
    # An earlier damage may have left a line with a number alone
    keys: List[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value) if isinstance(value, list) else 0))
    )
    for key in keys:
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


_BYTES = [_cut, _insert, _overwrite, _truncate, _shuffle_lines, _repeat_line]


@st.composite
def damaged(draw: Draw, data: bytes, json_lines: bool = False) -> bytes:
    """The bytes of a file with one to three damages. json_lines: most of them to values, not to bytes."""
    ways = [*_BYTES, *[_change_json] * 12] if json_lines else _BYTES
    for _ in range(draw(st.integers(1, 3))):
        data = draw(st.sampled_from(ways))(draw, data)
    return data


def assert_damage_is_survived(read: Callable[[Path], Iterator[Record]], path: Path) -> None:
    """Reading ends in a CorpusError, or in records that are sound."""
    ids = set()
    try:
        for record in read(path):
            assert_sound(record)
            assert record.id not in ids
            ids.add(record.id)
    except CorpusError as err:
        assert str(path) in str(err)


def assert_sound(record: Record) -> None:
    """Mentions lie in the text and have ids of their own, relations are between them, tokens are apart."""
    mentions = {mention.id for mention in record.mentions}
    assert len(mentions) == len(record.mentions)
    for mention in record.mentions:
        found = record.text[mention.start : mention.end]
        assert 0 <= mention.start < mention.end <= len(record.text) and found == found.strip() != "" and mention.type
    assert all(argument in mentions for rel in record.relations for argument in (rel.subject, rel.object))
    assert all(0 <= rel.score <= 1 for rel in record.relations)
    end = 0
    for start, stop in record.tokens or ():
        assert end <= start < stop <= len(record.text)
        end = stop
    starts = record.sentences or ()
    assert list(starts) == sorted(set(starts)) and all(0 <= start < len(record.text) for start in starts)
