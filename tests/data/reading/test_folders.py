import os
import re

import numpy as np
import pytest

from recurra.data.reading.folders import find_files, read_labels
from recurra.errors import DataError, FileError, OptionError


def labels(labels_from, *ids, y=None):
    return read_labels(y, labels_from, ids, np.zeros(len(ids), np.int64), "x")


def code(labels_from, *ids):
    with pytest.raises(DataError) as caught:
        labels(labels_from, *ids)
    return caught.value.code, caught.value.record


def test_files_from_several_folders_are_named_by_what_they_do_not_share(tmp_path):
    paths = [tmp_path / "a" / "1.x", tmp_path / "b" / "1.x"]
    assert list(find_files(paths, [".y"])) == ["a/1.x", "b/1.x"]
    assert list(find_files(iter(paths[:1]), [".x"])) == ["1.x"]
    assert list(find_files(str(paths[0]), [".x"])) == ["1.x"]


def test_files_of_a_folder_come_in_natural_order(tmp_path):
    for name in ("10.x", "9.x", "a1b10.x", "a1b9.x", "8.y"):
        (tmp_path / name).touch()
    assert list(find_files(tmp_path, [".x"])) == ["9.x", "10.x", "a1b9.x", "a1b10.x"]


def test_a_link_to_a_folder_above_does_not_lead_astray(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.x").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert list(find_files(tmp_path, [".x"])) == ["a/1.x"]


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "a.x").touch()
    (tmp_path / "closed").mkdir()
    look = os.scandir

    def closed(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(FileError, match="closed cannot be read: Permission denied"):
        find_files(tmp_path, [".x"])


def test_a_folder_without_such_files_is_refused(tmp_path):
    (tmp_path / "a.y").touch()
    with pytest.raises(FileError, match=re.escape(f"{tmp_path} holds no file that ends in .x")):
        find_files(tmp_path, [".x"])


@pytest.mark.parametrize("source", [None, 5, b"a.x", [None], ["a.x", 3]])
def test_what_is_no_path_is_refused(source):
    with pytest.raises(OptionError, match="a folder or a list of files"):
        find_files(source, [".x"])


def test_no_files_and_the_same_twice_are_refused(tmp_path):
    with pytest.raises(DataError, match="No files"):
        find_files([], [".x"])
    with pytest.raises(DataError, match="twice"):
        find_files([tmp_path / "a.x"] * 2, [".x"])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [(r"\d+", ["7", "12"]), (r"_(\d+)", ["7", "12"]), (r"^(?:a|b)", ["a", "b"])],
)
def test_one_group_or_the_whole_match_is_the_label(expression, expected):
    targets, groups = labels(expression, "a_7.x", "b_12.x")
    target = targets["y"]
    assert [target.classes[k] for k in target.values.ravel()] == expected
    assert groups is None


def test_a_group_alone_is_no_target():
    targets, groups = labels(re.compile(r"(?P<group>\w)\."), "a.x", "b.x")
    assert targets == {}
    assert groups.tolist() == ["a", "b"]


def test_a_name_without_label_is_refused():
    assert code(r"\d", "1.x", "b.x") == ("no_label", "b.x")
    assert code(r"(?P<a>\d)?(?P<b>\w)", "1a.x", "b.x") == ("no_label", "b.x")
    assert code("folder", "a/1.x", "1.x") == ("no_label", "1.x")


@pytest.mark.parametrize("expression", ["(", r"(\d)(\w)", r"(?P<a>\d)(\w)"])
def test_an_expression_that_names_no_target_is_refused(expression):
    with pytest.raises(OptionError, match="labels_from"):
        labels(expression, "1a.x")


def test_labels_do_not_come_from_two_places():
    with pytest.raises(OptionError, match="not from both"):
        labels("folder", "a/1.x", y=[1])
