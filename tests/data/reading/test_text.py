import gzip
import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.reading.text import from_text
from recurra.errors import DataError, FileError, OptionError

REAL = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))


def write(folder, content, name="a.txt"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tokens(data):
    stream = data.stream
    words = np.array(stream.categories["token"], object)
    return [words[stream.at(i).values.ravel()].tolist() for i in range(len(data))]


def fault(source, kind=DataError, **options):
    with pytest.raises(kind) as caught:
        from_text(source, **options)
    return caught.value


# Units -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")), min_size=1
    )
)
@settings(deadline=None, max_examples=60)
def test_letters_and_bytes_are_those_of_the_text(texts):
    data = from_text(texts, form=None)
    assert ["".join(each) for each in tokens(data)] == texts
    assert data.stream.categories["token"] == tuple(sorted(set("".join(texts))))
    data = from_text(texts, form=None, unit="byte")
    assert [bytes(each).decode() for each in tokens(data)] == texts


def test_tokens_are_small_integers_in_one_channel():
    stream = from_text(["ab", "ca"]).stream
    assert (stream.kind, stream.channels, stream.values.dtype) == ("tokens", ("token",), np.int32)
    assert stream.values.ravel().tolist() == [0, 1, 2, 0]
    assert from_text(["ab"], unit="byte").stream.categories["token"] == tuple(range(256))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't, you don’t.", ["I", "don't", ",", "you", "don’t", "."]),
        ("'quoted' rock'n'roll", ["'", "quoted", "'", "rock'n'roll"]),
        ("well-known  x_1\t3.5\n", ["well", "-", "known", "x_1", "3", ".", "5"]),
        ("我爱北京，ok", ["我", "爱", "北", "京", "，", "ok"]),
        ("人々\U00020000x東京タワー", ["人", "々", "\U00020000", "x", "東", "京", "タワー"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("안녕 été", ["안녕", "été"]),
        ("e\u0301te\u0301 q\u0323x \u0301", ["été", "q\u0323x", "\u0301"]),
        ("😀😀!", ["😀", "😀", "!"]),
        ("", []),
        (" \n\t\u3000", []),
    ],
)
def test_words_are_runs_of_letters_and_chinese_characters_one_by_one(text, expected):
    assert tokens(from_text([text, "x"], unit="word"))[0] == expected


@pytest.mark.parametrize("expression", [r"\S+", r"(\S)(\S*)", r"(?P<word>\S+)"])
def test_an_expression_of_ones_own_finds_tokens(expression):
    assert tokens(from_text(["a-b  c"], unit=re.compile(expression))) == [["a-b", "c"]]


@pytest.mark.parametrize("unit", ["char", "word", "byte"])
def test_an_empty_text_is_a_record_of_length_zero(unit):
    assert from_text(["", "a", ""], unit=unit).stream.lengths.tolist() == [0, 1, 0]
    assert from_text(["", ""], unit=unit).stream.lengths.tolist() == [0, 0]


def test_words_of_a_long_text_take_a_moment_and_not_a_quadratic_one():
    text = "'" * 50_000 + "a'" * 50_000 + "a\u0301" * 50_000
    assert from_text([text], unit="word", form=None).stream.lengths.tolist() == [50_001]


# What is brought to one form ----------------------------------------------------------------


def test_signs_written_in_two_ways_become_one():
    assert tokens(from_text(["e\u0301", "é"])) == [["é"], ["é"]]
    assert tokens(from_text(["e\u0301"], form=None)) == [["e", "\u0301"]]
    assert tokens(from_text(["ﬁ"], form="NFKC")) == [["f", "i"]]


def test_a_byte_order_mark_at_the_beginning_is_dropped(tmp_path):
    assert tokens(from_text(["\ufeffa", "a\ufeff"])) == [["a"], ["a", "\ufeff"]]
    assert tokens(from_text(write(tmp_path, b"\xef\xbb\xbfa\nb"))) == [["a"], ["b"]]


@pytest.mark.parametrize("kept", ["\u200f", "\u202e", "\u200d", "\x07", " ", "A", "\u2028", "\x85"])
def test_marks_spaces_and_capitals_are_kept(tmp_path, kept):
    text = f"a{kept}b"
    assert tokens(from_text([text])) == [list(text)]
    assert tokens(from_text(write(tmp_path, text))) == [list(text)]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_on_any_machine(tmp_path, ending):
    path = write(tmp_path, f"a{ending}{ending}b{ending}")
    data = from_text(path)
    assert data.ids == ("a.txt:1", "a.txt:2", "a.txt:3")
    assert tokens(data) == [["a"], [], ["b"]]
    assert tokens(from_text(path, lines=False)) == [["a", "\n", "\n", "b", "\n"]]


# Files -------------------------------------------------------------------------------------


def test_files_of_a_folder_are_records_of_their_class(tmp_path):
    for name in ("pos/10.txt", "pos/2.txt", "neg/1.txt"):
        write(tmp_path, name, name)
    write(tmp_path, "", "neg/3.txt")
    data = from_text(tmp_path, labels_from="folder")
    assert data.ids == ("neg/1.txt", "neg/3.txt", "pos/2.txt", "pos/10.txt")
    assert data.target.classes == ("neg", "pos")
    assert data.stream.lengths.tolist() == [9, 0, 9, 10]


def test_a_file_a_class_with_a_line_a_record(tmp_path):
    write(tmp_path, "Anna\nBo\n", "female.txt")
    write(tmp_path, "Carl\n", "male.txt")
    data = from_text(tmp_path, lines=True, labels_from=r"(\w+)\.txt")
    assert data.ids == ("female.txt:1", "female.txt:2", "male.txt:1")
    assert data.target.classes == ("female", "male")
    assert data.target.values.ravel().tolist() == [0, 0, 1]


def test_labels_stand_at_the_beginning_of_each_line(tmp_path):
    path = write(tmp_path, "3 a fine film\n0 \n3 so so\n")
    data = from_text(path, separator=" ")
    assert tokens(data) == [list("a fine film"), [], list("so so")]
    assert data.target.classes == ("0", "3")
    found = fault(write(tmp_path, "3 a\nb\n"), separator=" ")
    assert (found.code, found.record, found.value) == ("no_label", "a.txt:2", "b")
    assert fault(write(tmp_path, "3 a\n b\n"), separator=" ").record == "a.txt:2"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"ab\ncd\xffe", "0xff at byte 5, line 2"),
        (b"\xef\xbb\xbfab\n\n\xc3", "0xc3 at byte 7, line 3"),
        (b"a\xed\xa0\x80", "0xed at byte 1, line 1"),
        (b"a\nb\0c", "zero byte at 3"),
        ("abc".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_text_is_refused_with_its_byte_and_line(tmp_path, content, what):
    path = write(tmp_path, content)
    said = str(fault(path, FileError))
    assert str(path) in said
    assert what in said


def test_gzipped_text_is_unpacked_up_to_a_limit(tmp_path):
    write(tmp_path, gzip.compress("été\n2".encode()), "a.txt.gz")
    data = from_text(tmp_path)
    assert (data.ids, tokens(data)) == (("a.txt.gz:1", "a.txt.gz:2"), [["é", "t", "é"], ["2"]])
    path = write(tmp_path, gzip.compress(bytes(50_000_000)), "bomb.txt.gz")
    assert "unpacks to more" in str(fault(path, FileError))
    path = write(tmp_path, gzip.compress(b"ab" * 1000, mtime=0)[:-9], "cut.txt.gz")
    assert "cut off" in str(fault(path, FileError))


def test_texts_of_two_vocabularies_are_joined_by_their_tokens():
    assert tokens(from_text(["ab"]).join(replace(from_text(["ca"]), ids=(1,)))) == [
        ["a", "b"],
        ["c", "a"],
    ]


def test_files_that_are_not_there_or_have_no_lines_are_refused(tmp_path):
    assert "does not exist" in str(fault(tmp_path / "b.txt", FileError))
    assert "no file that ends in .txt" in str(fault(tmp_path, FileError))
    assert fault(write(tmp_path, "")).code == "empty"


# Texts that are none -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("ab\0c", "zero", 2),
        ("é\0", "zero", 1),
        ("ab\ud83dc", "surrogate", 2),
        ("\udcff", "surrogate", 0),
        ("a" * 11, "too_long", None),
        (None, "no_text", None),
        (float("nan"), "no_text", None),
        (b"bytes", "no_text", None),
        (["a", "b"], "no_text", None),
    ],
)
def test_what_is_no_text_is_refused_with_its_record(text, code, row):
    found = fault(["fine", text], longest=10)
    assert (found.code, found.record, found.row) == (code, 1, row)


def test_a_line_of_ten_megabytes_is_refused_unless_allowed(tmp_path):
    path = write(tmp_path, b"short\n" + b"x" * 10_000_000)
    found = fault(path)
    assert (found.code, found.record) == ("too_long", "a.txt:2")
    assert "10000000 letters" in str(found)
    assert from_text(path, longest=None).stream.lengths.tolist() == [5, 10_000_000]


@pytest.mark.parametrize("source", ["a text or a name?", b"bytes"])
def test_a_string_alone_is_refused_with_both_readings(source):
    said = str(fault(source, OptionError))
    assert "[text]" in said
    assert "Path(name)" in said


@pytest.mark.parametrize("source", [None, 5, {"a": "b"}])
def test_what_is_no_list_is_refused(source):
    assert "A list of texts" in str(fault(source, OptionError))


def test_nothing_and_mixtures_are_refused(tmp_path):
    assert fault([]).code == "empty"
    assert fault([write(tmp_path, "a"), "b"]).code == "no_text"


@pytest.mark.parametrize(
    "options",
    [
        {"unit": "letter"},
        {"form": "NFX"},
        {"longest": "1"},
        {"lines": True},
        {"labels_from": r"\d"},
        {"separator": " ", "y": [1]},
        {"separator": " ", "labels_from": r"\d"},
    ],
)
def test_wrong_options_are_refused(options):
    fault(["a b"], OptionError, **options)


def test_ten_million_letters_stay_small():
    text = "abcdé" * 2_000_000
    tracemalloc.start()
    stream = from_text([text], longest=None).stream
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stream.values.nbytes == 4 * 10_000_000
    assert kept < 45_000_000
    assert peak < 300_000_000


# Real texts --------------------------------------------------------------------------------


def real(name):
    if not (REAL / name).exists():
        pytest.skip(f"{REAL} has no {name}")
    return REAL / name


@pytest.mark.data
def test_real_texts_are_read():
    films = from_text(real("txt_sst") / "stsa.fine.test.txt", separator=" ", unit="word")
    assert (len(films), films.target.classes) == (2210, tuple("01234"))
    names = from_text(real("txt_names") / "nationality", lines=True, labels_from=r"(\w+)\.txt")
    assert (len(names), len(names.target.classes)) == (20050, 18)
    assert (names.lengths >= 2).all()
    assert (names.lengths <= 20).all()


@pytest.mark.data
def test_real_chinese_is_read_character_by_character(tmp_path):
    content = gzip.decompress((real("txt_chnsenticorp") / "dev.tsv.gz").read_bytes())
    path = write(tmp_path, content.partition(b"\n")[2])
    data = from_text(path, separator="\t", unit="word")
    assert (len(data), data.target.classes) == (1200, ("0", "1"))
    han = [word for word in data.stream.categories["token"] if "\u4e00" <= word[0] <= "\u9fff"]
    assert len(han) > 2000
    assert all(len(word) == 1 for word in han)
