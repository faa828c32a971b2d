"""Zip archives that are nothing but their members, one directory, and its end.

What this module proves: that `read_zip` returns the members that every reader of zip archives finds, because no byte of the file
belongs to anything else. Members stand one after the other from the first byte, each with a header that agrees with the directory;
the directory follows, in the same order; its end record is the end of the file. A prefix, a gap, a comment, a second directory, a
compressed stream that is cut or goes on, and two names that differ in case alone are refused. What else than its members a file is
for another reader, `ends_as_zip` and `begins_as_tar` tell.
"""

import re
import struct
import zlib
from typing import NamedTuple

from .shape import Malformed, need, shown

DIRECTORY = 0x10
LOCAL = struct.Struct("<4s5H3I2H")  # sign, version, flags, method, time, date, crc, packed, unpacked, lengths of name and extra
CENTRAL = struct.Struct("<4s6H3I5H2I")  # the same after two versions, then length of the comment, disk, attributes, offset
END = struct.Struct("<4s4H2IH")  # sign, this disk, first disk, members here, members, size and offset of the directory, comment
END64 = struct.Struct("<4sQ2H2I4Q")  # the same in 64 bits, after its own size and two versions
LOCATOR = struct.Struct("<4sIQI")  # sign, disk and offset of that, number of disks
SHORT, LONG = 0xFFFF, 0xFFFFFFFF  # in place of a number that stands elsewhere in 64 bits

#: Extra fields that change nothing: 64-bit sizes, torch's padding, times and owners.
EXTRA = {1, 0x4246, 0x5455, 0x7875}
#: Bytes of a tar archive's header.
TAR_HEADER = 512
#: Flags: sizes and checksum behind the member; name in UTF-8.
BEHIND, UTF8 = 8, 0x800
#: What members may be unpacked to: this multiple of the file, and a constant.
UNPACKED, SPARE = 32, 2**20


class Entry(NamedTuple):
    """A member as the directory describes it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    offset: int


def ends_as_zip(data: bytes) -> bool:
    """Whether a reader that looks for a zip directory from the end of the file would find one, or be told of one in 64 bits."""
    place = len(data)
    while (place := data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557), place)) >= 0:
        if place + END.size <= len(data):
            size = END.unpack_from(data, place)[5]
            if data[max(0, place - LOCATOR.size) :][:4] == b"PK\x06\x07":
                return True
            if size >= CENTRAL.size and data[max(0, place - size) :][:4] == b"PK\x01\x02":
                return True
    return False


def begins_as_tar(data: bytes) -> bool:
    """Whether a reader of tar archives takes the first 512 bytes for a header.

    Their sum, with blanks in place of bytes 148 to 155, is the number in these: octal digits up to a zero byte, or seven bytes after
    128 (after 255 less 256^7). Old writers took bytes for signed.
    """
    if len(data) < TAR_HEADER:
        return False
    stated, others = data[148:156], data[:148] + data[156:TAR_HEADER]
    if stated[0] in (128, 255):
        number = int.from_bytes(stated[1:], "big") - 256**7 * (stated[0] == 255)
    else:
        try:
            number = int(stated.partition(b"\0")[0].decode("ascii").strip() or "0", 8)
        except ValueError:
            return False
    total = 8 * ord(" ") + sum(others)
    return number in (total, total - 256 * sum(byte > 127 for byte in others))


def read_zip(data: bytes) -> dict[str, memoryview]:
    """The members by name, unpacked where they are compressed."""
    try:
        entries, start = directory(data)
        limit, total = UNPACKED * len(data) + SPARE, sum(entry.unpacked for entry in entries)
        need(total <= limit, f"expected members of at most {limit:,} bytes when unpacked, got {total:,}")
        members: dict[str, memoryview] = {}
        place = 0
        for entry in entries:
            need(entry.offset == place, "expected the members of the zip archive one after the other, got a gap or an overlap")
            content, place = member(memoryview(data), entry)
            members[member_name(entry.name)] = unpacked(content, entry)
    except struct.error:
        raise Malformed("expected a whole zip archive, got one that was cut") from None
    need(place == start, "expected the directory right after the last member of the zip archive, got other bytes there")
    need(len({name.lower() for name in members}) == len(entries), "expected members with different names, got two alike but for case")
    return members


def member_name(name: bytes) -> str:
    """The name as text: parts of printable ASCII between slashes."""
    plain = re.fullmatch(rb"[ -\[\]-~]+", name) and not {b"", b".", b".."} & {*name.split(b"/")}
    need(bool(plain), f"expected names of members in plain ASCII, got {shown(name)}")
    return name.decode("ascii")


def directory(data: bytes) -> tuple[list[Entry], int]:
    """The members as the directory lists them, and where the directory begins."""
    end = len(data) - END.size
    sign, disk, first, here, count, size, start, comment = END.unpack_from(data, end)
    plain = sign == b"PK\x05\x06" and (disk, first, comment) == (0, 0, 0) and here == count
    need(plain, "expected a zip archive that ends with its directory, got a damaged one or one with something behind")
    if data[max(0, end - LOCATOR.size) :][:4] == b"PK\x06\x07":
        located, wide = end - LOCATOR.size, end - LOCATOR.size - END64.size
        need(LOCATOR.unpack_from(data, located) == (b"PK\x06\x07", 0, wide, 1), "expected one directory of the zip archive, got two")
        sign, rest, _, _, disk, first, here, count64, size64, start64 = END64.unpack_from(data, wide)
        plain = (sign, rest, disk, first, here) == (b"PK\x06\x06", END64.size - 12, 0, 0, count64)
        plain = plain and count in (count64, SHORT) and size in (size64, LONG) and start in (start64, LONG)
        need(plain, "expected one directory of the zip archive, got two that differ")
        end, count, size, start = wide, count64, size64, start64
    need(start + size == end, "expected the end of the zip archive right after its directory, got other bytes there")
    entries, place = [], start
    while place < end:
        sign, _, _, flags, method, _, _, crc, packed, full, names, extras, comment, disk, _, attributes, offset = CENTRAL.unpack_from(
            data, place
        )
        # PyTorch takes a member with the attribute of a DOS directory for one, and reads nothing of it
        plain = sign == b"PK\x01\x02" and (comment, disk, attributes & DIRECTORY) == (0, 0, 0)
        need(plain, "expected a directory of plain members, got something else in it")
        place += CENTRAL.size
        name, extra = data[place : place + names], data[place + names : place + names + extras]
        place += names + extras
        full, packed, offset = widened(extra, [full, packed, offset])
        entries.append(Entry(name, flags, method, crc, packed, full, offset))
    need(place == end and len(entries) == count > 0, "expected a directory with as many members as it says, got others")
    return entries, start


def widened(extra: bytes, numbers: list[int], header: bool = False) -> list[int]:
    """The numbers, those that are LONG replaced by what the extra fields have in 64 bits.

    Where none is LONG, a member's header may have them all once more, the same; the directory may not.
    """
    missing = [k for k, number in enumerate(numbers) if number == LONG]
    place, seen = 0, set()
    while place < len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        field = extra[place + 4 : place + 4 + size]
        need(kind in EXTRA and kind not in seen and len(field) == size, f"expected extra fields that change nothing, got {kind:#x}")
        seen.add(kind)
        if kind == 1 and header and not missing:
            need(field == struct.pack(f"<{len(numbers)}Q", *numbers), "expected the same sizes in 64 bits as in the header, got others")
        elif kind == 1:
            need(size == 8 * len(missing) > 0, "expected sizes of 64 bits where they are needed alone, got others")
            for k, (number,) in zip(missing, struct.iter_unpack("<Q", field), strict=True):
                numbers[k] = number
        place += 4 + size
    need(not missing or 1 in seen, "expected sizes of 64 bits, got none")
    return numbers


def member(data: memoryview, entry: Entry) -> tuple[memoryview, int]:
    """The bytes of a member as they are stored, and where they end; its header has to agree with the directory."""
    sign, _, flags, method, _, _, crc, packed, full, names, extras = LOCAL.unpack_from(data, entry.offset)
    place = entry.offset + LOCAL.size
    agree = sign == b"PK\x03\x04" and (flags, method) == (entry.flags, entry.method) and data[place : place + names] == entry.name
    need(agree, "expected headers of members that agree with the directory of the zip archive, got others")
    need(flags & ~(BEHIND | UTF8) == 0 and method in (0, 8), "expected members that are stored or deflated and not locked, got others")
    need(method == 8 or entry.packed == entry.unpacked, "expected stored members as long as they are, got others")
    full, packed = widened(bytes(data[place + names : place + names + extras]), [full, packed], header=True)
    sizes = (entry.crc, entry.packed, entry.unpacked)
    behind = bool(flags & BEHIND)
    need(
        (crc, packed, full) == sizes or (behind and (crc, packed, full) == (0, 0, 0)), "expected sizes as in the directory, got others"
    )
    begin = place + names + extras
    end = begin + entry.packed
    need(end <= len(data), "expected a whole zip archive, got one that was cut")
    if behind:
        forms = [struct.pack(f"<4s{form}", b"PK\x07\x08", *sizes) for form in ("3I", "I2Q") if form == "I2Q" or max(sizes) < LONG]
        found = [form for form in forms if data[end : end + len(form)] == form]
        need(len(found) > 0, "expected sizes behind the member as in the directory, got others")
        end += len(found[0])
    return data[begin : begin + entry.packed], end


def unpacked(content: memoryview, entry: Entry) -> memoryview:
    """A member's bytes; no more of them are ever made than the directory says."""
    if entry.method == 8:
        stream = zlib.decompressobj(-15)
        try:
            content = memoryview(stream.decompress(content, entry.unpacked + 1))
            whole = stream.eof or (not stream.unconsumed_tail and not stream.decompress(b"", 1) and stream.eof)
        except zlib.error:
            whole = False
        need(whole and not stream.unused_data, "expected whole compressed members in the zip archive, got a damaged one")
    right = len(content) == entry.unpacked and zlib.crc32(content) == entry.crc
    need(right, "expected members with the lengths and checksums that the directory states, got others")
    return content
