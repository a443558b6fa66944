# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python's own loader for this collection's modules, which keeps what it has compiled beside the source (PEP 3147).

Ansible's loader of collections compiles every source anew in every process: a sixth of the CPU of a rollback's plan (measured).
Where the folder cannot be written to, it is as with Ansible's.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType


class BytecodeFinder(MetaPathFinder):
    """Finds the modules below one package of a collection; whatever it does not find is left to Ansible."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._finder = functools.cache(lambda folder: FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec, in the folders of its package; None for other packages', and for a folder without __init__.py."""
        if not name.startswith(self._package + "."):
            return None
        found = (self._finder(str(folder)).find_spec(name) for folder in path or ())
        return next((spec for spec in found if spec and spec.loader), None)


@contextlib.contextmanager
def kept_bytecode(package: str) -> Iterator[None]:
    """Load so, within this context, what is below `package`."""
    finder = BytecodeFinder(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
