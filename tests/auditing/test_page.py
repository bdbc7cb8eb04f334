"""The page parses, needs nothing else, holds every finding, and stays small."""

from __future__ import annotations

import builtins
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from recurra.auditing import Audit, audit
from recurra.auditing.pictures import caption
from recurra.data.reading.arrays import from_arrays
from recurra.errors import DataWarning, FileError, MissingExtraError, OptionError

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads the text of a page, and checks that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append((tag, named))
        self.ids += [named["id"]] if "id" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def messy(channels=3, names=None):
    rng = np.random.default_rng(0)
    records = []
    for size in rng.integers(20, 90, 30):
        values = rng.normal(size=(size, channels))
        values[rng.random(values.shape) < 0.3] = np.nan
        values[0, 0] = 1e6
        records.append(values)
    times = [np.cumsum(rng.exponential(5, len(each))) for each in records]
    return from_arrays(records, [0, 1] * 15, times=times, channels=names)


def test_every_finding_step_and_cell_is_on_a_page_that_parses():
    report = audit(messy())
    page = read(report.to_html(title="Messy & small"))
    text = re.sub(r"\s+", " ", " ".join(page.text))
    assert "Messy & small" in text
    assert report.findings
    for each in report.findings:
        assert each.sentence in text
        assert each.code in text
    for step in report.steps:
        assert repr(step.treatment) in text
        assert step.reason in text
    for table in report.tables:
        assert all(cell in text for row in table.written() for cell in row)


def test_the_recommendation_is_python_that_runs():
    data = messy()
    report = audit(data)
    page = read(report.to_html())
    code = next(text for text in page.text if text.startswith("from recurra"))
    space = {"train": data, "test": data}
    with pytest.warns(DataWarning, match="clipped"):
        exec(code, space)
    assert space["preprocessor"].treatments == report.recommended.treatments
    assert np.isfinite(space["test"].stream.values).all()


def test_a_page_needs_no_network_and_has_light_dark_and_print():
    page = audit(messy()).to_html()
    assert "<script" not in page
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    for colour in ("#010203", "#040506", "#070809", "#0a0b0c"):
        assert colour not in page


def test_pictures_are_described_and_no_identifier_is_there_twice():
    report = audit(messy())
    page = read(report.to_html())
    assert [each["kind"] for each in report.drawings] == ["holes", "lengths", "gaps", "ranges"]
    described = [named for _, named in page.tags if named.get("role") == "img"]
    assert len(described) == 4
    assert all(caption(each) for each in report.drawings)
    assert len(page.ids) == len(set(page.ids))
    referred = {
        named["href"][1:] for _, named in page.tags if named.get("href", "").startswith("#")
    }
    referred |= {
        named["xlink:href"][1:]
        for _, named in page.tags
        if "xlink:href" in named and named["xlink:href"].startswith("#")
    }
    assert referred <= set(page.ids)


def test_names_that_look_like_html_or_mathematics_are_only_names():
    report = audit(messy(names=["<b>bold</b>", "cost $x$ & $y", "a'b"]))
    page = report.to_html()
    assert "<b>bold</b>" not in page
    assert "'&lt;b&gt;bold&lt;/b&gt;'" in page.replace("&#39;", "'")
    read(page)


def test_hundreds_of_channels_stay_under_three_megabytes_and_it_is_said_what_is_left_out():
    report = audit(messy(400))
    page = report.to_html()
    assert len(page) < 3_000_000
    assert "360 more channels are left out" in page


def test_an_audit_read_from_json_makes_the_same_page():
    report = audit(messy())
    assert Audit.from_json(report.to_json()).to_html() == report.to_html()


def test_nothing_found_is_said():
    rng = np.random.default_rng(0)
    report = audit(from_arrays([rng.normal(size=50) for _ in range(10)]))
    assert "Nothing was found that needs care." in report.to_html()
    assert "Nothing was found that needs care." in str(report)
    assert repr(report) == "Audit(0 warnings, 0 pieces of advice, 0 notes)"


def test_it_is_written_where_it_is_wanted(tmp_path):
    report = audit(messy())
    assert report.to_html(tmp_path / "audit.html") == (tmp_path / "audit.html").read_text("utf-8")
    assert report.to_json(tmp_path / "audit.json") == (tmp_path / "audit.json").read_text("utf-8")
    with pytest.raises(FileError, match="cannot be written"):
        report.to_html(tmp_path / "none" / "audit.html")


def test_all_pictures_are_drawn_on_one_figure(tmp_path):
    figure = audit(messy()).plot()
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "What is missing",
        "How long records are",
        "Time from step to step",
        "Ranges of the channels",
    ]
    figure.savefig(tmp_path / "audit.png")
    with pytest.raises(OptionError, match="nothing to draw"):
        Audit((), (), ()).plot()


def test_without_jinja_the_extra_is_named(monkeypatch):
    report, python_imports = audit(messy()), builtins.__import__

    def refuse(name, *arguments):
        if name == "jinja2":
            raise ImportError(name)
        return python_imports(name, *arguments)

    monkeypatch.setattr("recurra.errors.import_module", lambda name: refuse(name))
    with pytest.raises(MissingExtraError, match=r"recurra\[report\]"):
        report.to_html()


def test_show_prints_what_str_says(capsys):
    report = audit(messy())
    report.show()
    assert capsys.readouterr().out == f"{report}\n"
