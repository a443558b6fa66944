# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server is asked about itself, by a driver or by psql alike: its sequences, and Prisma 8's record. Pure."""

from __future__ import annotations

# Every sequence but those of extensions, whose ids are none of the application's, and of other sessions. A column takes its ids from one that it
# owns (serial: a, identity: i) or that its default names (n); its type may be narrower than the sequence.
SEQUENCES = """
    WITH used AS (
        SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        UNION
        SELECT d.refobjid, f.adrelid, f.adnum FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
    ), columns AS (
        SELECT u.sequence, array_agg(format('%I.%I.%I', n.nspname, t.relname, a.attname) ORDER BY t.relname, a.attnum) AS names,
            min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END) AS most
        FROM used u JOIN pg_catalog.pg_class t ON t.oid = u.relation JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number GROUP BY u.sequence
    )
    SELECT c.oid::bigint, n.nspname, c.relname, s.seqincrement, greatest(s.seqmin, -coalesce(k.most, s.seqmax)), least(s.seqmax, coalesce(k.most, s.seqmax)),
        s.seqcycle, coalesce(k.names, '{}'), s.seqstart, has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'),
        has_sequence_privilege(c.oid, 'UPDATE'), has_sequence_privilege(c.oid, 'USAGE'),
        CASE WHEN has_sequence_privilege(c.oid, 'USAGE') THEN pg_sequence_last_value(c.oid) END
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN columns k ON k.sequence = c.oid
    WHERE c.relpersistence <> 't' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
# What setval(…, false) or RESTART has set is given next, and the catalogue's functions do not tell it.
GIVEN = "SELECT {oid}::bigint, last_value, is_called FROM {sequence}"
# One that has gone as far meanwhile stays where it is.
SET = "SELECT setval({oid}::regclass, {to}) FROM {sequence} WHERE last_value {before} {to}"
DRAW = "SELECT count(nextval({oid}::regclass)) FROM generate_series(1, {steps})"
SELECTS = 9  # the column of SEQUENCES that says whether GIVEN may be asked

# Prisma 8 writes a row for each migration into a schema of its own, in the transaction that applies it (release candidates 1 to 8; prisma/orm,
# bootstrap DDL of its PostgreSQL target). Early builds had neither names of migrations nor spaces there.
LEDGER_STATE = """
SELECT CASE WHEN count(c.oid) = 0 THEN 'none'
    WHEN NOT bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) THEN 'denied'
    WHEN count(a.attname) < 4 THEN 'other' ELSE 'read' END
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'ledger' AND c.relkind = 'r'
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ('id', 'created_at', 'space', 'migration_name')
WHERE n.nspname = 'prisma_contract'
"""
LEDGER_NAME = "CASE WHEN space = 'app' THEN migration_name ELSE space || '/' || migration_name END"
LEDGER_ROWS = "prisma_contract.ledger ORDER BY created_at, id"
