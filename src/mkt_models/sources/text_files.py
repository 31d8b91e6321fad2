"""Text files made ready for the engine, which reads UTF-8: decoded, or cut to a sample.

A file that is UTF-8, with lines that all end in the same way, and read whole is left where it is;
the lines of a copy end in LF. Nothing is decoded with losses: a byte that
the encoding does not have is an error that names the line.
"""

import codecs
import gzip
import hashlib
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_BLOCK = 1 << 20
# As in browsers: who says Latin-1 and writes a euro sign means Windows' superset of it.
_IN_ROWS = ("euc_jp", "cp932", "euc_kr", "big5", "gb18030", "windows-1251", "windows-1253")
_ALONE = ("windows-1252", "windows-1250", "windows-1254")
_SUGGESTED = 3
_MEANT = {"iso8859-1": "cp1252", "ascii": "utf-8", "utf-8-sig": "utf-8"}


class ReadError(ValueError):
    """A file that cannot be read; the message names the file and the remedy."""


@dataclass(frozen=True)
class Ready:
    """A text file that the engine can read: its path, and the share of the file that it holds."""

    path: Path
    share: float = 1.0


def meant_encoding(name: str) -> str:
    """The encoding that is meant by a name.

    >>> meant_encoding("ISO-8859-1"), meant_encoding("utf8")
    ('cp1252', 'utf-8')
    """
    known = codecs.lookup(name).name
    return _MEANT.get(known, known)


def make_ready(
    path: Path, name: str, encoding: str, scratch: Path, sample_bytes: int | None = None
) -> Ready:
    """Give a file as UTF-8, whole or as a sample of its first and last lines.

    Parameters
    ----------
    path, name
        The file, and what people call it. One that ends in ``.gz`` is unpacked.
    encoding
        What its text is encoded in.
    scratch
        Folder for a copy, where one is needed. A copy that is there already is used.
    sample_bytes
        About so many bytes are enough; None for the whole file.

    Raises
    ------
    ReadError
        When a byte is none of the encoding.

    """
    encoding = meant_encoding(encoding)
    packed = path.suffix == ".gz"
    size = path.stat().st_size
    cut = sample_bytes is not None and size > sample_bytes
    if encoding == "utf-8" and not cut and (packed or not _mixed_line_ends(path)):
        return Ready(path)
    label = hashlib.sha256(f"{path}/{encoding}/{sample_bytes}".encode()).hexdigest()[:16]
    copy, note = scratch / f"{label}.text", scratch / f"{label}.share"
    if not copy.exists():
        scratch.mkdir(parents=True, exist_ok=True)
        partial = copy.with_suffix(".partial")
        with partial.open("w", encoding="utf-8", newline="") as out:
            if cut and sample_bytes is not None:
                share = _copy_ends(path, name, encoding, out, sample_bytes, packed)
            else:
                share = 1.0
                with _opened(path, packed) as file:
                    for text in _decoded(file, encoding, name):
                        out.write(text)
        note.write_text(str(share))
        partial.replace(copy)
    return Ready(copy, float(note.read_text()))


def first_line(path: Path, skip: int) -> str:
    """The first line of a file that is ready, after those to be skipped."""
    with _opened(path, path.suffix == ".gz") as file:
        for _ in range(skip):
            file.readline()
        return file.readline().decode("utf-8", errors="replace").rstrip("\r\n")


def count_lines(path: Path, *, blank: bool) -> int:
    """Count the lines of a file that is ready, blank ones too or not."""
    with _opened(path, path.suffix == ".gz") as file:
        if not blank:
            return sum(1 for line in file if line.strip())
        n, last = 0, b"\n"
        while block := file.read(_BLOCK):
            n, last = n + block.count(b"\n"), block[-1:]
        return n + (last != b"\n")


def no_utf8(path: Path) -> str:
    """Say that a file is not UTF-8 and what else it may be; empty when its beginning is."""
    with _opened(path, path.suffix == ".gz") as file:
        beginning = file.read(_BLOCK)
    if _reads_as(beginning, "utf-8") is not None:
        return ""
    return f"is not UTF-8; {fitting(beginning, 'utf-8')}"


def fitting(data: bytes, tried: str) -> str:
    """Say which encodings read some bytes, each with what they then say, for a person to judge.

    In East Asian text, and in Cyrillic, bytes beyond ASCII stand in a row; in Western European text
    they stand alone. Those that fit are told in that order.
    """
    high = [byte >= 0x80 for byte in data]
    pairs = sum(a and b for a, b in itertools.pairwise(high))
    in_rows = 2 * pairs > sum(high)
    names = (*_IN_ROWS, *_ALONE) if in_rows else (*_ALONE, *_IN_ROWS)
    said: dict[str, str] = {}
    for name in names:
        text = _reads_as(data, name)
        if text is not None and name != tried and len(said) < _SUGGESTED:
            said.setdefault("".join(re.findall(r"\w*[^\x00-\x7f]\w*", text)[:3])[:12], name)
    if not said:
        return "say its encoding"
    shown = ", ".join(f"{name} (reads {text!r})" for text, name in said.items())
    return f"say its encoding under encoding; these fit: {shown}"


def _reads_as(data: bytes, encoding: str) -> str | None:
    """The text, or None when it is none of this encoding, or has signs that nobody writes."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
    odd = any(unicodedata.category(c) in ("Cc", "Co", "Cn") for c in set(text) - set("\t\r\n"))
    return None if odd else text


def _mixed_line_ends(path: Path) -> bool:
    """Whether some lines end in CR LF and some in LF; the engine takes no such file."""
    both = lone = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if block.endswith(b"\r"):
                block += file.read(1)
            pairs = block.count(b"\r\n")
            both, lone = both + pairs, lone + block.count(b"\n") - pairs
            if both and lone:
                return True
    return False


def _opened(path: Path, packed: bool) -> IO[bytes]:
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def _copy_ends(
    path: Path, name: str, encoding: str, out: IO[str], sample_bytes: int, packed: bool
) -> float:
    """Copy the first lines, and the last ones where they can be reached; return the share."""
    size = path.stat().st_size
    seekable = not packed and not encoding.startswith(("utf-16", "utf-32"))
    half = sample_bytes // 2 if seekable else sample_bytes
    with path.open("rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if packed else raw
        head = "".join(_decoded(file, encoding, name, half))
        out.write(head[: head.rfind("\n") + 1] or head)
        read = min(raw.tell(), size) if packed else half
        if seekable:
            raw.seek(size - half)
            raw.readline()
            for text in _decoded(raw, encoding, name):
                out.write(text)
            read = 2 * half
    return min(1.0, read / size)


def _decoded(
    file: IO[bytes] | gzip.GzipFile, encoding: str, name: str, limit: int | None = None
) -> Iterator[str]:
    """The text of a file, block by block, up to about ``limit`` bytes."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    lines, left = 1, limit
    while left is None or left > 0:
        block = file.read(_BLOCK if left is None else min(_BLOCK, left))
        if left is not None:
            left -= len(block)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            raise ReadError(
                f"{name}: line {line}: byte 0x{error.object[error.start]:02x} is no {encoding}; "
                f"{fitting(error.object, encoding)}"
            ) from None
        lines += text.count("\n")
        yield text
        if not block:
            return
