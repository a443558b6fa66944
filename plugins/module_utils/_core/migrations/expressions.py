# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an expression of a migration may do besides giving a value. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import Node, names_of

# PostgreSQL's own functions that change nothing ("Functions and Operators"); of them, those that give another value for each row are volatile.
_VOLATILE = frozenset(
    re.findall(
        r"\w+",
        """random gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v4 clock_timestamp timeofday""",
    )
)
_HARMLESS = _VOLATILE | frozenset(
    re.findall(
        r"\w+",
        """now transaction_timestamp statement_timestamp timezone current_setting set_config current_schema version pg_get_serial_sequence
        lower upper initcap concat concat_ws split_part btrim ltrim rtrim replace translate regexp_replace regexp_match regexp_matches
        regexp_split_to_array substring substr position strpos left right length char_length octet_length lpad rpad repeat reverse ascii chr md5 sha256
        encode decode format quote_ident quote_literal to_char to_date to_timestamp to_number
        date_trunc date_part extract age make_date make_timestamp make_interval justify_days
        abs ceil ceiling floor round trunc mod power sqrt sign count sum avg min max bool_and bool_or every
        array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg array_length array_append array_cat array_remove array_to_string
        string_to_array unnest cardinality json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json jsonb_set
        jsonb_strip_nulls jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text jsonb_extract_path
        jsonb_extract_path_text json_extract_path_text row_number rank dense_rank lag lead first_value last_value generate_series""",
    )
)


def nodes(tree: Any, kind: str) -> Iterator[Node]:
    """Every node of a kind, such as FuncCall, anywhere in a tree in JSON."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            if name == kind:
                yield value
            yield from nodes(value, kind)
    elif isinstance(tree, list):
        for item in tree:
            yield from nodes(item, kind)


def functions(tree: Any) -> list[str]:
    """The names of the functions that are called anywhere in a tree, without pg_catalog; any other schema stays, for a function there may be another one."""
    return [".".join(names_of(call["funcname"])).removeprefix("pg_catalog.") for call in nodes(tree, "FuncCall")]


def unproven(tree: Any) -> list[str]:
    """Those of which nobody knows here that they change nothing."""
    return [name for name in functions(tree) if name not in _HARMLESS]


def differs_by_row(tree: Any) -> bool:
    """Whether an expression has, or may have, another value for each row, so that a default of it is written into every row that is there."""
    return any(name in _VOLATILE or name not in _HARMLESS for name in functions(tree))


def columns_in(tree: Any) -> list[str]:
    """The columns that an expression names, each once."""
    found = [node["fields"][-1] for node in nodes(tree, "ColumnRef")]
    return list(dict.fromkeys(item["String"]["sval"] for item in found if "String" in item))


def is_null(tree: Any) -> bool:
    """Whether an expression is NULL, also with a type (NULL::text)."""
    if "TypeCast" in tree:
        return is_null(tree["TypeCast"].get("arg", {}))
    return bool(tree.get("A_Const", {}).get("isnull"))


_COMPARES = frozenset(
    (
        "AEXPR_OP",
        "AEXPR_IN",
        "AEXPR_BETWEEN",
        "AEXPR_NOT_BETWEEN",
        "AEXPR_LIKE",
        "AEXPR_ILIKE",
        "AEXPR_OP_ANY",
        "AEXPR_OP_ALL",
    )
)


def passes_without_a_value(tree: Any) -> bool:
    """Whether a check is never false where its columns are null: it is made of comparisons with columns, which are null then, and of AND, OR and NOT."""
    if "BoolExpr" in tree:
        return all(passes_without_a_value(item) for item in tree["BoolExpr"]["args"])
    compared = tree.get("A_Expr")
    if not compared or compared["kind"] not in _COMPARES:
        return False
    return bool(columns_in(compared)) and not any(list(nodes(compared, kind)) for kind in _ANSWERS_NULL)


# They give a value where their argument is null.
_ANSWERS_NULL = (
    "NullTest",
    "BooleanTest",
    "CoalesceExpr",
    "CaseExpr",
    "FuncCall",
    "SubLink",
    "MinMaxExpr",
    "SQLValueFunction",
    "BoolExpr",
)
_TOTAL = frozenset(("lower", "upper", "btrim", "ltrim", "rtrim", "md5", "length", "concat", "concat_ws"))


def may_fail(tree: Any) -> bool:
    """Whether an expression may end in an error for some value, so that a row is refused: a cast, a computation, a function that is not known to take all."""
    if any(name not in _TOTAL for name in functions(tree)) or any(True for _cast in nodes(tree, "TypeCast")):
        return True
    return any(item["kind"] == "AEXPR_OP" and names_of(item["name"]) != ["||"] for item in nodes(tree, "A_Expr"))
