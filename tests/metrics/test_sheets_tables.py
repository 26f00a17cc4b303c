"""Pasted texts and uploaded files become tables; what is too large or no table is refused in words."""

import io
import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from metrics.sheets.numbers import read_number
from metrics.sheets.tables import MOST_BYTES, TableError, column_name, place_of, read_table


def workbook(*sheets: tuple[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        month = book.add_format({"num_format": "mmm yyyy"})
        percent = book.add_format({"num_format": "0 %"})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(r, c, cell, month)
                    elif isinstance(cell, str) and cell.startswith("="):
                        sheet.write_formula(r, c, cell, None, "#DIV/0!")
                    elif isinstance(cell, float) and cell < 1:
                        sheet.write_number(r, c, cell, percent)
                    elif cell is not None:
                        sheet.write(r, c, cell)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a\tb\r\n1,5\t2\r\n", [("a", "b"), ("1,5", "2")]),
        ("a;b\n1,5;2", [("a", "b"), ("1,5", "2")]),
        ('a,b\n"1,234",2', [("a", "b"), ("1,234", "2")]),
        ('a\tb\n"two\nlines"\t2', [("a", "b"), ("two\nlines", "2")]),
        ("| a | b |\n|---|--:|\n| 1 | 2 |", [("a", "b"), ("1", "2")]),
        ("Jul 2026    412\nAug 2026   415", [("Jul 2026", "412"), ("Aug 2026", "415")]),
        ("Acme\n\na,b\n1,2\n\n", [("Acme", ""), ("", ""), ("a", "b"), ("1", "2")]),
    ],
)
def test_text_is_cut_where_its_cells_end(text: str, rows: list[tuple[str, ...]]) -> None:
    assert list(read_table(text).rows) == rows
    assert list(read_table(text.encode()).rows) == rows


def test_files_of_other_encodings_are_read() -> None:
    text = "Monat;Umsatz €\nMärz 2026;5"
    for encoded in (text.encode("utf-8-sig"), text.encode("cp1252"), text.encode("utf-16")):
        assert read_table(encoded).rows == (("Monat", "Umsatz €"), ("März 2026", "5"))


def test_a_workbook_keeps_its_places_numbers_and_dates() -> None:
    content = workbook(
        ("Empty", []),
        (
            "KPIs",
            [[None], [None, "Metric", datetime(2026, 7, 1)], [None, "Rate", 1.234], [None, "Share", 0.72]],
        ),
        ("Errors", [["x", "=1/0", "1,234", True]]),
        ("Hidden", [["secret"]]),
        hidden=("Hidden",),
    )
    table = read_table(content, "kpis.xlsx")
    assert table.sheet == "KPIs"
    assert table.sheets == ("KPIs", "Errors")
    assert table.rows[1:] == (("", "Metric", "2026-07-01"), ("", "Rate", "1.234"), ("", "Share", "72 %"))
    assert table.exact == {(2, 2), (3, 2)}
    errors = read_table(content, sheet="Errors")
    assert errors.rows == (("x", "", "1,234", "TRUE"),)  # an error is unknown
    with pytest.raises(TableError, match="no sheet"):
        read_table(content, sheet="Hidden")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("0%", "75.125 %"),
        ("0.00%", "75.125 %"),
        ("0 %", "75.125 %"),
        ("[Red]-0.0 %;0.0 %", "75.125 %"),
        ('0.00" % of all"', "0.75125"),  # a word in the format is no percentage
        ("0.00\\%", "0.75125"),
        ("#,##0.00", "0.75125"),
        ("General", "0.75125"),
    ],
)
def test_a_workbook_says_by_its_format_what_is_a_percentage(code: str, shown: str) -> None:
    """What the sheet shows as 75.1 % is stored as 0.75125: a dropped file means what a pasted one does."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet("First").write(1, 1, 5)
        sheet = book.add_worksheet("Rates & more")
        style = book.add_format({"num_format": code})
        sheet.write(0, 0, "Month")
        sheet.write(2, 3, 0.75125, style)
        sheet.write(2, 4, "text", style)
    table = read_table(out.getvalue(), sheet="Rates & more")
    assert table.rows[2][3:] == (shown, "text")
    assert table.exact == {(2, 3)}
    assert read_number(shown, decimal=",", exact=True).value == pytest.approx(0.75125, rel=1e-14)


def test_an_unquoted_comma_is_refused_with_its_row() -> None:
    with pytest.raises(TableError, match="Row 3: more cells"):
        read_table("month,orders\nJul 2026,412\nAug 2026,1,234\n")


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n\t\n",
        b"",
        "a\x00b",
        b"\x89PNG\x00\x00",
        b"\xd0\xcf\x11\xe0old",
        b"PK\x03\x04broken",
        "x" * (MOST_BYTES + 1),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: str | bytes) -> None:
    with pytest.raises(TableError, match=r"\."):
        read_table(content)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(TableError, match="rows"):
        read_table("\n".join(f"{n}\t1" for n in range(20_100)))
    with pytest.raises(TableError, match="columns"):
        read_table("\t".join(str(n) for n in range(900)))
    with pytest.raises(TableError, match="cells"):
        read_table("\n".join("\t".join("1" * 50) for _ in range(7_000)))


def test_a_bomb_of_zeros_is_refused_before_it_is_opened() -> None:
    content = zipfile.ZipFile(io.BytesIO(workbook(("A", [["x", 1]]))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in content.namelist():
            bomb.writestr(name, content.read(name))
        bomb.writestr("xl/extra.xml", b"0" * 200_000_000)
    assert len(out.getvalue()) < MOST_BYTES
    with pytest.raises(TableError, match="too large when unpacked"):
        read_table(out.getvalue())


def test_a_cell_at_the_far_end_of_a_sheet_is_refused() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write(1_048_575, 16_383, 1)
    with pytest.raises(TableError, match="XFD1048576"):
        read_table(out.getvalue())


def test_entities_in_a_workbook_are_refused() -> None:
    content = zipfile.ZipFile(io.BytesIO(workbook(("A", [["x", 1]]))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name in content.namelist():
            data = content.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet', 1)
            changed.writestr(name, data)
    with pytest.raises(TableError, match="cannot be read"):
        read_table(out.getvalue())


def test_places_have_the_names_of_spreadsheets() -> None:
    assert place_of(3, 1) == "B4"
    assert [column_name(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
