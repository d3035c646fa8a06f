"""Compile the npm package ``@etalab/decoupage-administratif`` into the one file ``territories.py`` reads."""

import gzip
import io
import json
import tarfile
from pathlib import Path

_LARGEST_MEMBER = 64 * 1024 * 1024
_NAMES = ("communes.json", "epci.json")


def read_package(source: Path) -> tuple[list[dict], list[dict]]:
    """(communes, EPCI) of the package: its ``.tgz`` as published, or a folder it was unpacked in.

    Raises ValueError, with a French sentence, when a file is missing or is not what it should be.
    """
    texts = _from_folder(source) if source.is_dir() else _from_tarball(source)
    try:
        return tuple(json.loads(texts[name]) for name in _NAMES)
    except KeyError as error:
        raise ValueError(f"Le fichier {error.args[0]} manque dans {source.name}.") from error
    except ValueError as error:
        raise ValueError(f"{source.name} ne contient pas le JSON attendu.") from error


def _from_folder(source: Path) -> dict[str, bytes]:
    texts = {}
    for name in _NAMES:
        for folder in (source, source / "data", source / "package" / "data"):
            if (folder / name).is_file():
                texts[name] = (folder / name).read_bytes()
                break
    return texts


def _from_tarball(source: Path) -> dict[str, bytes]:
    texts = {}
    try:
        with tarfile.open(source, "r:gz") as archive:
            for name in _NAMES:
                try:
                    member = archive.getmember(f"package/data/{name}")
                except KeyError:
                    continue
                if member.isfile() and member.size <= _LARGEST_MEMBER:
                    texts[name] = archive.extractfile(member).read()  # read in memory: nothing is unpacked on disk
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ValueError(f"{source.name} n’est pas l’archive .tgz du paquet, ou elle est tronquée.") from error
    return texts


def compile_territories(communes: list[dict], epcis: list[dict]) -> tuple[bytes, int, int]:
    """(bytes of the data file, number of communes, number of EPCI). The same input gives the same bytes.

    Only current communes are kept: delegated and associated ones, and municipal arrondissements, are not bodies.
    Population: ``populationMunicipale`` of the DGCL list (epci.json); ``population`` of communes.json for the communes
    outside any EPCI à fiscalité propre; unknown for six uninhabited or unlisted territories.
    """
    in_epci = {m["code"]: (epci["code"], m["populationMunicipale"]) for epci in epcis for m in epci["membres"]}
    commune_rows = []
    for commune in sorted(communes, key=lambda commune: commune["code"]):
        if commune["type"] == "commune-actuelle":
            epci_siren, population = in_epci.get(commune["code"], ("", commune.get("population")))
            commune_rows.append([commune["code"], commune.get("siren", ""), commune["nom"], population, epci_siren])
    epci_rows = [
        [
            epci["code"],
            epci["nom"],
            epci["type"],
            epci["populationMunicipale"],
            [m["code"] for m in sorted(epci["membres"], key=lambda m: (-m["populationMunicipale"], m["code"]))],
        ]
        for epci in sorted(epcis, key=lambda epci: epci["code"])
    ]
    content = {"communes": commune_rows, "epcis": epci_rows}
    buffer = io.BytesIO()
    # Without a name and with a fixed time, so that compiling the same package twice changes nothing.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as stream:
        stream.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    return buffer.getvalue(), len(commune_rows), len(epci_rows)
