# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds secret values in whatever a run has written, also where they were encoded on their way."""

from __future__ import annotations

import base64
import html
import json
import pathlib
import shlex
import urllib.parse


def encodings(value: str) -> dict[str, bytes]:
    """How a value may look once it has gone through a URL, JSON, base64, a shell or Python; by the name of the encoding."""
    raw = value.encode()
    found = {
        "plain": raw,
        "percent": urllib.parse.quote(value, safe="").encode(),
        "percent, slashes kept": urllib.parse.quote(value).encode(),
        "percent, small": _small_percent(value).encode(),
        "form": urllib.parse.quote_plus(value).encode(),
        "JSON": json.dumps(value)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(value))[3:-3].encode(),
        "Python": repr(value)[1:-1].encode(),
        "HTML": html.escape(value).encode(),
        "shell": shlex.quote(value).encode(),
        "hexadecimal": raw.hex().encode(),
    }
    for offset in range(
        3
    ):  # base64 looks different at each place in a group of three bytes; its ends hold other bytes, too
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = text[(0, 2, 3)[offset] : len(text) - 1 - (len(text) % 4 != 0)]
        found[f"base64 at {offset}"] = inner.encode()
        found[f"base64 for URLs at {offset}"] = inner.replace("+", "-").replace("/", "_").encode()
    return found


def _small_percent(value: str) -> str:
    return "".join(
        part if len(part) == 1 else part.lower() for part in (urllib.parse.quote(one, safe="") for one in value)
    )


def traces(values: dict[str, str], texts: dict[str, bytes]) -> list[str]:
    """Where a value is found: one line for each value, encoding and text. The value itself is not in it."""
    return [
        f"{name}, {encoding}, in {where}"
        for name, value in values.items()
        for encoding, wanted in encodings(value).items()
        for where, text in texts.items()
        if wanted in text
    ]


def files_below(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
