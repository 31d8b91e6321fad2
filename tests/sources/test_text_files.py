"""Text files are decoded without loss, or refused with the line."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.sources.text_files import ReadError, fitting, make_ready, no_utf8


def ready(path: Path, encoding: str, sample_bytes: int | None = None) -> tuple[Path, str, float]:
    found = make_ready(path, path.name, encoding, path.parent / "scratch", sample_bytes)
    return found.path, found.path.read_bytes().decode(), found.share


@settings(max_examples=50, deadline=None)
@given(
    text=st.text(st.characters(codec="cp1252", exclude_characters="\r"), min_size=1),
    encoding=st.sampled_from(["windows-1252", "ISO-8859-1", "utf-16", "utf-8-sig"]),
)
def test_every_character_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_bytes(text.encode("cp1252" if encoding == "ISO-8859-1" else encoding))
    if encoding == "utf-8-sig":  # is left where it is, with its mark, which the engine skips
        assert ready(path, encoding)[0] == path
    else:
        assert ready(path, encoding)[1:] == (text, 1.0)


def test_latin_1_with_a_euro_sign_is_windows_superset_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"5 \x80\n")
    assert ready(tmp_path / "a.csv", "latin-1")[1] == "5 €\n"


def test_utf_8_is_read_in_place_unless_its_lines_end_in_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content in (b"a\nb\n", b"a\r\nb\r\n"):
        path.write_bytes(content)
        assert ready(path, "utf-8")[0] == path
    path.write_bytes(b"a\r\nb\n")
    assert ready(path, "utf-8")[1:] == ("a\nb\n", 1.0)


def test_a_byte_that_is_none_of_the_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n" * 9 + b"b\x81\n")
    with pytest.raises(ReadError, match=r"^a\.csv: line 10: byte 0x81 is no cp1252; say its"):
        ready(path, "windows-1252")
    assert not list((tmp_path / "scratch").glob("*.text"))


def test_a_sample_holds_whole_lines_of_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"line {n:06d} ü\n" for n in range(1000)]
    path.write_bytes("".join(lines).encode())
    _, text, share = ready(path, "utf-8", 2000)
    assert set(text.splitlines(keepends=True)) <= set(lines)
    assert (text.splitlines()[0], text.splitlines()[-1]) == (lines[0].strip(), lines[-1].strip())
    assert share == pytest.approx(len(text.encode()) / path.stat().st_size, abs=0.01)


def test_a_sample_of_a_packed_file_holds_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    lines = [f"{n * 7919 % 10**6}\n" for n in range(100_000)]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    _, text, share = ready(path, "utf-8", 50_000)
    assert text == "".join(lines)[: len(text)]
    assert len(text) / share == pytest.approx(len("".join(lines)), rel=0.6)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("注文番号;店舗;お支払い\n1;東京;現金\n", "cp932"),
        ("订单号;门店;付款方式\n1;上海;支付宝\n", "gb18030"),
        ("주문번호;매장\n1;서울\n", "euc_kr"),
        ("Número;España;Cádiz\n", "windows-1252"),
        ("Zamówienie;Łódź\n", "windows-1250"),
        ("Заказ;Магазин;Оплата\n", "windows-1251"),
    ],
)
def test_another_encoding_is_suggested_with_what_it_reads(
    tmp_path: Path, text: str, encoding: str
) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    told = no_utf8(tmp_path / "a.csv")
    assert told.startswith("is not UTF-8; say its encoding under encoding; these fit: ")
    assert f"{encoding} (reads " in told
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert no_utf8(tmp_path / "a.csv") == ""


def test_no_encoding_is_made_up(tmp_path: Path) -> None:
    assert fitting(b"\x00\x01\xff\xfe\x81", "utf-8") == "say its encoding"
