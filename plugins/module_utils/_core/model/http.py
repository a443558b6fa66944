# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP scenarios, what the application answered, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Expect:
    """What an answer must be. ``json`` maps a dotted path to the value there; ``max_seconds`` is until the body has been read.

    ``login_page``: whether the body may be a page to log in at where neither ``text`` nor ``json`` says what it must be.
    """

    status: tuple[int, ...] = (200,)
    json: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    max_seconds: float | None = None
    login_page: bool = False


@dataclass(frozen=True)
class ScenarioStep:
    """One request, sent ``times`` times in a row. ``capture`` maps a variable to a dotted path in the JSON of the answer, or to
    {source: what} with the sources json, html, header and cookie.

    A step with ``always`` is sent also after a step before it has failed: it cleans up. One with ``unless`` is sent only where nothing has
    captured the variable of that name: it looks for what an earlier step may have made, and may find nothing.
    """

    name: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    form: dict[str, str] | None = None
    expect: Expect = field(default_factory=Expect)
    capture: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    always: bool = False
    unless: str = ""


@dataclass(frozen=True)
class Scenario:
    """Steps in their order; cookies are kept from step to step."""

    name: str
    steps: tuple[ScenarioStep, ...]


@dataclass(frozen=True)
class Answer:
    """What the application answered; ``seconds`` from sending to the end of the body. ``headers`` and ``cookies`` (those that this
    answer set) are (name, value), and show in no repr: they may hold a session."""

    status: int
    text: str
    seconds: float
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cookies: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class NoAnswer:
    """No answer came. ``by_application`` is whether the application is the cause, and not this machine or the network; ``connected`` is whether
    anybody took the connection, and so may have got the request."""

    by_application: bool
    why: str
    connected: bool = True


@dataclass(frozen=True)
class StepOutcome:
    """What came of a step. ``verdict`` is None for a step that was left out. ``sent`` is when its last request was, an aware datetime.

    ``reached``: whether the application may have got it. ``removed``: whether what it was to remove is seen to be gone. ``left``: what it may have
    left behind, for people, or empty.
    """

    step: ScenarioStep
    verdict: str | None
    reason: str
    status: int | None = None
    seconds: float | None = None
    captured: dict[str, Any] = field(default_factory=dict, repr=False)
    sent: datetime | None = None
    reached: bool = False
    removed: bool = False
    left: str = ""
