"""The claims language: a TOML file of claims, read and checked against the kinds (docs/claims.md)."""

import math
import re
import typing
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from net.errors import MalformedInput
from verify.claims.ablation_claims import Ablation, Criterion
from verify.claims.algorithm_claims import CompactProof, ComputesProgram, VoteFormula
from verify.claims.circuit_claims import Circuits
from verify.claims.claim import Mistake, nearest
from verify.claims.irrep_claims import IrrepUse
from verify.claims.mechanism_claims import IndicatorPower, Switches
from verify.claims.network_claims import Accuracy, Equivariance, Float32, Intervention
from verify.claims.neuron_claims import Dead, OnCosets, OnIrrep, Silent
from verify.claims.population_claims import ClassDistribution, Concentrated, CosetNeurons, Coverage, UnembeddingCorrelation
from verify.claims.representation_claims import Gcr, RankOne, RhoSets

AnyClaim = (
    Accuracy
    | Float32
    | Equivariance
    | Intervention
    | OnCosets
    | Silent
    | OnIrrep
    | Dead
    | Concentrated
    | ClassDistribution
    | CosetNeurons
    | Coverage
    | UnembeddingCorrelation
    | Switches
    | IndicatorPower
    | ComputesProgram
    | VoteFormula
    | CompactProof
    | Gcr
    | RhoSets
    | RankOne
    | IrrepUse
    | Ablation
    | Circuits
)

#: The claim types, by the value of the key ``kind``.
KINDS: dict[str, type[AnyClaim]] = {str(kind.__struct_config__.tag): kind for kind in AnyClaim.__args__}

_LIBRARIES = Path(__file__).parent / "library"
_LARGEST = 1 << 22


class ClaimsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of claims: its title, its source, the group (when all claims are about one), and the claims."""

    claims: tuple[AnyClaim, ...]
    title: str = ""
    source: str = ""
    group: str = ""


def library_names() -> list[str]:
    """Names of the libraries of published claims that come with this project."""
    return sorted(path.stem for path in _LIBRARIES.glob("*.toml"))


def find_claims(name: str) -> Path:
    """The file of that path, or of the library of that name.

    Raises:
        MalformedInput: there is neither.

    """
    path = Path(name)
    if name in library_names():
        return _LIBRARIES / f"{name}.toml"
    if not path.is_file():
        raise MalformedInput(f"expected a claims file or a library out of {', '.join(library_names())}, got {name!r:.200}")
    return path


def read_claims(path: Path) -> ClaimsFile:
    """The claims in a file.

    Raises:
        MalformedInput: no TOML, an unknown key or kind, a value of the wrong type or out of range, bounds that contradict each
            other, or an id twice; one sentence that ends with the path of the mistake.

    """
    try:
        if path.stat().st_size > _LARGEST:
            raise MalformedInput(f"{path}: expected at most {_LARGEST:,} bytes of claims, got {path.stat().st_size:,}")
        plain = msgspec.toml.decode(path.read_bytes())
        found = msgspec.convert(plain, type=ClaimsFile)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"{path}: {with_nearest(str(error), plain)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise MalformedInput(f"{path}: expected TOML, got a mistake in it: {_one_line(error)}") from error
    except OSError as error:
        raise MalformedInput(f"{path}: expected a readable file, got: {error.strerror}") from error
    _check(path, found)
    return found


def _check(path: Path, found: ClaimsFile) -> None:
    if not found.claims:
        raise MalformedInput(f"{path}: expected at least one claim, got none - at `$.claims`")
    seen: set[str] = set()
    for number, claim in enumerate(found.claims):
        if claim.id and claim.id in seen:
            raise MalformedInput(f"{path}: expected ids that differ, got {claim.id!r} twice - at `$.claims[{number}].id`")
        seen.add(claim.id)
        try:
            _finite(msgspec.to_builtins(claim))
            claim.check()
        except Mistake as mistake:
            raise located(path, number, claim.id, mistake) from mistake


def _finite(value: object, key: str = "") -> None:
    """Refuse inf and nan, which TOML can write, anywhere in a claim: no share, weight or tolerance is such a number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Mistake(key, f"expected a finite number, got {value}")
    if isinstance(value, dict):
        for name, entry in value.items():
            _finite(entry, f"{key}.{name}" if key else name)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            _finite(entry, f"{key}[{number}]")


def located(path: Path, number: int, name: str, mistake: Mistake) -> MalformedInput:
    """The mistake in claim ``number``, which is called ``name``, as one sentence with its path."""
    return MalformedInput(f"{path}: {mistake} - at `$.claims[{number}].{mistake.key}`{_called(name)}")


def _called(name: object) -> str:
    return f" (claim {' '.join(name.split())[:60]!r})" if isinstance(name, str) and name else ""


def with_nearest(message: str, plain: object) -> str:
    """A message of msgspec with the values or keys that are allowed at its path, the nearest one, and the claim's id."""
    text, _, where = message.partition(" - at `")
    where = where.rstrip("`") or "$"
    value, name, key = plain, "", ""
    kind: object = ClaimsFile
    for key, number in re.findall(r"\.(\w+)|\[(\d+)\]", where):
        value = _inside(value, key or int(number or 0))
        kind = _kind_inside(kind, key, value)
        if isinstance(value, dict) and isinstance(value.get("id"), str) and not name:
            name = value["id"]
    if match := re.search(r"unknown field `(\w*)`", text):
        allowed, given = _keys_of(kind), match[1]
    else:
        allowed, given = _values_of(kind), value if isinstance(value, str) else ""
        if isinstance(value, bool | int | float | str) and ", got" not in text and "value " not in text:
            text += f", got {value!r:.60}"
    if allowed:
        text += f"; expected one of {', '.join(allowed)}{nearest(given, allowed)}"
    return f"{text} - at `{where}`{_called(name)}"


def _inside(value: object, key: str | int) -> object:
    if isinstance(value, list | tuple):
        return value[key] if isinstance(key, int) and key < len(value) else None
    return value.get(key) if isinstance(value, dict) else None


def _kind_inside(kind: object, key: str, value: object) -> object:
    """The type of an entry of a type: a struct's field, a tuple's or table's element; a tagged union is told by the value's tag."""
    if typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        config = kind.__struct_config__
        if key == config.tag_field:
            tags = ALL_TAGS.get(config.tag_field, ())
            return Literal[tags] if tags else None
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        inner = fields.get(key)
    else:
        arguments = [a for a in typing.get_args(kind) if a is not Ellipsis]
        inner = arguments[-1] if arguments else None
    options = [one for one in typing.get_args(inner) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    if not options or not isinstance(value, dict):
        return inner
    tag_field = options[0].__struct_config__.tag_field
    by_tag = {one.__struct_config__.tag: one for one in options}
    tag = value.get(tag_field)
    return by_tag.get(tag, options[0]) if isinstance(tag, str) else options[0]


#: The values of the keys that tell kinds apart: of claims, and of the criteria of an ablation.
ALL_TAGS: dict[str | None, tuple[str, ...]] = {
    "kind": tuple(KINDS),
    "by": tuple(str(one.__struct_config__.tag) for one in typing.get_args(Criterion)),
}


def _keys_of(kind: object) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        tag = kind.__struct_config__.tag_field
        return (*([tag] if tag else []), *(field.name for field in msgspec.structs.fields(kind)))
    return ()


def _values_of(kind: object) -> tuple[str, ...]:
    """The values of a literal type, also inside an optional or annotated one."""
    if typing.get_origin(kind) is Literal:
        return tuple(str(value) for value in typing.get_args(kind) if value != "")
    return tuple(value for one in typing.get_args(kind) for value in _values_of(one)) if typing.get_origin(kind) is Annotated else ()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
