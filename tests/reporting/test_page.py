"""A page parses, needs nothing else, is described in words, and says what it was given."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from recurra.auditing.tables import Table
from recurra.diagnosing import Finding
from recurra.errors import FileError, MissingExtraError, OptionError
from recurra.explaining.painting import STRONGEST
from recurra.reporting import (
    Code,
    Findings,
    Folded,
    Gallery,
    Listed,
    Picture,
    Section,
    as_page,
    check_page,
)

VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = '<script>alert("x")</script> $a_1$ & <b>'


class Reader(HTMLParser):
    """Reads a page, and checks that what is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.tags = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def named(self, tag):
        return [attrs for one, attrs in self.tags if one == tag]

    @property
    def scripts(self):
        """How many scripts run; what pictures say is data."""
        return sum(each.get("type") != "application/json" for each in self.named("script"))


def line(label="loss"):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2, 1], color="#0b6aa8", label=label)
    figure.axes[0].set_xlabel(label.replace("$", r"\$"))
    return figure


def whole(text="calm"):
    """A page with a part of each kind, all of which hold a text."""
    parts = [
        text,
        Table(text, (text, "value"), ((text, 1.5), ("b", 2.0))),
        Findings([Finding("code", "warning", text, text)]),
        Listed(text, [text]),
        Code(text, text),
        Picture(text, line(text), text),
        Gallery([Picture("one", line(), "first"), Picture("two", line(), "second")]),
        Folded(text, [text, Picture("three", line(), "third")]),
    ]
    return as_page(text, [(text, text)], [Section(text, parts), Section("next", ["end"])])


def test_every_part_is_on_a_page_that_parses():
    text = " ".join(Reader(whole("calm")).text)
    assert text.count("calm") >= 14
    assert all(word in text for word in ("first", "second", "third", "1.5", "next", "end"))


def test_it_needs_no_network_and_no_file():
    page = whole()
    assert "http" not in page
    for tag, attrs in Reader(page).tags:
        for name in ("src", "href", "xlink:href", "action"):
            if attrs.get(name):
                assert attrs[name].startswith(("#", "data:")), (tag, attrs)
        assert tag not in ("link", "iframe", "object")
    assert not re.findall(r"url\((?!#)", page)
    assert "@import" not in page


def test_it_has_light_dark_and_print_and_pictures_take_their_colours():
    page = whole()
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 4
    assert all("var(--bar)" in each and "#0b6aa8" not in each for each in pictures)


def colours(page):
    """The variables of light, and those of dark."""
    light, dark = (dict(re.findall(r"(--\w+): #(\w{6})", part)) for part in
                   re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:2])  # fmt: skip
    return {"light": light, "dark": light | dark}


def mixed(top, ground, share):
    pairs = zip(bytes.fromhex(top), bytes.fromhex(ground), strict=True)
    return bytes(round(share * a + (1 - share) * b) for a, b in pairs).hex()


def contrast(one, other):
    """As WCAG 2 defines it."""

    def light(colour):
        parts = [each / 255 for each in bytes.fromhex(colour)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_letters_and_lines_stand_out_from_their_ground(mode):
    known = colours(whole())[mode]
    for ground in (known["--page"], known["--card"]):
        for name in ("ink", "faint", "warning", "advice", "note"):
            assert contrast(known[f"--{name}"], ground) >= 4.5, (name, ground)
    for name in ("bar", "accent"):
        assert contrast(known[f"--{name}"], known["--page"]) >= 3, name
        shade = mixed(known[f"--{name}"], known["--page"], STRONGEST)
        assert contrast(known["--ink"], shade) >= 4.5, f"a word on {name}"


def test_pictures_are_described_headings_are_in_order_and_links_lead_somewhere():
    page = Reader(whole())
    described = [attrs for _, attrs in page.tags if attrs.get("role") == "img"]
    assert len(described) == len(page.named("svg")) == 4
    assert all(len(attrs["aria-label"]) > 4 for attrs in described)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {attrs["href"][1:] for attrs in page.named("a")}
    wanted |= {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs}
    assert {"section1", "section2"} <= wanted <= set(ids)
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.named("th"))
    assert page.named("html")[0]["lang"] == "en"


def test_hostile_text_is_only_text():
    page = Reader(whole(HOSTILE))
    assert page.scripts == 1  # the page's own
    assert not page.named("b")
    assert any(HOSTILE in each for each in page.text)


def test_places_of_a_picture_are_as_fine_as_can_be_seen():
    (picture,) = re.findall(r"<svg.*?</svg>", as_page("t", [], [
        Section("s", [Picture("p", line(), "c")])]), re.DOTALL)  # fmt: skip
    assert not re.findall(r"\d\.\d{3}", picture)
    assert "<!--" not in picture


def test_many_rows_are_cut_and_it_is_said():
    rows = tuple((f"row {k}", k) for k in range(250))
    page = as_page("t", [], [Section("s", [Table("long", ("name", "k"), rows)])])
    assert "row 199" in page
    assert "row 200" not in page
    assert "50 more rows are left out here." in page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("page.pdf", "Call it page.html"),
        ("page", "Call it page.html"),
        ("none/page.html", "no directory"),
    ],
)
def test_a_page_that_could_not_be_written_is_refused(tmp_path, name, said):
    with pytest.raises(FileError, match=said):
        check_page(tmp_path / name)


def test_a_directory_is_no_page_and_data_are_no_path(tmp_path):
    (tmp_path / "a.html").mkdir()
    for place in (tmp_path, tmp_path / "a.html"):
        with pytest.raises(FileError, match=r"is a directory\. Give a file in it: .*report\.html"):
            check_page(place)
    with pytest.raises(OptionError, match=r'report\("out.html", X, y\)'):
        check_page([[1.0]])


def test_without_jinja_the_extra_is_named(monkeypatch, tmp_path):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr("recurra.errors.import_module", refuse)
    with pytest.raises(MissingExtraError, match=r"recurra\[report\]"):
        check_page(tmp_path / "page.html")
