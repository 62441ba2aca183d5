"""Files that are there as a whole or not at all."""

from pathlib import Path

import pytest

from spacy_dualre.writing import check_writable, whole_file, write_json, write_text


def test_a_file_and_its_folder_are_written(tmp_path):
    path = tmp_path / "new" / "text.txt"
    write_text(path, "ä\nb\r\n")
    assert path.read_bytes() == "ä\nb\r\n".encode()
    write_json(path, {"a": [1]})
    assert '"a"' in path.read_text() and list(path.parent.iterdir()) == [path]


def test_a_work_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "text.txt"
    write_text(path, "before")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as file:
        file.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_the_end_of_the_name_stays_for_libraries_that_go_by_it(tmp_path):
    with whole_file(tmp_path / "graph.svg") as file:
        file.write_text("")
        assert file.suffix == ".svg" and file.parent == tmp_path


def test_whether_it_can_be_written_is_known_before(tmp_path):
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "new" / "a.json", None, tmp_path / "file")
    assert (tmp_path / "new").is_dir()
    for path, problem in ((tmp_path, "is a folder"), (tmp_path / "file" / "a.json", "File exists|Not a directory")):
        with pytest.raises(ValueError, match=f"DR824.*{path.name}.*({problem})"):
            check_writable(path)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "text"


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.txt", tmp_path / "folder"):
        with pytest.raises(ValueError, match=f"DR824.*{path.name}"):
            write_text(path, "text")
    assert (tmp_path / "file").is_file() and (tmp_path / "folder").is_dir()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_said():
    with pytest.raises(ValueError, match="DR824.*/dev/full.*No space left"):
        write_text(Path("/dev/full"), "text")
