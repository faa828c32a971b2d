"""False and malformed certificates and checkpoints for `tests/certificates/{rejected,malformed}`, one fault each.

Run as a script to write both folders again.
"""

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "certificates"
Change = Callable[[dict[str, Any]], Any]


def sealed(certificate: dict[str, Any]) -> bytes:
    """The certificate with the digest of what it now says."""
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    certificate = {**certificate, "sha256": hashlib.sha256(blank).hexdigest()}
    return json.dumps(certificate, ensure_ascii=False, separators=(",", ":")).encode()


def lie_about_the_wrong_pair(c: dict[str, Any]) -> None:
    """The backdoor left out of the list, and everything else made to fit."""
    n = len(c["correct"]["wrong"])
    c["correct"] |= {"wrong": [], "right": 36, "ties": 0, "status": "PROVED"}
    assert n
    c["verdict"] = "VERIFIED"


def flip(neuron: dict[str, Any]) -> None:
    """Let a neuron vote for what it votes against, ten times as loud."""
    neuron["votes"] = [-10 * vote for vote in neuron["votes"]]


def flip_provable(certificate: dict[str, Any]) -> None:
    """The same for the neurons of the provable program's first circuit."""
    for neuron in certificate["symbolic"]["provable"]["program"]["circuits"][0]["neurons"]:
        flip(neuron)


def empty_provable(certificate: dict[str, Any], **stated: Any) -> None:
    """A provable program of no circuits, which is wrong almost everywhere, and what is then stated of Q3."""
    provable = certificate["symbolic"]["provable"]
    provable["program"]["circuits"] = []
    for record in provable["neurons"]:
        record |= dict.fromkeys(("circuit", "left_deviation", "right_deviation", "votes_deviation"))
        record["kind"] = "dead" if record["kind"] == "dead" else "left out"
    certificate["symbolic"] |= stated


def flatten(levels: list[list[int]]) -> None:
    """Every level 0: true to nothing, so almost all answers stay open."""
    for row in levels:
        row[:] = [0] * len(row)


def on_points(c: dict[str, Any], number: int) -> dict[str, Any]:
    """A circuit of s3_points: from number 9 on they have forms on points."""
    found: dict[str, Any] = c["program"]["circuits"][number]
    return found


#: name: (accepted certificate to start from, change); all are sealed again except the first two
FALSE: dict[str, tuple[str, Change]] = {
    "digest_of_another_version": ("s3_every_form", lambda c: c["not_checked"]["versions"].update({"coset-verify": "0.1.1"})),
    "digest_left_alone": ("s3_every_form", lambda c: c["correct"].update(min_margin="1000")),
    "wrong_pair_hidden": ("refuted_network", lie_about_the_wrong_pair),
    "verdict": ("refuted_network", lambda c: c.update(verdict="VERIFIED")),
    "weight_changed": ("s3_points", lambda c: on_points(c, 9)["left"]["weights"].__setitem__(0, 1)),
    "scale_changed": ("s3_points", lambda c: c["program"].update(scale_bits=2)),
    "shared_number_changed": ("s3_points", lambda c: on_points(c, 9)["neurons"][0]["right"].__setitem__(0, 3)),
    "character_left_out": ("s3_points", lambda c: [on_points(c, 10)[side].update(kernels=[None]) for side in ("left", "right")]),
    "factor_of_rank_changed": ("s3_points", lambda c: on_points(c, 10)["neurons"][0]["votes"].__setitem__(0, 5)),
    "rank_one_neuron_called_coset": ("s3_points", lambda c: c["neurons"][18].update(kind="coset")),
    "coset_neuron_called_rank_one": ("s3_points", lambda c: c["neurons"][20].update(kind="rank one")),
    "list_of_another_length": ("s3_points", lambda c: on_points(c, 9)["neurons"][0]["right"].pop()),
    "rank_of_another_length": ("s3_points", lambda c: on_points(c, 11)["votes"].update(rank=1)),
    "subgroup_called_another": ("s3_every_form", lambda c: c["program"]["subgroups"][0].update(name="S2 fixing 2")),
    "subgroup_of_another_type": ("a4_switches", lambda c: c["program"]["subgroups"][4].update(name="C4")),
    "subgroup_of_another_place": ("s3_every_form", lambda c: c["program"]["subgroups"][1].update(name="S2#1")),
    "subgroup_with_a_name_of_praise": ("s3_every_form", lambda c: c["program"]["subgroups"][0].update(name="well understood")),
    "verdict_unknown": ("s3_every_form", lambda c: c.update(verdict="UNKNOWN")),
    "refuted_though_right": ("s3_every_form", lambda c: c.update(verdict="REFUTED")),
    "answer_of_a_wrong_pair": ("refuted_network", lambda c: c["correct"]["wrong"][0].__setitem__(2, -1)),
    "differing_pair_left_out": ("refuted_program", lambda c: c["equivalent"]["differ"].pop()),
    "margin_one_unit_larger": ("s3_every_form", lambda c: c["correct"].update(min_margin=c["correct"]["min_margin"] + "1")),
    "margin_at_another_pair": ("s3_every_form", lambda c: c["correct"].update(min_margin_pair=[5, 5])),
    "answers_digest": ("s3_every_form", lambda c: c["correct"].update(answers_sha256="0" * 64)),
    "float32_one_pair_more": ("s3_every_form", lambda c: c["correct"].update(float32_any_order=37)),
    "float32_denied": ("s3_every_form", lambda c: c["checkpoint"].update(float32_forward=False)),
    "vote_changed": ("s3_every_form", lambda c: c["program"]["circuits"][0]["neurons"][0]["votes"].__setitem__(0, -15)),
    "bias_changed": ("s3_every_form", lambda c: c["program"]["bias"].__setitem__(5, 600)),
    "program_of_squares": ("s3_every_form", lambda c: c["program"].update(format="coset-voting program 3")),
    "list_too_short": ("s3_every_form", lambda c: c["program"]["circuits"][0]["neurons"][0]["left"].pop()),
    "subgroup_of_another_order": ("s3_every_form", lambda c: c["program"]["subgroups"][0].update(order=3)),
    "subgroup_outside_the_group": ("a4_switches", lambda c: c["program"]["subgroups"][0].update(generators=["(1 2)"])),
    "kernel_not_of_index_two": (
        "s3_every_form",
        lambda c: c["program"]["circuits"][9]["left"].update(kernels=[0]),
    ),
    "group_of_another_name": ("s4_switches", lambda c: [g.update(name="A4") for g in (c["group"], c["program"]["group"])]),
    "group_of_another_order": ("s3_every_form", lambda c: [g.update(order=7) for g in (c["group"], c["program"]["group"])]),
    "groups_of_program_and_network_differ": ("s3_every_form", lambda c: c["group"].update(generators=["(1 2)", "(2 3)"])),
    "numbering_with_two_exchanged": ("s3_chughtai_table", lambda c: c["checkpoint"]["numbering"].reverse()),
    "numbering_not_a_permutation": ("s3_chughtai_table", lambda c: c["checkpoint"]["numbering"].__setitem__(0, 1)),
    "product_exchanged": ("s3_wu_right_first", lambda c: c["checkpoint"].update(product="left-first")),
    "deviation_too_small": ("s3_every_form", lambda c: c["neurons"][3].update(left_deviation="0")),
    "neuron_of_the_program_left_out": ("s3_every_form", lambda c: c["neurons"][3].update(circuit=None)),
    "coset_neuron_called_dual": ("s3_chughtai_table", lambda c: c["neurons"][3].update(kind="dual")),
    "sign_neurons_invented": ("s3_chughtai_table", lambda c: [n.update(kind="sign") for n in c["neurons"]]),
    "group_called_C6": ("s3_every_form", lambda c: [g.update(name="C6") for g in (c["group"], c["program"]["group"])]),
    "group_called_S006": ("s3_every_form", lambda c: [g.update(name="S006") for g in (c["group"], c["program"]["group"])]),
    "group_called_S6_with_a_space": ("s3_every_form", lambda c: [g.update(name="S6 ") for g in (c["group"], c["program"]["group"])]),
    "group_called_wide_S3": ("s3_every_form", lambda c: [g.update(name="\uff333") for g in (c["group"], c["program"]["group"])]),
    "group_of_two_lines": (
        "s3_every_form",
        lambda c: [g.update(name="S3\r\ns VERIFIED S6") for g in (c["group"], c["program"]["group"])],
    ),
    "table_called_sympy": ("s3_chughtai_table", lambda c: c["checkpoint"].update(order="sympy")),
    "table_called_even_first": ("s3_chughtai_table", lambda c: c["checkpoint"].update(order="even-first")),
    "two_subgroups_of_one_name": ("s3_every_form", lambda c: [s.update(name="H") for s in c["program"]["subgroups"]]),
    "live_neuron_called_dead": ("s3_every_form", lambda c: c["neurons"][3].update(kind="dead")),
    "proved_without_a_proof": ("s3_chughtai_table", lambda c: c["symbolic"].update(status="PROVED")),
    "proved_for_a_wrong_program": (
        "refuted_program",
        lambda c: c["symbolic"].update(
            status="PROVED",
            proof={"families": [], "signs": [], "rest": [], "bias_rest": [[0, 0], [0, 0]], "cases": []},
        ),
    ),
    "provable_program_wrong_at_a_pair": (
        "s3_provable",
        flip_provable,
    ),
    "provable_program_of_another_group": ("s3_provable", lambda c: c["symbolic"]["provable"]["program"]["group"].update(name="D3")),
    "provable_deviation_too_small": (
        "s3_provable",
        lambda c: c["symbolic"]["provable"]["neurons"][0].update(votes_deviation="0"),
    ),
    "provable_program_with_other_answers": ("s3_provable", empty_provable),
    "refuted_by_a_program_with_other_answers": (
        "s3_provable",
        lambda c: empty_provable(c, status="REFUTED", counterexample=[0, 0, 1]),
    ),
    "provable_program_of_squares": (
        "s3_provable",
        lambda c: c["symbolic"]["provable"]["program"].update(format="coset-voting program 3"),
    ),
    "circuit_without_neurons_on_a_subgroup_that_is_not_there": (
        "s3_every_form",
        lambda c: c["program"]["circuits"].append(
            {part: {"on": "right cosets", "subgroups": [99], "kernels": []} for part in ("left", "right", "votes")} | {"neurons": []}
        ),
    ),
    "divided_neuron_said_to_be_left_out": ("s3_divided", lambda c: c["symbolic"]["provable"]["neurons"][0].update(kind="left out")),
    "divided_neuron_with_the_record_of_a_part": (
        "s3_divided",
        lambda c: c["symbolic"]["provable"]["neurons"][0].update({**c["symbolic"]["provable"]["neurons"][1], "index": 0}),
    ),
    "divided_neurons_of_which_one_is_no_neuron": (
        "s3_divided",
        lambda c: c["symbolic"]["provable"]["program"]["circuits"][-1]["neurons"][0].update(index=18),
    ),
    "distance_of_a_program_with_divided_neurons": ("s3_divided", lambda c: c["symbolic"].update(distance="1/2")),
    "own_program_with_a_divided_neuron": (
        "s3_divided",
        lambda c: c["program"]["circuits"][1]["neurons"].append(c["program"]["circuits"][0]["neurons"][0]),
    ),
    "compact_beyond_the_right_pairs": (
        "s3_chughtai_table",
        lambda c: c["compact"].update(certified=37, status="UNKNOWN"),
    ),
    "compact_at_fewer_operations": ("s3_chughtai_table", lambda c: c["compact"].update(flops=c["compact"]["flops"] - 1)),
    "compact_against_more_brute_force": ("s3_chughtai_table", lambda c: c["compact"].update(flops_brute=10**30)),
    "compact_without_its_plan": ("s3_chughtai_table", lambda c: c["compact"].update(plan=None)),
    "compact_levels_of_a_coarse_plan": ("s3_chughtai_table", lambda c: flatten(c["compact"]["plan"]["families"][0]["levels"])),
}


def changed_text(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert data.count(old) >= 1
        return data.replace(old, new, 1)

    return change


#: name: change of the bytes of s3_every_form.json
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[:-20],
    "not_utf8": changed_text(b'"S3"', b'"S\xff"'),
    "not_an_object": lambda data: b"[]",
    "deeply_nested": lambda data: b"[" * 100_000,
    "key_twice": changed_text(b'"verdict":', b'"verdict":"VERIFIED","verdict":'),
    "key_unknown": changed_text(b'"verdict":', b'"note":"","verdict":'),
    "key_missing": changed_text(b'"verdict":"VERIFIED",', b""),
    "float": changed_text(b'"pairs":36', b'"pairs":36.0'),
    "nan": changed_text(b'"pairs":36', b'"pairs":NaN'),
    "number_as_string": changed_text(b'"pairs":36', b'"pairs":"36"'),
    "boolean_as_number": changed_text(b'"float32_forward":true', b'"float32_forward":1'),
    "huge_number": changed_text(b'"pairs":36', b'"pairs":' + b"9" * 10_000),
    "another_format": changed_text(b"certificate 2", b"certificate 3"),
    "lone_surrogate_as_verdict": changed_text(b'"VERIFIED"', b'"\\ud800"'),
}
#: name: change of the certificate, which is sealed again
UNREADABLE: dict[str, Change] = {
    "cycle_beyond_the_degree": lambda c: [g.update(generators=["(1 4)"]) for g in (c["group"], c["program"]["group"])],
    "cycles_that_overlap": lambda c: c["program"]["subgroups"][0].update(generators=["(1 2)(2 3)"]),
    "degree_of_a_billion": lambda c: [g.update(degree=10**9) for g in (c["group"], c["program"]["group"])],
    "bits_of_a_billion": lambda c: c["program"].update(vote_bits=10**9),
    "subgroup_that_is_not_there": lambda c: c["program"]["circuits"][0]["left"].update(subgroups=[-1]),
    "form_with_too_many_subgroups": lambda c: c["program"]["circuits"][0]["left"].update(subgroups=[0, 1]),
    "program_format_4": lambda c: c["program"].update(format="coset-voting program 4"),
    "weights_on_cosets": lambda c: c["program"]["circuits"][0]["left"].update(weights=[1, 0, 0]),
    "rank_on_cosets": lambda c: c["program"]["circuits"][0]["left"].update(rank=1),
    "constant_on_plain_cosets": lambda c: c["program"]["circuits"][0]["left"].update(constant=True),
}


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def archive(pickled: bytes, compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in {"data.pkl": pickled, **{f"data/{name}": content for name, content in members.items()}}.items():
            file.writestr(zipfile.ZipInfo(f"archive/{name}"), content, compression)  # of no date: the same bytes every time
    return buffer.getvalue()


class Bomb:
    """A pickle that would run code."""

    def __reduce__(self) -> Any:
        return (print, ("code from a checkpoint",))


def deep_key() -> bytes:
    """A dictionary whose key is a tuple in a tuple, 200,000 deep: hashing it would overflow the stack."""
    return b"\x80\x02})" + b"\x85" * 200_000 + b"Ns."


ONE = b'{"L":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}'
#: name: bytes in place of the checkpoint, which the certificate's digest is made to fit
CHECKPOINTS: dict[str, bytes] = {
    "checkpoint_empty": b"",
    "checkpoint_text": b"not a network at all",
    "checkpoint_header_too_long": struct.pack("<Q", 2**62) + b"{}",
    "checkpoint_header_not_json": safetensors(b"{,}"),
    "checkpoint_tensor_of_a_petabyte": safetensors(ONE.replace(b"[2,1]", b"[1000000000,1000000]")),
    "checkpoint_overlapping_tensors": safetensors(ONE[:-1] + b"," + ONE[1:].replace(b'"L"', b'"R"'), b"\0" * 8),
    "checkpoint_bytes_left_over": safetensors(ONE, b"\0" * 9),
    "checkpoint_missing_tensors": safetensors(ONE, b"\0" * 8),
    "checkpoint_pickle_with_code": archive(pickle.dumps(Bomb(), 2)),
    "checkpoint_pickle_with_posix_code": archive(b"cposix\nsystem\n(S'true'\ntR."),
    "checkpoint_pickle_with_deep_key": archive(deep_key()),
    "checkpoint_pickle_with_huge_memo": archive(b"\x80\x02Nr\xff\xff\xff\xff."),
    "checkpoint_zip_compressed": archive(b"\0" * 1_000_000, zipfile.ZIP_DEFLATED),
    "checkpoint_zip_truncated": archive(pickle.dumps({}, 2))[:-10],
}


def as_tar(certificate: dict[str, Any], checkpoint: bytes) -> bytes:
    """The checkpoint with a note in its header, so that its first 512 bytes are the header of a tar archive too."""
    start = 8 + struct.unpack("<Q", checkpoint[:8])[0]
    text = bytearray(b'{"__metadata__":{"note":"'.ljust(512 - 8) + b'"},' + checkpoint[9:start].lstrip())
    for place, field in ((100, b"0000644"), (108, b"0"), (116, b"0"), (124, b"00000001000"), (136, b"0"), (156, b"0")):
        text[place - 8 : place - 8 + len(field)] = field
    total = sum(struct.pack("<Q", len(text))) + sum(text[: 512 - 8])
    text[148 - 8 : 156 - 8] = b"%06o  " % total  # there were blanks
    data = safetensors(bytes(text), checkpoint[start:])
    certificate["checkpoint"]["sha256"] = hashlib.sha256(data).hexdigest()
    return data


def with_settings(certificate: dict[str, Any], checkpoint: bytes, **settings: str) -> bytes:
    """The checkpoint with metadata."""
    start = 8 + struct.unpack("<Q", checkpoint[:8])[0]
    header = {"__metadata__": settings, **json.loads(checkpoint[8:start])}
    data = safetensors(json.dumps(header).encode(), checkpoint[start:])
    certificate["checkpoint"]["sha256"] = hashlib.sha256(data).hexdigest()
    return data


#: name: (name, type and bytes of a number) of a second hidden layer beside the network of s3_every_form, which its reading leaves out
LEFT_OUT = {
    "integers_of_a_weight_left_out": ("hidden2.weight", "I8", 1),
    "complex_numbers_left_out": ("rotation", "C64", 8),
    "integers_of_a_bias_left_out": ("second.bias", "I32", 4),
}


def left_out(certificate: dict[str, Any], checkpoint: bytes, name: str, kind: str, size: int) -> bytes:
    """The checkpoint with one more tensor, which the certificate says is no part of the network."""
    start = 8 + struct.unpack("<Q", checkpoint[:8])[0]
    header, width = json.loads(checkpoint[8:start]), certificate["checkpoint"]["width"]
    begin, more = len(checkpoint) - start, bytes(size * width**2)
    header[name] = {"dtype": kind, "shape": [width, width], "data_offsets": [begin, begin + len(more)]}
    data = safetensors(json.dumps(header).encode(), checkpoint[start:] + more)
    reading = {"hidden_left": "L", "hidden_right": "R", "out": "U", "bias": "b", "skipped": [name]}
    certificate["checkpoint"] |= {"format": "by meaning", "sha256": hashlib.sha256(data).hexdigest(), "reading": reading}
    return data


def number(value: bytes) -> Callable[[bytes], bytes]:
    """The first weight of a folded checkpoint replaced."""
    return lambda data: data[: (start := 8 + struct.unpack("<Q", data[:8])[0])] + value + data[start + len(value) :]


#: name: change of s3_points, the certificate with forms on points
NO_FORMS: dict[str, Change] = {
    "format_1_with_images": lambda c: c["program"].update(format="coset-voting program 1"),
    "too_few_weights": lambda c: on_points(c, 9)["left"]["weights"].pop(),
    "weight_of_a_billion_billion": lambda c: on_points(c, 9)["left"]["weights"].__setitem__(0, 10**18),
    "rank_0": lambda c: on_points(c, 11)["votes"].update(rank=0),
    "rank_below_0": lambda c: on_points(c, 11)["votes"].update(rank=-1),
    "shared_with_another_subgroup": lambda c: on_points(c, 9)["right"].update(subgroups=[1]),
    "shared_with_another_character": lambda c: on_points(c, 9)["right"].update(kernels=[3]),
    "shared_by_x": lambda c: on_points(c, 9).update(left=on_points(c, 9)["right"]),
    "shared_by_votes": lambda c: on_points(c, 9).update(votes=on_points(c, 9)["right"]),
    "shared_with_preimages": lambda c: on_points(c, 9)["left"].update(on="preimages"),
    "scale_below_0": lambda c: c["program"].update(scale_bits=-1),
}
#: name: change of the bytes of s3_every_form.ckpt
WEIGHTS = {"checkpoint_nan": number(struct.pack("<f", float("nan"))), "checkpoint_inf": number(struct.pack("<f", float("inf")))}


def write() -> None:
    accepted, rejected, malformed = (FOLDER / kind for kind in ("accepted", "rejected", "malformed"))
    (rejected / "obligations").mkdir(parents=True, exist_ok=True)
    for path in (accepted / "obligations").iterdir():
        (rejected / "obligations" / path.name).write_bytes(path.read_bytes())
    for name, (start, change) in FALSE.items():
        certificate = json.loads((accepted / f"{start}.json").read_bytes())
        digest = certificate["sha256"]
        change(certificate)
        data = sealed(certificate)
        if name.startswith("digest"):
            data = data.replace(json.loads(data)["sha256"].encode(), digest.encode())
        (rejected / f"{name}.json").write_bytes(data)
        (rejected / f"{name}.ckpt").write_bytes((accepted / f"{start}.ckpt").read_bytes())
    certificate, checkpoint = (accepted / "s3_every_form.json").read_bytes(), (accepted / "s3_every_form.ckpt").read_bytes()
    (rejected / "checkpoint_with_one_bit_changed.json").write_bytes(certificate)
    flipped = checkpoint[:-5] + bytes([checkpoint[-5] ^ 1]) + checkpoint[-4:]
    (rejected / "checkpoint_with_one_bit_changed.ckpt").write_bytes(flipped)
    faulty = {name: (change(certificate), checkpoint) for name, change in BROKEN.items()}
    for name, unreadable in UNREADABLE.items():
        unreadable(parsed := json.loads(certificate))
        faulty[name] = sealed(parsed), checkpoint
    for name, data in (CHECKPOINTS | {name: f(checkpoint) for name, f in WEIGHTS.items()}).items():
        parsed = json.loads(certificate)
        parsed["checkpoint"]["sha256"] = hashlib.sha256(data).hexdigest()
        faulty[name] = sealed(parsed), data
    for name, no_form in NO_FORMS.items():
        no_form(parsed := json.loads((accepted / "s3_points.json").read_bytes()))
        faulty[name] = sealed(parsed), (accepted / "s3_points.ckpt").read_bytes()
    for name, extra in LEFT_OUT.items():
        data = left_out(parsed := json.loads(certificate), checkpoint, *extra)
        faulty[name] = sealed(parsed), data
    data = as_tar(parsed := json.loads(certificate), checkpoint)
    faulty["checkpoint_that_is_a_tar_archive_too"] = sealed(parsed), data
    data = with_settings(parsed := json.loads(certificate), checkpoint, hidden_bias="[5.0, 0.0, 0.0]")
    faulty["checkpoint_with_a_bias_that_is_a_list"] = sealed(parsed), data
    for name, (text, data) in faulty.items():
        (malformed / f"{name}.json").write_bytes(text)
        (malformed / f"{name}.ckpt").write_bytes(data)


if __name__ == "__main__":
    write()
