"""The claims language: a TOML file of claims, read and checked against the kinds (docs/claims.md)."""

from pathlib import Path

import msgspec

from net.errors import MalformedInput
from verify.claims.ablation_claims import Ablation
from verify.claims.algorithm_claims import CompactProof, ComputesProgram, VoteFormula
from verify.claims.claim import Bounded, Mistake
from verify.claims.mechanism_claims import IndicatorPower, Switches
from verify.claims.network_claims import Accuracy, Equivariance, Float32, Intervention
from verify.claims.neuron_claims import Dead, OnCosets, OnIrrep, Silent
from verify.claims.population_claims import ClassDistribution, Concentrated, CosetNeurons, Coverage, UnembeddingCorrelation
from verify.claims.representation_claims import Gcr, RhoSets

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
    | Ablation
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
        found = msgspec.toml.decode(path.read_bytes(), type=ClaimsFile)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"{path}: {_with_path(str(error))}") from error
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
        if isinstance(claim, Bounded):
            try:
                _ = claim.bounds
            except Mistake as mistake:
                raise located(path, number, mistake) from mistake


def located(path: Path, number: int, mistake: Mistake) -> MalformedInput:
    """The mistake in claim ``number`` as one sentence with its path."""
    return MalformedInput(f"{path}: {mistake} - at `$.claims[{number}].{mistake.key}`")


def _with_path(message: str) -> str:
    """The error of msgspec leaves the path out where it is the root."""
    return message if " - at `" in message else f"{message} - at `$`"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
