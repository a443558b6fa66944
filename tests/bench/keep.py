# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes what was measured, and where, as a page, as JSON and as pictures."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import sysconfig
import time

from bench import cases, measure, picture, table
from bench.production import COLLECTIONS
from bench.results import Table, from_json, to_json
from bench.suite import PARTS


def machine() -> dict[str, str]:
    """Where and with what it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "boto3", "botocore")}
    return {
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}",
        "rivals": ", ".join(_rivals()),
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {version}" for name, version in versions.items())]
        ),
    }


def _rivals() -> list[str]:
    """Programs as their requirements pin them, and stock collections as their manifests say, where they are installed."""
    pins = (measure.ROOT / "tests/requirements/clients.txt").read_text().splitlines()
    found = [line.replace("==", " ") for line in pins if "==" in line]
    for folder in (pathlib.Path(sysconfig.get_path("purelib")), COLLECTIONS):
        for manifest in sorted(folder.glob("ansible_collections/*/*/MANIFEST.json")):
            told = json.loads(manifest.read_text())["collection_info"]
            found.append(f"{told['namespace']}.{told['name']} {told['version']}")
    return found


def _processor() -> str:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def dated(table: Table) -> Table:
    """The table with the time of now, and with how busy the machine was by then."""
    now, load = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), os.getloadavg()[2]
    return dataclasses.replace(table, when=f"{now}, with a load of {load:.1f} over the last 15 minutes")


def beside(stored: pathlib.Path, where: dict[str, str], tables: list[Table]) -> list[Table]:
    """These tables in the places of those of their names; others are kept if they were measured on this machine with these versions."""
    then, kept = from_json(json.loads(stored.read_text())) if stored.exists() else (where, [])
    found = {each.name: each for each in [*(kept if then == where else []), *tables]}
    return [found[name] for name in sorted(found, key=lambda name: (*PARTS, name).index(name))]


def keep(folder: pathlib.Path, measured: list[Table]) -> None:
    """measured.md, measured.json and the pictures that can be drawn from these tables and those of the same place that are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    where = machine()
    tables = beside(folder / "measured.json", where, measured)
    (folder / "measured.md").write_text(table.document(where, tables))
    (folder / "measured.json").write_text(json.dumps(to_json(where, tables), indent=1) + "\n")
    found = {each.name: each for each in tables}
    for name in [each for each in ("full", "large") if each in found]:
        drawn = picture.bars(
            found[name].title, found[name].rows, "wall time ÷ critical path (1 is what AWS itself takes)", cases.OURS
        )
        (folder / f"{name}.svg").write_text(drawn)
    fleet = {found[name].title: found[name].rows for name in ("services", "applications") if name in found}
    if fleet:
        unit = "wall seconds by the number of services and of applications; dashed: AWS's own time"
        (folder / "fleet.svg").write_text(picture.curves("One run for many", unit, fleet))
