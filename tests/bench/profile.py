# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run of a playbook with every Python of it writing down its spans, and the report on them."""

from __future__ import annotations

import json

from bench import cases, measure
from bench.production import production
from bench.sets import Durations
from bench.shares import Span, report

KIND = {"rollback_code": "code"}  # the other playbooks that roll back need a whole accident


def profiled(playbook: str, durations: Durations) -> str:
    """Break a production, play `playbooks/<playbook>.yml`, and tell where its time went. Writing spans takes a little of it."""
    with production() as broken:
        broken.fail(cases.ACCIDENT[KIND.get(playbook, "full")])
        broken.pace(durations)
        spans, timeline = broken.scratch / "spans.jsonl", broken.scratch / "timeline.json"
        watched = {"PYTHONPATH": str(measure.BENCH / "spans"), "SPYMEO_BENCH_SPANS": str(spans)}
        done = broken.run(cases.playbook(f"playbooks/{playbook}.yml", "inventories/lab"), **watched)
        found = [json.loads(line) for line in spans.read_text().splitlines()]
        tasks = json.loads(timeline.read_text())
    told = report(
        [Span(each["kind"], each["began"], each["ended"]) for each in found], tasks, done.began, done.began + done.wall
    )
    ended = "" if done.code == 0 else f"\n\nIt ended with {done.code}:\n{done.output[-2000:]}"
    return f"{playbook}: {done.wall:.1f} s, {done.cpu:.1f} CPU s, {done.calls} calls, {done.processes} module processes\n\n{told}{ended}"
