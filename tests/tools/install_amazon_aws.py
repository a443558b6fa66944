# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put amazon.aws into the virtual environment whose Python runs this, without Galaxy; with arguments, NAME into FOLDER.

Ansible finds collections in site-packages by itself, and Python imports them from there, so nothing needs a path.
The only place beside Galaxy that carries amazon.aws is the community package ``ansible`` (50 MB, 500 MB unpacked);
this downloads it, keeps the 5 MB that matter and drops the rest.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "amazon-aws.txt"
NAME = "amazon.aws"


def download(folder: Path) -> Path:
    """Return the wheel of ``ansible`` that REQUIREMENTS name for this Python, downloaded into folder.

    Raises subprocess.CalledProcessError, after pip's own message, when it cannot be had.
    """
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--only-binary=:all:", "-d", folder, "-r", REQUIREMENTS], check=True)
    (wheel,) = folder.glob("ansible-*.whl")
    return wheel


def install(wheel: Path, name: str, folder: Path) -> Path:
    """Replace the collection under folder/ansible_collections by the one in wheel, and return its folder."""
    prefix = f"ansible_collections/{name.replace('.', '/')}/"
    target = folder / prefix
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch, [each for each in archive.namelist() if each.startswith(prefix)])
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (Path(scratch) / prefix).rename(target)
    return target


def main() -> None:
    """Download and install."""
    name, target = sys.argv[1:] or (NAME, sysconfig.get_path("purelib"))
    with tempfile.TemporaryDirectory() as folder:
        install(download(Path(folder)), name, Path(target))


if __name__ == "__main__":
    main()
