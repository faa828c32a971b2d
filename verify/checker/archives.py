"""Zip archives that are nothing but their members, one directory, and its end.

What this module proves: that `read_zip` returns the members that every reader of zip archives finds, because no byte of the file
belongs to anything else: members stand one after the other from the first byte, each with a header that agrees with the directory, and
the directory ends the file. A prefix, a gap, a second directory, a comment, a compressed stream that is cut or goes on, and two names
that differ in case alone are refused.
"""

import re
import struct
import zlib
from typing import Any

from .shape import Malformed, need, shown

#: What compressed members may be unpacked to, as a multiple of the file.
UNPACKED = 32

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
_END64, _LOCATOR = struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")


def ends_as_zip(data: bytes) -> bool:
    """Whether a reader that looks for a zip directory from the end would find one."""
    place = data.rfind(b"PK\x05\x06", max(0, len(data) - 2**16 - _END.size))
    return place >= 0 and place + _END.size <= len(data) and place + _END.size + _END.unpack_from(data, place)[-1] == len(data)


def read_zip(data: bytes) -> dict[str, memoryview]:
    """The members of an archive that is nothing but members, one directory, and its end: no byte belongs to anything else."""
    try:
        return _read_zip(data)
    except struct.error:
        raise Malformed("expected a whole zip archive, got one that was cut") from None


def _read_zip(data: bytes) -> dict[str, memoryview]:
    view, end = memoryview(data), len(data) - _END.size
    sign, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, end)
    need(
        sign == b"PK\x05\x06" and (disk, first_disk, comment) == (0, 0, 0) and here == count,
        "expected a whole zip archive, got a damaged one",
    )
    if data[end - _LOCATOR.size : end][:4] == b"PK\x06\x07":  # the directory's place once more, in 64 bits
        end64 = end - _LOCATOR.size - _END64.size
        sign, rest, _, _, disk, first_disk, here64, count64, size64, start64 = _END64.unpack_from(data, end64)
        located = _LOCATOR.unpack_from(data, end - _LOCATOR.size)
        fits = (sign, rest, disk, first_disk, located[1:]) == (
            b"PK\x06\x06",
            _END64.size - 12,
            0,
            0,
            (0, end64, 1),
        ) and here64 == count64
        fits = fits and count in (count64, 0xFFFF) and size in (size64, 0xFFFFFFFF) and start in (start64, 0xFFFFFFFF)
        need(fits, "expected one directory of the zip archive, got two that differ")
        end, count, size, start = end64, count64, size64, start64
    need(start + size == end, "expected a zip archive that ends with its directory, got other bytes there")
    entries, place = [], start
    while place < end:
        entry = _CENTRAL.unpack_from(data, place)
        name_end = place + _CENTRAL.size + entry[10]
        entries.append((entry, data[place + _CENTRAL.size : name_end], data[name_end : name_end + entry[11]]))
        need(
            entry[0] == b"PK\x01\x02" and entry[12:14] == (0, 0), "expected a directory of plain members in the zip archive, got others"
        )
        place = name_end + entry[11]
    need(place == end and len(entries) == count > 0, "expected a directory with as many members as it says, got others")
    members: dict[str, memoryview] = {}
    place, budget = 0, UNPACKED * len(data)
    for entry, name, extra in sorted(entries, key=lambda item: _wide(item)[2]):
        packed, unpacked, offset = _wide((entry, name, extra))
        need(offset == place, "expected the members of the zip archive one after the other, got a gap or an overlap")
        content, place = _member(view, place, entry, name, packed, unpacked)
        need(unpacked <= budget, f"expected members of at most {UNPACKED} times the file, got more")
        budget -= unpacked
        text = name.decode("latin-1")
        need(re.fullmatch(r"[ !#-\[\]-~]+", text) is not None, f"expected names of members in plain ASCII, got {shown(text)}")
        members[text] = _unpacked(content, entry[4], unpacked, entry[7])
    need(place == start, "expected the directory after the last member of the zip archive, got other bytes there")
    need(len({name.lower() for name in members}) == len(entries), "expected members with different names, got two alike but for case")
    return members


def _wide(item: tuple[Any, bytes, bytes]) -> tuple[int, int, int]:
    """(packed size, unpacked size, offset) of a member of the directory, which may stand in its extra field in 64 bits."""
    (*_, packed, unpacked, _, _, _, _, _, _, offset), extra = item[0], item[2]
    place = 0
    while place < len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        need(place + 4 + size <= len(extra), "expected whole extra fields in the zip archive, got one that was cut")
        if kind == 1:
            wide = [word for (word,) in struct.iter_unpack("<Q", extra[place + 4 : place + 4 + size])]
            values = [wide.pop(0) if value == 0xFFFFFFFF and wide else value for value in (unpacked, packed, offset)]
            unpacked, packed, offset = values
            need(not wide, "expected sizes once in the zip archive, got more")
        place += 4 + size
    return packed, unpacked, offset


def _member(data: memoryview, place: int, entry: Any, name: bytes, packed: int, unpacked: int) -> tuple[memoryview, int]:
    """The bytes of the member whose header stands at ``place``, and where the next one begins; header and directory must agree."""
    sign, _, flags, method, _, _, crc, local_packed, local_unpacked, name_size, extra_size = _LOCAL.unpack_from(data, place)
    begin = place + _LOCAL.size + name_size + extra_size
    later = bool(flags & 8)  # sizes and checksum stand behind the member
    agree = sign == b"PK\x03\x04" and bytes(data[place + _LOCAL.size :][:name_size]) == name and (flags, method) == (entry[3], entry[4])
    agree = agree and flags & ~0x808 == 0 and method in (0, 8)
    need(agree, "expected plain members whose headers agree with the directory of the zip archive, got others")
    need(begin + packed <= len(data), "expected a whole zip archive, got one that was cut")
    sizes = {(crc, local_packed, local_unpacked)}
    end = begin + packed
    if later:
        has_sign = bytes(data[end : end + 4]) == b"PK\x07\x08"
        wide = struct.Struct("<I2Q" if max(packed, unpacked) >= 0xFFFFFFFF or _is_wide(data, place) else "<3I")
        sizes = {wide.unpack_from(data, end + 4 * has_sign)}
        end += 4 * has_sign + wide.size
    elif 0xFFFFFFFF in (local_packed, local_unpacked):  # in 64 bits, in the extra field
        sizes = {(crc, *_local_wide(bytes(data[begin - extra_size : begin]), local_packed, local_unpacked))}
    need(
        sizes == {(entry[7], packed, unpacked)}, "expected members whose sizes agree with the directory of the zip archive, got others"
    )
    return data[begin : begin + packed], end


def _is_wide(data: memoryview, place: int) -> bool:
    """Whether the local header at ``place`` has a field for sizes of 64 bits."""
    header = _LOCAL.unpack_from(data, place)
    extra = bytes(data[place + _LOCAL.size + header[9] :][: header[10]])
    return extra[:2] == b"\x01\x00"


def _local_wide(extra: bytes, packed: int, unpacked: int) -> tuple[int, int]:
    """(packed, unpacked) of a local header whose extra field has them in 64 bits."""
    kind, size = struct.unpack_from("<2H", extra, 0)
    need(kind == 1 and size == 16, "expected sizes of 64 bits in the zip archive, got none")
    unpacked64, packed64 = struct.unpack_from("<2Q", extra, 4)
    return (packed64 if packed == 0xFFFFFFFF else packed), (unpacked64 if unpacked == 0xFFFFFFFF else unpacked)


def _unpacked(content: memoryview, method: int, size: int, crc: int) -> memoryview:
    """A member's bytes, unpacked where they are compressed; no more than ``size`` of them are ever made."""
    if method == 8:
        try:
            stream = zlib.decompressobj(-15)
            content = memoryview(stream.decompress(content, size + 1))
            whole = stream.eof and not stream.unused_data and not stream.unconsumed_tail
        except zlib.error:
            whole = False
        need(whole, "expected whole compressed members in the zip archive, got a damaged one")
    need(
        len(content) == size and zlib.crc32(content) == crc,
        "expected members with the checksums that the zip archive states, got others",
    )
    return content
