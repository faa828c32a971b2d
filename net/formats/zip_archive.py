"""Zip archives in which every byte is accounted for, so that no two readers see different members.

Readers of zip files disagree: some start from the first member and some from the directory at the end, some search for that
directory, some match names without regard to case, some look at the local headers and some don't. The rules here leave one reading:
members without a gap from the first byte on, then one directory that repeats what their headers say, then one end record, which is
the end of the file. (The format: PKWARE, APPNOTE.TXT, 4.3.)
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from net.errors import MalformedInput

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _DESCRIPTOR = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_END_SIZE, _CENTRAL_SIZE, _LOCAL_SIZE = 22, 46, 30
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
#: Flags that change nothing: sizes follow the data (bit 3), the name is UTF-8 (bit 11).
_FOLLOWED, _FLAGS = 1 << 3, 1 << 3 | 1 << 11
_STORED, _DEFLATED = 0, 8
_DIRECTORY = 0x10
#: Extra fields: 64-bit sizes, torch's padding, times and owners by Info-ZIP.
_SIZES64, _EXTRAS = 0x0001, (0x0001, 0x4246, 0x5455, 0x7875)
#: All members together take at most this many bytes for each byte of the file, and this many more.
EXPANSION, ALLOWANCE = 32, 2**20


@dataclass(frozen=True)
class _Entry:
    """What the directory says of a member."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def read_archive(data: bytes) -> dict[str, memoryview]:
    """The members' contents by name; O(len(data)), and at most EXPANSION * len(data) + ALLOWANCE bytes of new memory.

    Stored members are views of `data`; deflated ones are new.

    Raises:
        MalformedInput: the archive is damaged, or some reader could see another one in it.

    """
    try:
        entries, end = _directory(data)
        _check_names([entry.name for entry in entries])
        total, limit = sum(entry.size for entry in entries), EXPANSION * len(data) + ALLOWANCE
        _need(total <= limit, f"members of at most {limit:,} bytes in all", f"{total:,} declared")
        found, place = {}, 0
        for entry in entries:
            contents, place = _member(data, entry, place)
            found[entry.name.decode("ascii")] = contents
    except (struct.error, IndexError) as error:
        raise MalformedInput("expected a whole zip archive, got a damaged one: it ends too early") from error
    _need(place == end, "members one after the other up to the directory", f"a gap of {end - place:,} bytes before it")
    return found


def ends_in_a_directory(data: bytes) -> bool:
    """Whether a reader that looks for a zip directory at the end of the file, after anything at all, finds one or is told of one.

    A record in 64 bits before the end record may say where the directory is; what it says is not looked at.
    """
    start = max(0, len(data) - _END_SIZE - _FULL16)
    place = data.find(_END, start)
    while place >= 0:
        if place + _END_SIZE <= len(data):
            if data[max(0, place - 20) :][:4] == _LOCATOR64:
                return True
            size = struct.unpack_from("<I", data, place + 12)[0]
            if size >= _CENTRAL_SIZE and place >= size and data[place - size : place - size + 4] == _CENTRAL:
                return True
        place = data.find(_END, place + 1)
    return False


def _need(holds: bool, expected: str, came: str) -> None:
    if not holds:
        raise MalformedInput(f"expected a zip archive with {expected}, got {came}")


def _directory(data: bytes) -> tuple[list[_Entry], int]:
    """(entries, where the directory begins), from the end record and the zip64 record before it, if there is one."""
    place = len(data) - _END_SIZE
    whole = place >= 0 and data[place : place + 4] == _END
    _need(whole, "its end record at the end of the file", "a damaged one (cut off?), or one with a comment or more data behind it")
    disk, first_disk, here, count, size, start, comment = struct.unpack_from("<HHHHIIH", data, place + 4)
    _need(disk == first_disk == comment == 0 and here == count, "one directory and no comment", "an end record with more")
    end = place
    if data[place - 20 : place - 16] == _LOCATOR64:
        end, wide = _record64(data, place)
        stated, full = (count, size, start), (_FULL16, _FULL32, _FULL32)
        fits = all(short in (long, most) for short, long, most in zip(stated, wide, full, strict=True))
        _need(fits, "one number and place of members", "two end records that differ")
        count, size, start = wide
    _need(start + size == end, "its directory right before the end record", "a directory elsewhere, or something between")
    _need(data[:4] == _LOCAL, "its first member at the first byte", "something before it")
    entries, place = [], start
    while place < end:
        entry, place = _central(data, place, end)
        entries.append(entry)
    _need(place == end and len(entries) == count > 0, f"{count} members", f"{len(entries)} in the directory")
    return entries, start


def _record64(data: bytes, place: int) -> tuple[int, tuple[int, int, int]]:
    """(where the zip64 end record begins, its number of members, size and place of the directory)."""
    disk, at, disks = struct.unpack_from("<IQI", data, place - 16)
    begin = place - 20 - 56
    plain = (disk, at, disks) == (0, begin, 1) and begin >= 0 and data[begin : begin + 4] == _END64
    _need(plain, "its zip64 record right before the locator", "one elsewhere")
    length, _, _, disk, first_disk, here, count, size, start = struct.unpack_from("<QHHIIQQQQ", data, begin + 4)
    _need(length == 44 and disk == first_disk == 0 and here == count, "a plain zip64 record", "one with more in it")
    return begin, (count, size, start)


def _central(data: bytes, place: int, end: int) -> tuple[_Entry, int]:
    """The directory's entry at `place`, and where the next one begins."""
    _need(data[place : place + 4] == _CENTRAL and place + _CENTRAL_SIZE <= end, "a directory of entries", "something else in it")
    fields = struct.unpack_from("<HHHHHHIIIHHHHHII", data, place + 4)
    flags, method, crc, packed, size, names, extras, comment, disk = *fields[2:4], *fields[6:13]
    offset = fields[15]
    at = place + _CENTRAL_SIZE
    stop = at + names + extras
    # readers take a member with the attribute of a DOS directory for one, whatever it holds
    _need(not fields[14] & _DIRECTORY, "members that are no directories", "one that says it is")
    _need(comment == disk == 0 and stop <= end, "plain entries in its directory", "one with a comment or on another disk")
    wide = [size == _FULL32, packed == _FULL32, offset == _FULL32]
    numbers = _extra(data[at + names : stop], sum(wide))
    size, packed, offset = (numbers.pop(0) if full else short for full, short in zip(wide, (size, packed, offset), strict=True))
    return _Entry(data[at : at + names], flags, method, crc, packed, size, offset), stop


def _extra(field: bytes, wanted: int, sizes: tuple[int, ...] = ()) -> list[int]:
    """The `wanted` 64-bit numbers in an extra field that may otherwise hold what means nothing.

    Where none is wanted it may repeat ``sizes``: Python 3.11.2's zipfile writes that into headers, and so NumPy into every npz file.
    """
    repeated = struct.pack(f"<{len(sizes)}Q", *sizes)
    numbers: list[int] = []
    kinds: set[int] = set()
    place = 0
    while place < len(field):
        _need(place + 4 <= len(field), "whole extra fields", "a cut one")
        kind, length = struct.unpack_from("<HH", field, place)
        place += 4 + length
        plain = (
            place <= len(field)
            and kind in _EXTRAS
            and kind not in kinds
            and (kind != _SIZES64 or 0 < length == 8 * wanted or (wanted == 0 < length and field[place - length : place] == repeated))
        )
        _need(plain, "extra fields for sizes, times and padding", f"one of kind {kind:#06x}")
        kinds.add(kind)
        if kind == _SIZES64:
            numbers = list(struct.unpack_from(f"<{wanted}Q", field, place - length))
    _need(len(numbers) == wanted, "64-bit sizes where the short ones are full", "none")
    return numbers


def _check_names(names: list[bytes]) -> None:
    seen: dict[bytes, bytes] = {}
    for name in names:
        parts = name.split(b"/")
        plain = all(32 <= byte < 127 and byte != 92 for byte in name) and not any(part in (b"", b".", b"..") for part in parts)
        _need(plain, "members with plain names", f"the name {name[:80]!r}")
        other = seen.setdefault(name.lower(), name)
        _need(other is name, "names that differ in more than case", f"{other[:80]!r} and {name[:80]!r}")


def _member(data: bytes, entry: _Entry, place: int) -> tuple[memoryview, int]:
    """The contents of the member that begins at `place`, and where the next one begins."""
    shown = repr(entry.name[:80].decode("ascii"))
    _need(entry.offset == place and data[place : place + 4] == _LOCAL, "members one after the other", f"{shown} elsewhere")
    _, flags, method, _, _, crc, packed, size, names, extras = struct.unpack_from("<HHHHHIIIHH", data, place + 4)
    at = place + _LOCAL_SIZE
    wide = (size == _FULL32) + (packed == _FULL32)
    _need(wide != 1, "both sizes short or both long", f"one of each for {shown}")
    begin = at + names + extras
    if wide:
        size, packed = _extra(data[at + names : begin], 2)
    else:
        _extra(data[at + names : begin], 0, (size, packed))
    stated, own = (entry.crc, entry.packed, entry.size), (crc, packed, size)
    later = bool(flags & _FOLLOWED)
    agree = own == stated or (later and own == (0, 0, 0))
    agree = agree and (data[at : at + names], flags, method) == (entry.name, entry.flags, entry.method)
    _need(agree, "headers that say what the directory says", f"others for {shown}")
    _need(
        method in (_STORED, _DEFLATED) and not flags & ~_FLAGS,
        "stored or deflated members",
        f"method {method}, flags {flags:#x} for {shown}",
    )
    end = begin + entry.packed
    _need(end <= len(data), "whole members", f"{shown} cut off")
    contents = memoryview(data)[begin:end] if method == _STORED else _inflated(data, begin, end, entry.size, shown)
    _need(len(contents) == entry.size, f"{entry.size:,} bytes in {shown}", f"{len(contents):,}")
    _need(zlib.crc32(contents) == entry.crc, f"the checksum of {shown} to be right", "another (a damaged archive?)")
    return contents, _descriptor(data, entry, end, shown) if later else end


def _inflated(data: bytes, begin: int, end: int, size: int, shown: str) -> memoryview:
    decoder = zlib.decompressobj(-15)
    try:
        contents = decoder.decompress(memoryview(data)[begin:end], size + 1)
        # the last bytes of a stream may make no output
        rest = decoder.decompress(decoder.unconsumed_tail, 1) if len(contents) == size else b""
    except zlib.error as error:
        raise MalformedInput(f"expected a whole zip archive, got {shown} compressed wrongly") from error
    whole = decoder.eof and not decoder.unused_data and not decoder.unconsumed_tail and not rest
    _need(whole, f"one stream of {size:,} bytes in {shown}", "another")
    return memoryview(contents)


def _descriptor(data: bytes, entry: _Entry, place: int, shown: str) -> int:
    """Where the data descriptor ends that repeats checksum and sizes, 32 or 64 bits long."""
    stated = (entry.crc, entry.packed, entry.size)
    for form in ("<III", "<IQQ"):
        end = place + 4 + struct.calcsize(form)
        here = data[place : place + 4] == _DESCRIPTOR and end <= len(data) and struct.unpack_from(form, data, place + 4) == stated
        # a short one could begin a long one: what follows it decides
        if here and data[end : end + 4] in (_LOCAL, _CENTRAL):
            return end
    raise MalformedInput(f"expected a zip archive with descriptors that say what the directory says, got another for {shown}")
