# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Mann-Whitney test, exact and one-sided. Pure.

H. B. Mann and D. R. Whitney, On a test of whether one of two random variables is stochastically larger than the other, Annals of
Mathematical Statistics 18 (1947). It asks for ranks only, so neither a distribution nor an outlier matters; Kayenta, Netflix's judge of
canaries, uses it for the same. The usual approximation by a normal distribution does not hold for two or three values, so the distribution
of the sum of ranks is counted, with the mean rank where values are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def chance_of_larger(values: Sequence[float], others: Sequence[float]) -> float:
    """How likely ``values`` would be as large as they are, or larger, if they came from where ``others`` come from: from 0 to 1.

    :param values, others: lists of numbers. 10 and 60 of them take some hundredths of a second.
    """
    ranks = _double_ranks([*values, *others])
    reached = sum(ranks[: len(values)])
    ways = _ways(ranks, len(values))
    return sum(count for total, count in ways.items() if total >= reached) / sum(ways.values())


def _double_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that the mean of two ranks is a whole number."""
    order = sorted(values)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(order):
        first.setdefault(value, place)
        last[value] = place
    return [first[value] + last[value] + 2 for value in values]


def _ways(ranks: Iterable[int], chosen: int) -> dict[int, int]:
    """Sum of ranks → in how many ways ``chosen`` of them have it."""
    by_number: list[dict[int, int]] = [{0: 1}, *({} for _place in range(chosen))]
    for rank in ranks:
        for number in range(chosen, 0, -1):
            into = by_number[number]
            for total, count in by_number[number - 1].items():
                into[total + rank] = into.get(total + rank, 0) + count
    return by_number[chosen]
