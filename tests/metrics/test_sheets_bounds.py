"""A small workbook that would take all memory is refused before it is opened, however it says so."""

import io
import time
import zipfile

import pytest

from metrics.sheets import bounds
from metrics.sheets.bounds import Beyond, Bounds, Unreadable
from metrics.sheets.layout import propose
from metrics.sheets.tables import TableError, read_table
from tests.metrics.test_sheets_tables import workbook

NEAR = '<row r="1"><c r="A1"><v>1</v></c></row>'
# 3,000 rows by 702 columns: more cells than are read, and harmless should they be read all the same.
FAR = {
    "double quotes": '<row r="3000"><c r="ZZ3000"><v>1</v></c></row>',
    "single quotes": "<row r='3000'><c r='ZZ3000'><v>1</v></c></row>",
    "a bracket before it": '<row r="3000"><c x=">" r="ZZ3000"><v>1</v></c></row>',
    "small letters": '<row r="3000"><c r="zz3000"><v>1</v></c></row>',
    "letters as numbers": '<row r="3000"><c r="&#90;Z3000"><v>1</v></c></row>',
    "a prefix": '<x:row r="3000" xmlns:x="x"><x:c r="ZZ3000"><x:v>1</x:v></x:c></x:row>',
    "no names of cells": '<row r="3000">' + "<c/>" * 701 + "<c><v>1</v></c></row>",
    "rows that are counted": "<row/>" * 2998 + '<row><c r="ZZ3000"><v>1</v></c></row>',
    "a text of its own": '<row r="3000"><c r="ZZ3000" t="inlineStr"><is><t>x</t></is></c></row>',
}


def sheet(rows: str) -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'


def changed(rows: str, *, at: str = "worksheets/sheet1.xml") -> bytes:
    """A workbook whose sheet has these rows and lies at another place."""
    content = zipfile.ZipFile(io.BytesIO(workbook(("A", [["x", 1]]))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in content.namelist():
            data = content.read(name)
            if name.endswith("worksheets/sheet1.xml"):
                name, data = f"xl/{at}", sheet(rows).encode()
            packed.writestr(name, data.replace(b"worksheets/sheet1.xml", at.encode()))
    return out.getvalue()


@pytest.mark.parametrize("rows", FAR.values(), ids=FAR)
def test_a_far_cell_is_found_however_it_is_written(rows: str) -> None:
    with pytest.raises(TableError, match="ZZ3000"):
        read_table(changed(NEAR + rows))


def test_a_sheet_is_one_wherever_it_lies() -> None:
    assert read_table(changed(NEAR, at="elsewhere/s.xml")).rows == (("1",),)
    with pytest.raises(TableError, match="ZZ3000"):
        read_table(changed(NEAR + FAR["double quotes"], at="elsewhere/s.xml"))


def test_cells_with_nothing_but_a_colour_take_no_room() -> None:
    coloured = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert read_table(changed(NEAR + coloured)).rows == (("1",),)


def test_a_text_counts_as_often_as_cells_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_TEXT", 1_000)
    cells = "".join(f'<c r="A{n}" t="s"><v> 1 </v></c>' for n in range(1, 101))
    for length, fits in ((10, True), (11, False)):
        texts = f"<sst><si><t>{'y' * 900}</t></si><si><r><t>{'x' * (length - 1)}</t></r><t>z</t></si></sst>"
        for parts in ((sheet(cells), texts), (texts, sheet(cells))):
            counted = Bounds()
            for part in parts:
                counted.take(part.encode())
            if fits:
                counted.check()
            else:
                with pytest.raises(Beyond):
                    counted.check()


def test_many_sheets_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_AREAS", 250)
    counted = Bounds()
    part = sheet('<row r="10"><c r="J10"><v>1</v></c></row>').encode()  # 100 cells
    counted.take(part)
    counted.take(part)
    with pytest.raises(Beyond):
        counted.take(part)


def test_elements_are_counted_over_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_ELEMENTS", 10)
    counted = Bounds()
    counted.take(b"<a><b/><b/><b/><b/></a>")
    counted.take(b"<a><b/><b/><b/><b/></a>")
    with pytest.raises(Beyond):
        counted.take(b"<a/>")


@pytest.mark.parametrize(
    "part",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"<!--" + b"x" * 3_000 + b"--><!DOCTYPE a><a/>",
        b"<a><b></a>",
        b'<row r="x"/>',
        b"",
    ],
    ids=["entity in UTF-16", "type behind a comment", "not closed", "no number", "empty"],
)
def test_what_is_no_plain_xml_is_refused(part: bytes) -> None:
    with pytest.raises(Unreadable):
        Bounds().take(part)


@pytest.mark.parametrize(
    "cells",
    ["<c " * 1_000_000, '<c r="A1" ' + 'r="A1" ' * 500_000 + ">", "<c:" * 1_000_000],
    ids=["never closed", "one name again and again", "prefixes"],
)
def test_a_sheet_made_to_be_slow_is_read_in_no_time(cells: str) -> None:
    begin = time.process_time()
    with pytest.raises(TableError):
        read_table(changed(cells))
    assert time.process_time() - begin < 5  # hours, where each bracket looks through all that follow


def test_a_long_line_of_dashes_is_read_in_no_time() -> None:
    begin = time.process_time()
    table = read_table("a|b\n--|---\n" + "-" * 100_000 + "x|1\n2|3")
    assert time.process_time() - begin < 5
    assert [row[0][:2] for row in table.rows] == ["a", "--", "2"]


@pytest.mark.parametrize(
    "cell", ["1" * 1_999 + "x", "1," * 999 + "x", "1 of " * 399, "\uff11" * 1_999 + "x", "1 " * 999]
)
def test_long_cells_are_no_figures_in_no_time(cell: str) -> None:
    """Half a megabyte of them: a pattern that looks at each letter from each letter takes minutes."""
    rows = [f"2026-{n % 12 + 1:02}\t{cell}" for n in range(300)]
    begin = time.process_time()
    propose(read_table("\n".join(["month\tOrders", *rows])))
    propose(read_table("\n".join(["\t".join(["Orders", *[cell] * 60]), *rows[:60]])))
    assert time.process_time() - begin < 5
