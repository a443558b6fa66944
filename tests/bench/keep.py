# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes what was measured, and where, as a page, as JSON and as pictures."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import platform
import sysconfig
import time

from bench import cases, measure, picture, table
from bench.production import COLLECTIONS
from bench.results import Table, to_json


def machine() -> dict[str, str]:
    """Where and with what it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "boto3", "botocore")}
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}",
        "load at the end": f"{os.getloadavg()[2]:.1f} over 15 minutes",
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


def keep(folder: pathlib.Path, tables: list[Table]) -> None:
    """measured.md, measured.json and the pictures that can be drawn from these tables."""
    folder.mkdir(parents=True, exist_ok=True)
    where = machine()
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
