"""Files and folders take the place of old ones whole, or not at all."""

import pytest

from semrec.environment.files import replacing, write_text


def write(path, text, *, folder):
    if folder:
        path.mkdir()
        (path / "inside").mkdir()
        path = path / "inside" / "file"
    path.write_text(text)


def read(path):
    return (path / "inside" / "file" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_complete_takes_the_place_of_the_old(tmp_path, folder):
    target = tmp_path / "deeper" / "target"
    for text in ("old", "new"):
        with replacing(target) as made:
            assert made.name == target.name
            write(made, text, folder=folder)
            if text == "new":
                assert read(target) == "old"
        assert read(target) == text
    assert list(target.parent.iterdir()) == [target]  # and leaves nothing beside it


def interrupted(target, *, folder):
    with replacing(target) as made:
        write(made, "half", folder=folder)
        raise KeyboardInterrupt


@pytest.mark.parametrize("folder", [False, True])
def test_an_error_leaves_the_old(tmp_path, folder):
    target = tmp_path / "target"
    write(target, "old", folder=folder)
    with pytest.raises(KeyboardInterrupt):
        interrupted(target, folder=folder)
    assert read(target) == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_put_back_if_the_new_one_cant_be_moved(tmp_path):
    target = tmp_path / "target"
    write(target, "old", folder=True)
    with pytest.raises(FileNotFoundError), replacing(target):
        pass  # nothing was written
    assert read(target) == "old"


def test_text_is_written_as_utf8(tmp_path):
    assert write_text(tmp_path / "a.txt", "Amélie × 2\n").read_bytes() == "Amélie × 2\n".encode()
