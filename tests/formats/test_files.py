"""Reading files: lines and their numbers, texts with their offsets, JSON lines, folders; errors name the place."""

import json
from pathlib import Path
from typing import Any, List, Optional, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from spacy_dualre.errors import CorpusError
from spacy_dualre.formats.files import files_in, parse_json, read_json_lines, read_lines, read_text
from spacy_dualre.records.record import Place

BOM = b"\xef\xbb\xbf"


class Mention(BaseModel):
    start: int
    type: str


class Document(BaseModel):
    id: str
    mentions: List[Mention] = []
    score: Optional[float] = None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made-up.txt"


def lines(path: Path, data: bytes, **settings: Any) -> List[Tuple[int, str]]:
    path.write_bytes(data)
    return [(place.line, line) for place, line in read_lines(path, **settings)]


def documents(path: Path, text: str) -> List[Tuple[Place, Document]]:
    path.write_text(text, encoding="utf8", newline="")
    return list(read_json_lines(path, Document))


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"a\nb\n", [(1, "a"), (2, "b")]),
        (b"a\nb", [(1, "a"), (2, "b")]),
        (b"a\r\nb\r\n", [(1, "a"), (2, "b")]),
        (b"\n\na\n", [(1, ""), (2, ""), (3, "a")]),
        (b"\n", [(1, "")]),
        (b" a\t \n", [(1, " a\t ")]),
        (BOM + b"a\nb\n", [(1, "a"), (2, "b")]),
        (BOM + BOM + b"a\n" + BOM + b"b", [(1, "\ufeffa"), (2, "\ufeffb")]),
        (b"a\rb\r\r\n", [(1, "a\rb\r")]),
        ("\u00e4\u03b2\U0001f34e\n".encode(), [(1, "\u00e4\u03b2\U0001f34e")]),
    ],
)
def test_lines_are_numbered_and_without_their_ends(path: Path, data: bytes, expected: List[Tuple[int, str]]) -> None:
    assert lines(path, data) == expected


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"])
def test_separators_inside_a_line_do_not_end_it(path: Path, separator: str) -> None:
    assert lines(path, f"a{separator}b\nc".encode()) == [(1, f"a{separator}b"), (2, "c")]


def test_an_empty_file_is_an_error_unless_it_may_be(path: Path) -> None:
    assert lines(path, b"", may_be_empty=True) == []
    with pytest.raises(CorpusError, match="made-up.txt: is empty"):
        lines(path, b"")


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path, may_be_empty=True)), read_text])
def test_a_missing_file_and_a_folder_are_errors(path: Path, read: Any) -> None:
    with pytest.raises(CorpusError, match=r"made-up.txt: cannot be read \(No such file or directory\)"):
        read(path)
    with pytest.raises(CorpusError, match="cannot be read"):
        path.write_bytes(b"x")
        read(path / "inside-a-file")
    with pytest.raises(CorpusError, match=f"{path.parent.name}: is a folder; expected a file"):
        read(path.parent)


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), read_text])
@pytest.mark.parametrize("bad", [b"caf\xe9", b"\xff\xfea\x00", b"\xed\xa0\x80", b"\xc3"])
def test_the_line_that_is_not_utf8_is_named(path: Path, read: Any, bad: bytes) -> None:
    path.write_bytes(b"fine\n\n" + bad + b"\nfine\n")
    with pytest.raises(CorpusError, match="made-up.txt, line 3: not UTF-8 .* save the file as UTF-8"):
        read(path)


def test_lines_before_the_bad_one_are_read(path: Path) -> None:
    path.write_bytes(b"one\ntwo\n\xff\n")
    numbered = read_lines(path)
    assert [next(numbered), next(numbered)] == [(Place(path, 1), "one"), (Place(path, 2), "two")]
    with pytest.raises(CorpusError):
        next(numbered)


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\nb\rc\n\n", "\u2028\u0085\x0c\n", " \ufeff", "\U0001f34e\u03b2"])
def test_a_text_is_read_as_it_is(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    assert read_text(path) == text
    path.write_bytes(BOM + text.encode())
    assert read_text(path) == text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        numbered = list(read_lines(path, may_be_empty=True))
    except CorpusError:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf8")
        return
    assert read_text(path) == data.removeprefix(BOM).decode("utf8")
    assert [place.line for place, _ in numbered] == list(range(1, len(numbered) + 1))
    assert not any("\n" in line for _, line in numbered)
    ends = data.count(b"\n") + (not data.endswith(b"\n"))
    assert len(numbered) == (ends if data else 0)


# JSON


def test_json_lines_come_with_their_places(path: Path) -> None:
    text = '{"id": "a"}\n\n  \n{"id": "b", "mentions": [{"start": 3, "type": "X"}], "score": 1}\r\n'
    assert documents(path, text) == [
        (Place(path, 1), Document(id="a")),
        (Place(path, 4), Document(id="b", mentions=[Mention(start=3, type="X")], score=1.0)),
    ]


@pytest.mark.parametrize(
    "line, problem",
    [
        ("{", "Invalid JSON"),
        ("nothing", "Invalid JSON"),
        ('{"id": "a"} {}', "Invalid JSON"),
        ("{'id': 'a'}", "Invalid JSON"),
        ('{"id": "\\ud800"}', "Invalid JSON"),
        ("[" * 10000, "Invalid JSON"),
        ("[]", "object"),
        ("null", "object"),
        ("{}", "Field required in id"),
        ('{"id": 7}', " in id"),
        ('{"id": "a", "mentions": {}}', " in mentions"),
        ('{"id": "a", "mentions": [{"start": 3, "type": "X"}, {"start": "3"}]}', " in mentions.1.start"),
        ('{"id": "a", "mentions": [{"start": 3.5, "type": "X"}]}', " in mentions.0.start"),
        ('{"id": "a", "mentions": [{"start": true, "type": "X"}]}', " in mentions.0.start"),
        ('{"id": "a", "mentions": [{"start": 3}]}', "Field required in mentions.0.type"),
    ],
)
def test_what_is_not_of_the_schema_is_named(path: Path, line: str, problem: str) -> None:
    with pytest.raises(CorpusError) as caught:
        documents(path, f'{{"id": "fine"}}\n{line}\n')
    assert f"{path}, line 2: " in str(caught.value) and problem in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 + len(str(path))


def test_values_before_the_bad_line_are_read(path: Path) -> None:
    path.write_text('{"id": "fine"}\n{\n', encoding="utf8")
    values = read_json_lines(path, Document)
    assert next(values)[1].id == "fine"
    with pytest.raises(CorpusError):
        next(values)


def test_a_whole_file_of_json_names_no_line(path: Path) -> None:
    assert parse_json(json.dumps({"id": "a"}, indent=1), Document, Place(path)) == Document(id="a")
    with pytest.raises(CorpusError) as caught:
        parse_json("{}", Document, Place(path))
    assert f"[DR326] {path}: Field required in id." in str(caught.value)


# Folders


def test_a_file_stands_for_itself_whatever_its_suffix(path: Path) -> None:
    path.write_bytes(b"x")
    assert files_in(path, ".xml") == [path]


def test_the_files_of_a_folder_and_its_subfolders_are_sorted(tmp_path: Path) -> None:
    names = ["b.xml", "a.xml", "a/c.xml", "a/d/e.xml", "a.txt", "a/xml", "f.XML.gz"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [path.relative_to(tmp_path).as_posix() for path in files_in(tmp_path, ".xml")]
    assert found == sorted(found, key=lambda name: tuple(name.split("/")))
    assert set(found) == {"a.xml", "a/c.xml", "a/d/e.xml", "b.xml"}


def test_a_folder_without_such_files_and_a_missing_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no file \*\.xml in this folder"):
        files_in(tmp_path, ".xml")
    with pytest.raises(CorpusError, match="nowhere: no such file or folder"):
        files_in(tmp_path / "nowhere", ".xml")
