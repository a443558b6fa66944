# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an expression of a migration may do besides giving a value. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import Node, names_of

_UNIQUE = frozenset(
    ("gen_random_uuid", "uuidv4", "uuidv7", "uuid_generate_v1", "uuid_generate_v4", "uuid_generate_v1mc")
)
_VOLATILE = _UNIQUE | {"random", "clock_timestamp", "timeofday"}
_NEVER_NULL = _VOLATILE | {"now", "transaction_timestamp", "statement_timestamp"}
# PostgreSQL's own functions that change nothing ("Functions and Operators").
_HARMLESS = _NEVER_NULL | frozenset(
    re.findall(
        r"\w+",
        """timezone current_setting set_config current_schema version pg_get_serial_sequence
        lower upper initcap concat concat_ws split_part btrim ltrim rtrim replace translate regexp_replace regexp_match regexp_matches
        regexp_split_to_array substring substr position strpos left right length char_length octet_length lpad rpad repeat reverse ascii chr md5 sha256
        encode decode format quote_ident quote_literal to_char to_date to_timestamp to_number to_tsvector setweight unaccent
        date_trunc date_part extract age make_date make_timestamp make_interval justify_days
        abs ceil ceiling floor round trunc mod power sqrt sign count sum avg min max bool_and bool_or every
        array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg array_length array_append array_cat array_remove array_to_string
        string_to_array unnest cardinality json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json jsonb_set
        jsonb_strip_nulls jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text jsonb_extract_path
        jsonb_extract_path_text json_extract_path_text row_number rank dense_rank lag lead first_value last_value generate_series""",
    )
)
_TOTAL = frozenset(("lower", "upper", "btrim", "ltrim", "rtrim", "md5", "length", "concat", "concat_ws"))
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
_OPERATORS = frozenset(
    ("=", "<>", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "!~~", "~~*", "!~~*", "BETWEEN", "NOT BETWEEN")
)


def nodes(tree: Any, kind: str) -> Iterator[Node]:
    """Every node of a kind, such as FuncCall, anywhere in a tree in JSON, however deep."""
    left = [tree]
    while left:
        item = left.pop()
        if isinstance(item, Mapping):
            if kind in item:
                yield item[kind]
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def functions(tree: Any) -> list[str]:
    """The names of the functions that are called anywhere in a tree, without pg_catalog; any other schema stays, for a function there may be another one."""
    return [".".join(names_of(call["funcname"])).removeprefix("pg_catalog.") for call in nodes(tree, "FuncCall")]


def unproven(tree: Any, own: Collection[str] = ()) -> list[str]:
    """Those of which nobody knows here that they change nothing.

    :param own: the names of functions that migrations have made: with one of them, what is called by a name of PostgreSQL's may be theirs.
    """
    return [name for name in functions(tree) if name not in _HARMLESS or name in own]


def columns_in(tree: Any) -> list[str]:
    """The columns that an expression names, each once."""
    found = [names_of(node["fields"][-1:]) for node in nodes(tree, "ColumnRef")]
    return list(dict.fromkeys(name for names in found for name in names))


def _bare(tree: Any) -> Any:
    """An expression without the casts around it."""
    while isinstance(tree, Mapping) and "TypeCast" in tree:
        tree = tree["TypeCast"].get("arg", {})
    return tree


def is_null(tree: Any) -> bool:
    """Whether an expression is NULL, also with a type (NULL::text)."""
    return bool(_bare(tree).get("A_Const", {}).get("isnull"))


def is_constant(tree: Any) -> bool:
    """Whether an expression is a value that is not null."""
    constant = _bare(tree).get("A_Const")
    return constant is not None and not constant.get("isnull")


def fills(tree: Any) -> bool:
    """Whether a default is surely a value that is not null: a constant, the time of now, a new UUID, a sequence's next."""
    bare = _bare(tree)
    called = functions(tree)
    return (
        is_constant(bare)
        or "SQLValueFunction" in bare
        or (("FuncCall" in bare) and len(called) == 1 and (called[0] in _NEVER_NULL or called[0] == "nextval"))
    )


def never_the_same(tree: Any) -> bool:
    """Whether a default is another value for each row, for sure."""
    bare = _bare(tree)
    return "FuncCall" in bare and functions(bare)[0] in (*_UNIQUE, "nextval")


def differs_by_row(tree: Any) -> bool:
    """Whether an expression has, or may have, another value for each row, so that a default of it is written into every row that is there."""
    return any(name in _VOLATILE or name not in _HARMLESS for name in functions(tree))


def passes_without_a_value(tree: Any) -> bool:
    """Whether a check is never false where its columns are null: comparisons of a column with values, which are null then, and AND, OR, NOT of those."""
    if "BoolExpr" in tree:
        return all(passes_without_a_value(item) for item in tree["BoolExpr"]["args"])
    compared = tree.get("A_Expr", {})
    if compared.get("kind") not in _COMPARES or not _OPERATORS.issuperset(names_of(compared.get("name", ()))):
        return False
    return "ColumnRef" in _bare(compared.get("lexpr", {})) and _values(compared.get("rexpr", {}))


def _values(tree: Any) -> bool:
    """Whether an expression is a value, a column, or a list of values."""
    bare = _bare(tree)
    items = bare.get("List", {}).get("items") or bare.get("A_ArrayExpr", {}).get("elements")
    return all(is_constant(item) for item in items) if items else is_constant(bare) or "ColumnRef" in bare


def may_fail(tree: Any) -> bool:
    """Whether an expression may end in an error for some value, so that a row is refused: a cast, a computation, a function that is not known to take all."""
    if any(name not in _TOTAL for name in functions(tree)) or any(True for _cast in nodes(tree, "TypeCast")):
        return True
    return any(item["kind"] == "AEXPR_OP" and names_of(item["name"]) != ["||"] for item in nodes(tree, "A_Expr"))
