# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a restored database so that its first users need not wait, by whom, and in which order. Pure.

A restored volume loads each block from S3 at its first reading, some 60 MB/s a stream (a 13 GB table in 209 s:
thatguyfromdelhi.com, "Prewarming RDS PostgreSQL instance"). So several streams read at once, each its own part of every table, one table after the other.
"""

from __future__ import annotations

from collections.abc import Iterable

AT_ONCE = 16_384  # blocks of a statement, 128 MiB: how far it has come is reported after each
STREAMS = 4  # connections; RDS's smallest instances have room for some twenty

# The parts of a stream: table, schema and name of what its rows are in (itself, or a partition), first block, block after the last one, whether
# parts of that can be read, in the order of the names. Reading by ctid is a scan of these blocks alone since PostgreSQL 14; before, each stream
# takes whole tables. Every table is in the last stream's, also an empty one, so that what was read can be told from what is not there.
PARTS = """
SELECT w.name, n.nspname, l.relname, p.first, p.after, b.ranged
FROM unnest({tables}::text[]) WITH ORDINALITY w(name, place)
JOIN pg_catalog.pg_class c ON c.relname = w.name AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = {schema}
CROSS JOIN LATERAL (SELECT c.oid WHERE c.relkind = 'r' UNION SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf) leaf(oid)
JOIN pg_catalog.pg_class l ON l.oid = leaf.oid AND l.relkind = 'r' AND has_table_privilege(l.oid, 'SELECT')
JOIN pg_catalog.pg_namespace n ON n.oid = l.relnamespace AND has_schema_privilege(n.oid, 'USAGE')
CROSS JOIN LATERAL (SELECT pg_relation_size(l.oid) / current_setting('block_size')::bigint,
    current_setting('server_version_num')::int >= 140000) b(blocks, ranged)
CROSS JOIN LATERAL (SELECT CASE WHEN b.ranged THEN b.blocks * {part} / {streams} ELSE 0 END,
    CASE WHEN b.ranged THEN b.blocks * ({part} + 1) / {streams} ELSE b.blocks END) p(first, after)
WHERE CASE WHEN b.ranged THEN p.first < p.after OR {part} = {streams} - 1 ELSE l.oid::bigint % {streams} = {part} END
ORDER BY w.place, n.nspname, l.relname
"""
# Reads every row whole, what is stored outside of it (TOAST) too.
READ = "SELECT count(hashtext(t::text)) FROM {table} t WHERE ctid >= {first}::tid AND ctid < {after}::tid"
RANGES_ONLY = (
    "SET LOCAL enable_seqscan = off"  # a scan of the whole table for a part of it would read it once for each stream
)

# The tables of a schema, those first of which most rows were read, then those that are larger; partitions count for their table.
HOTTEST = """
SELECT c.relname FROM pg_catalog.pg_stat_user_tables u
JOIN pg_catalog.pg_class c ON c.oid = coalesce(pg_partition_root(u.relid), u.relid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema}
GROUP BY c.oid, c.relname
ORDER BY sum(coalesce(u.seq_tup_read, 0) + coalesce(u.idx_tup_fetch, 0)) DESC, sum(pg_table_size(u.relid)) DESC, c.relname
"""


def pieces(first: int, after: int, ranged: bool) -> list[tuple[int, int]]:
    """(first block, block after the last one) of each statement that reads a part."""
    step = AT_ONCE if ranged else max(after - first, 1)
    return [(start, min(start + step, after)) for start in range(first, after, step)]


def in_order(tables: Iterable[str], hottest: Iterable[str]) -> list[str]:
    """The names of ``tables`` (list of str) in the order in which they are read: the hottest first, then the others as they are named.

    :param hottest: names, as the failed database tells them; those that nobody has named are left out.
    """
    named = list(dict.fromkeys(tables))
    first = [name for name in hottest if name in named]
    return first + [name for name in named if name not in first]
