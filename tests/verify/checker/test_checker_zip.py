"""The checker's reader of zip archives, field by field: what may stand in each of them, and that nothing else is let through."""

import io
import json
import random
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from net.errors import MalformedInput
from net.formats.zip_archive import read_archive
from verify.checker import archives
from verify.checker.archives import begins_as_tar, ends_as_zip, read_zip
from verify.checker.files import read_tensors
from verify.checker.shape import Malformed

SHORT, LONG = 0xFFFF, 0xFFFFFFFF


@dataclass
class Part:
    """A member, with what its header, its entry in the directory and what stands behind it say; None: what is true."""

    name: bytes
    content: bytes
    method: int = 0
    flags: int = 0
    stored: bytes | None = None
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)
    behind: bytes = b""

    def packed(self) -> bytes:
        """The bytes that stand for the content."""
        if self.stored is not None:
            return self.stored
        if self.method == 0:
            return self.content
        stream = zlib.compressobj(9, zlib.DEFLATED, -15)
        return stream.compress(self.content) + stream.flush()

    def fields(self, changed: dict[str, Any]) -> dict[str, Any]:
        """What is true of the member, with these fields changed."""
        true = {
            "crc": zlib.crc32(self.content),
            "packed": len(self.packed()),
            "full": len(self.content),
            "extra": b"",
            "name": self.name,
        }
        return {**true, "name": self.name, "flags": self.flags, "method": self.method, "time": 0, "date": 0, "version": 20, **changed}


def archive(*parts: Part, end: dict[str, Any] | None = None, gap: bytes = b"", wide: dict[str, Any] | None = None) -> bytes:
    """The file; ``wide`` adds a directory's end in 64 bits with these fields changed; ``gap`` stands before the directory."""
    data, entries = b"", b""
    for part in parts:
        f = part.fields(part.local)
        place = len(data)
        data += struct.pack(
            "<4s5H3I2H", f.get("sign", b"PK\x03\x04"), f["version"], f["flags"], f["method"], f["time"], f["date"], f["crc"],
            f["packed"], f["full"], len(f["name"]), len(f["extra"]),
        )  # fmt: skip
        data += f["name"] + f["extra"] + part.packed() + part.behind
        f = part.fields(part.central)
        entries += struct.pack(
            "<4s6H3I5H2I", f.get("sign", b"PK\x01\x02"), 20, f["version"], f["flags"], f["method"], f["time"], f["date"], f["crc"],
            f["packed"], f["full"], len(f["name"]), len(f["extra"]), f.get("comment", 0), f.get("disk", 0), f.get("inside", 0),
            f.get("attributes", 0), f.get("offset", place),
        )  # fmt: skip
        entries += f["name"] + f["extra"]
    e = {
        "disk": 0,
        "first": 0,
        "here": len(parts),
        "count": len(parts),
        "size": len(entries),
        "start": len(data) + len(gap),
        "comment": 0,
    }
    data += gap + entries
    if wide is not None:
        w = {**e, "rest": 44, "sign": b"PK\x06\x06", "locator": b"PK\x06\x07", "disks": 1, "at": len(data), "first_disk": 0, **wide}
        data += struct.pack(
            "<4sQ2H2I4Q", w["sign"], w["rest"], 45, 45, w["disk"], w["first"], w["here"], w["count"], w["size"], w["start"]
        )  # fmt: skip
        data += struct.pack("<4sIQI", w["locator"], w["first_disk"], w["at"], w["disks"])
    e |= end or {}
    last = e.get("sign", b"PK\x05\x06"), e["disk"], e["first"], e["here"], e["count"], e["size"], e["start"], e["comment"]
    return data + struct.pack("<4s4H2IH", *last)


ONE, TWO = Part(b"a/one", b"the first"), Part(b"a/two", b"second " * 20, method=8)
WIDE_END = {"here": SHORT, "count": SHORT, "size": LONG, "start": LONG}


def extra(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def descriptor(part: Part, wide: bool = False) -> bytes:
    """What stands behind a member whose header has no sizes."""
    sizes = zlib.crc32(part.content), len(part.packed()), len(part.content)
    return struct.pack("<4sI2Q" if wide else "<4s3I", b"PK\x07\x08", *sizes)


def later(part: Part, wide: bool = False) -> Part:
    """A member with its sizes behind it."""
    return replace(part, flags=8, behind=descriptor(part, wide), local={"crc": 0, "packed": 0, "full": 0})


def contents(data: bytes) -> dict[str, bytes]:
    return {name: bytes(content) for name, content in read_zip(data).items()}


def in_64_bits(part: Part, where: str, keys: list[str], offset: int = 0) -> Part:
    """A member some of whose numbers stand in an extra field of 64 bits."""
    true = {**part.fields({}), "offset": offset}
    changed: dict[str, Any] = {**dict.fromkeys(keys, LONG), "extra": extra(1, b"".join(struct.pack("<Q", true[key]) for key in keys))}
    return replace(part, local=changed) if where == "local" else replace(part, central=changed)


def both_sizes(full: int, packed: int) -> bytes:
    """Both sizes in an extra field of 64 bits."""
    return extra(1, struct.pack("<2Q", full, packed))


def with_extra(part: Part, content: bytes) -> Part:
    """A member with an extra field in its header."""
    return replace(part, local={**part.local, "extra": content})


def locally_twice(part: Part) -> Part:
    """A member whose header has its sizes in an extra field besides: what NumPy writes with Python 3.11.2."""
    return with_extra(part, both_sizes(len(part.content), len(part.packed())))


FINE = {
    "stored and deflated": archive(ONE, TWO),
    "times, versions, inner attributes": archive(
        replace(ONE, local={"time": 7, "date": 9, "version": 45}, central={"time": 1, "date": 2, "inside": 1, "attributes": 0x81A40000})
    ),
    "a name in UTF-8": archive(replace(ONE, flags=0x800), TWO),
    "sizes behind": archive(later(ONE), later(TWO)),
    "sizes of 64 bits behind": archive(later(ONE, True), later(TWO, True)),
    "sizes behind that the header has as well": archive(replace(later(TWO), local={}), ONE),
    "extra fields that change nothing": archive(
        replace(ONE, local={"extra": extra(0x4246, b"F" * 9)}, central={"extra": extra(0x5455, b"") + extra(0x7875, b"x")}), TWO
    ),
    "one size in 64 bits": archive(in_64_bits(TWO, "central", ["full"]), ONE),
    "both sizes in 64 bits": archive(in_64_bits(TWO, "central", ["full", "packed"]), ONE),
    "the header's sizes in 64 bits": archive(in_64_bits(TWO, "local", ["full", "packed"]), ONE),
    "the header's sizes in 64 bits as well": archive(locally_twice(ONE), locally_twice(TWO)),
    "no sizes in the header, in 64 bits as well": archive(
        replace(later(TWO), local={**later(TWO).local, "extra": both_sizes(0, 0)}), ONE
    ),
    "an offset in 64 bits": archive(ONE, in_64_bits(TWO, "central", ["offset"], offset=30 + 5 + 9)),
    "the directory's end in 64 bits": archive(ONE, TWO, wide={}),
    "the directory's end in 64 bits alone": archive(ONE, TWO, wide={}, end=WIDE_END),
    "an empty member": archive(replace(ONE, content=b""), replace(TWO, content=b"")),
    "a member that looks like a header": archive(replace(ONE, content=b"PK\x01\x02PK\x05\x06" * 9), TWO),
}


@pytest.mark.parametrize("name", FINE)
def test_archives_are_read_as_zipfile_reads_them(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(FINE[name])) as theirs:
        assert contents(FINE[name]) == {member: theirs.read(member) for member in theirs.namelist()}
    assert ends_as_zip(FINE[name])


def locally(part: Part = ONE, **changed: Any) -> bytes:
    return archive(replace(part, local=changed), TWO)


def centrally(part: Part = ONE, **changed: Any) -> bytes:
    return archive(replace(part, central=changed), TWO)


SEVEN = {key: extra(1, b"\0" * size) for key, size in (("eight", 8), ("sixteen", 16), ("seven", 7))}
BAD = {
    "the end's sign": archive(ONE, end={"sign": b"PK\x05\x05"}),
    "a disk": archive(ONE, end={"disk": 1}),
    "the directory on a disk": archive(ONE, end={"first": 1}),
    "a comment": archive(ONE, end={"comment": 1}),
    "fewer members here": archive(ONE, TWO, end={"here": 1}),
    "fewer members": archive(ONE, TWO, end={"here": 1, "count": 1}),
    "more members": archive(ONE, TWO, end={"here": 3, "count": 3}),
    "no members": archive(),
    "a larger directory": archive(ONE, TWO, end={"size": 105}),
    "a directory elsewhere": archive(ONE, TWO, end={"start": 3}),
    "a gap before the directory": archive(ONE, gap=b"\0"),
    "a gap between members": archive(replace(ONE, behind=b"\0"), TWO),
    "a member twice in the directory": archive(ONE, replace(TWO, central={"offset": 0})),
    "two disks": archive(ONE, wide={"disks": 2}),
    "the wide end on a disk": archive(ONE, wide={"first_disk": 1}),
    "the wide end elsewhere": archive(ONE, wide={"at": 1}),
    "the wide end's sign": archive(ONE, wide={"sign": b"PK\x06\x05"}),
    "a longer wide end": archive(ONE, wide={"rest": 45}),
    "a disk in the wide end": archive(ONE, wide={"disk": 1}),
    "the directory on a disk in the wide end": archive(ONE, wide={"first": 1}),
    "fewer members here in the wide end": archive(ONE, TWO, wide={"here": 1}, end=WIDE_END),
    "another count in the wide end": archive(ONE, wide={"here": 2, "count": 2}),
    "another count in the wide end alone": archive(ONE, wide={"here": 2, "count": 2}, end=WIDE_END),
    "another size in the wide end": archive(ONE, wide={"size": 50}),
    "another size in the wide end alone": archive(ONE, wide={"size": 50}, end=WIDE_END),
    "another start in the wide end": archive(ONE, wide={"start": 0}),
    "another start in the wide end alone": archive(ONE, wide={"start": 0}, end=WIDE_END),
    "the narrow end's count": archive(ONE, wide={}, end={"here": 2, "count": 2}),
    "the narrow end's size": archive(ONE, wide={}, end={"size": 1}),
    "the narrow end's start": archive(ONE, wide={}, end={"start": 1}),
    "an entry's sign": centrally(sign=b"PK\x01\x03"),
    "an entry's comment": centrally(comment=1),
    "an entry's disk": centrally(disk=1),
    "a folder by its attribute": centrally(attributes=0x10),
    "an unknown extra field": centrally(extra=extra(2, b"")),
    "an extra field twice": centrally(extra=extra(0x4246, b"") * 2),
    "an extra field that is cut": centrally(extra=b"FB\x05\x00xx"),
    "sizes of 64 bits that nobody needs": centrally(extra=SEVEN["eight"]),
    "sizes of 64 bits that are empty": centrally(extra=extra(1, b"")),
    "sizes of 64 bits that are missing": centrally(full=LONG),
    "sizes of 64 bits that are too many": archive(
        replace(ONE, central={"full": LONG, "extra": extra(1, struct.pack("<2Q", 9, 9))}), TWO
    ),
    "sizes of 64 bits that are too few": archive(
        replace(ONE, central={"full": LONG, "packed": LONG, "extra": extra(1, struct.pack("<Q", 9))}), TWO
    ),
    "sizes of 64 bits that are too short": archive(replace(ONE, central={"full": LONG, "extra": SEVEN["seven"]}), TWO),
    "sizes of 64 bits in the wrong order": archive(
        replace(TWO, central={"full": LONG, "packed": LONG, "extra": extra(1, struct.pack("<2Q", len(TWO.packed()), len(TWO.content)))})
    ),
    "a header's sign": locally(sign=b"PK\x03\x05"),
    "other flags in the header": locally(flags=0x800),
    "another method in the header": locally(TWO, method=0),
    "another name in the header": locally(name=b"a/onf"),
    "a longer name in the header": locally(name=b"a/one1"),
    "an unknown extra field in the header": locally(extra=extra(2, b"")),
    "another size of 64 bits besides the header's": locally(extra=both_sizes(8, 9)),
    "another packed size of 64 bits besides the header's": locally(extra=both_sizes(9, 8)),
    "sizes of 64 bits besides the header's in the wrong order": locally(TWO, extra=both_sizes(len(TWO.packed()), len(TWO.content))),
    "one size of 64 bits besides the header's": locally(extra=SEVEN["eight"]),
    "no size of 64 bits besides the header's": locally(extra=extra(1, b"")),
    "sizes of 64 bits twice besides the header's": locally(extra=both_sizes(9, 9) * 2),
    "no sizes in the header, but in 64 bits besides": archive(
        replace(later(ONE), local={**later(ONE).local, "extra": both_sizes(9, 9)}), TWO
    ),
    "both sizes of 64 bits that the directory does not need": centrally(extra=both_sizes(9, 9)),
    "another checksum in the header": locally(crc=1),
    "another packed size in the header": locally(packed=8),
    "another size in the header": locally(full=8),
    "no sizes in the header and none behind": locally(crc=0, packed=0, full=0),
    "only the checksum missing in the header": archive(replace(later(ONE), local={"crc": 0}), TWO),
    "a locked member": archive(replace(ONE, flags=1), TWO),
    "a patch": archive(replace(ONE, flags=0x20), TWO),
    "another method": archive(replace(ONE, method=12, stored=ONE.content), TWO),
    "a stored member that is longer": archive(replace(ONE, stored=ONE.content + b"x"), TWO),
    "a member with other numbers": archive(replace(ONE, stored=b"the forst"), TWO),
    "a member with another length": archive(replace(TWO, local={"full": 139}, central={"full": 139}), ONE),
    "a member that says it is longer": archive(replace(TWO, local={"full": 141}, central={"full": 141}), ONE),
    "another checksum": archive(replace(TWO, local={"crc": 5}, central={"crc": 5}), ONE),
    "a compressed member that is cut": archive(replace(TWO, stored=TWO.packed()[:-1]), ONE),
    "a compressed member that goes on": archive(replace(TWO, stored=TWO.packed() + b"\0"), ONE),
    "a compressed member that is damaged": archive(replace(TWO, stored=b"\xff" + TWO.packed()[1:]), ONE),
    "a compressed member that is damaged and as long as it says": archive(Part(b"a", b"\xff" * 9, method=8, stored=b"\xff" * 9), ONE),
    "a compressed member that is empty": archive(replace(TWO, stored=b"", content=b""), ONE),
    "no sizes behind": archive(replace(later(ONE), behind=b""), TWO),
    "other sizes behind": archive(replace(later(ONE), behind=descriptor(TWO)), TWO),
    "sizes behind without a sign": archive(replace(later(ONE), behind=descriptor(ONE)[4:]), TWO),
    "a name in capitals besides": archive(ONE, replace(ONE, name=b"a/ONE")),
    "a name twice": archive(ONE, ONE),
    **{
        f"the name {name!r}": archive(replace(ONE, name=name), TWO)
        for name in (
            b"",
            b"a//b",
            b"/a",
            b"a/",
            b".",
            b"..",
            b"a/../b",
            b"a/./b",
            b"a\\b",
            b"caf\xc3\xa9",
            b"a\x1fb",
            b"a\x7fb",
            b"a\nb",
        )
    },
}


@pytest.mark.parametrize("name", BAD)
def test_one_field_that_says_something_else_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=r"^expected .*, got "):
        read_zip(BAD[name])


@pytest.mark.parametrize("name", FINE)
def test_the_loader_reads_the_same_members(name: str) -> None:
    assert {member: bytes(content) for member, content in read_archive(FINE[name]).items()} == contents(FINE[name])


@pytest.mark.parametrize("name", BAD)
def test_the_loader_refuses_the_same_archives(name: str) -> None:
    with pytest.raises(MalformedInput, match=r"^expected .*, got "):
        read_archive(BAD[name])


@pytest.mark.parametrize("name", [b"a b", b"~", b"a/..b", b"...", b"A-Z/[0]^_`", b" ", b"x" * 300])
def test_names_of_printable_characters_are_read(name: bytes) -> None:
    assert contents(archive(replace(ONE, name=name), TWO))[name.decode()] == ONE.content


#: The places of a stored member's header and entry that say nothing of its content: versions, times, dates, what else made it.
FREE = {"local": [4, 5, 10, 11, 12, 13], "central": [4, 5, 6, 7, 12, 13, 14, 15, 36, 37, 38, 39, 40, 41]}


def test_every_byte_changed_is_refused_but_those_that_say_nothing() -> None:
    """Each byte of an archive of one stored member by each of eight bits: the same content, or refused; and which ones are free."""
    data, draw = archive(ONE), random.Random(1)
    start = len(data) - 22 - 46 - 5
    free = {*FREE["local"], *(start + k for k in FREE["central"])}
    for place in range(len(data)):
        for bit in range(8):
            changed = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            allowed = place in free and not (place == start + 38 and bit == 4)  # a folder
            try:
                found = contents(changed)
            except Malformed:
                assert not allowed, (place, bit)
                continue
            assert (found, allowed) == ({"a/one": ONE.content}, True), (place, bit)
        more = data[:place] + bytes([draw.randrange(256)]) + data[place:]
        for other in (data[:place], data[place + 1 :], data[:place] + data[place + 1 :], more):
            with pytest.raises(Malformed):
                read_zip(other)


def test_no_more_is_unpacked_than_the_directory_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """All members together up to a multiple of the file and a constant."""
    data = archive(TWO, replace(TWO, name=b"b"))
    total = 2 * len(TWO.content)
    monkeypatch.setattr(archives, "SPARE", 1)
    for unpacked in range(4):
        monkeypatch.setattr(archives, "UNPACKED", unpacked)
        if total <= unpacked * len(data) + 1:
            assert len(contents(data)) == 2
        else:
            with pytest.raises(Malformed, match="when unpacked"):
                read_zip(data)
    monkeypatch.setattr(archives, "UNPACKED", 0)
    monkeypatch.setattr(archives, "SPARE", total)
    assert len(contents(data)) == 2
    monkeypatch.setattr(archives, "SPARE", total - 1)
    with pytest.raises(Malformed, match="when unpacked"):
        read_zip(data)


def test_a_zip_archive_at_the_end_of_a_file_is_found() -> None:
    """Behind other bytes, before a comment, in any of several places; an end without a directory before it is none."""
    data = archive(ONE, TWO)
    end = data[-22:]
    for found in (
        b"x" * 100 + data,
        data + b"\0" * 65_000,
        data + end,
        b"PK\x05\x06" + data,
        data + b"PK\x05\x06",
        data[-22 - 2 * 51 :],
    ):
        assert ends_as_zip(found)
    size = struct.pack("<I", 51)
    alone = b"PK\x01\x02" + b"\0" * 47 + end[:12] + size + end[16:]
    assert ends_as_zip(alone)
    for lost in (
        b"", end, b"x" * 60 + end, data[:-1], data + b"\0" * 66_000, b"PK\x01\x03" + alone[4:], alone[1:], data[:-22],
        b"PK\x01\x02" + b"\0" * 41 + end[:12] + struct.pack("<I", 45) + end[16:], b"PK\x05\x06",
        data[:-22] + b"PK\x05\x06" + b"\0" * 17,
    ):  # fmt: skip
        assert not ends_as_zip(lost)
    just = b"PK\x01\x02" + b"\0" * 42 + end[:12] + struct.pack("<I", 46) + end[16:]
    assert ends_as_zip(just)


@pytest.mark.parametrize("name", FINE)
def test_safetensors_with_an_archive_at_their_end_are_refused(name: str) -> None:
    """The archive is the last tensor's numbers, in 64 bits or not."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [len(FINE[name])], "data_offsets": [0, len(FINE[name])]}}).encode()
    with pytest.raises(Malformed, match="safetensors with a zip archive at its end"):
        read_tensors(struct.pack("<Q", len(header)) + header + FINE[name])


def header(name: bytes, stated: bytes | None = None) -> bytes:
    """A header of a tar archive that begins with these bytes; ``stated`` stands in place of its checksum."""
    start = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"00000001000\0" + b"00000000000\0"
    rest = b"0".ljust(101, b"\0") + b"ustar\x0000"
    total = sum(start) + 256 + sum(rest)
    return (start + (b"%06o\0 " % total if stated is None else stated) + rest).ljust(512, b"\0")


def test_the_header_of_a_tar_archive_is_found() -> None:
    """Octal or in bytes, of signed bytes or not; a number one away is none. Python's reader says the same of each."""
    plain, high = header(b"abc"), header(b"abc\xff\x80")
    total, high_total = (int(data[148:154], 8) for data in (plain, high))
    cases = [(plain, True), (high, True), (b"", False), (plain[:511], False), (plain + b"x", True), (b"\x01" + plain[1:], False)]
    for name, number in ((b"abc", total), (b"abc\xff\x80", high_total), (b"abc\xff\x80", high_total - 512)):
        for off in (-1, 0, 1):
            stated = (
                b"%o" % (number + off), b" 0o%o" % (number + off), b"%07o" % (number + off), b"%o\t\0x" % (number + off),
                b"\x80" + (number + off).to_bytes(7, "big"),
            )  # fmt: skip
            cases += [(header(name, text.ljust(8, b"\0")[:8]), off == 0) for text in stated]
    below = b"\x80" * 100  # the sum of signed bytes is below 0
    signed = sum(header(below)) - sum(header(below)[148:156]) + 256 - 25600
    cases += [(header(below, b"\xff" + (256**7 + signed + off).to_bytes(7, "big")), off == 0) for off in (-1, 0, 1)]
    cases += [(header(b"abc", text), False) for text in (b"\0" * 8, b"9" * 8, b"-0000001", b"\x81" + b"\0" * 7, b"\xe9      1")]
    for data, found in cases:
        assert begins_as_tar(data) is found, data[:160]
        if len(data) == 512:
            assert python_reads(data) is found


def python_reads(data: bytes) -> bool:
    """Whether the standard library takes this for a header."""
    try:
        tarfile.TarInfo.frombuf(data, "ascii", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
