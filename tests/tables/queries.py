"""Runs queries on the lake in this folder, in DuckDB.

In: {"open": sql, "dialect": name, "views": [sql], "queries": {name: sql}}. What is of another dialect is read
by sqlglot in that dialect, which refuses what it does not know, and translated.
Out: {name: {"columns": [name], "rows": [[value]]}}, dates as texts, names in lower case.
"""

import datetime
import json
import sys

import duckdb
import sqlglot


def translated(sql, dialect):
    if dialect == "duckdb":
        return sql
    (statement,) = sqlglot.transpile(
        sql, read=dialect, write="duckdb", error_level=sqlglot.ErrorLevel.RAISE, unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    return statement


def plain(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


task = json.load(sys.stdin)
lake = duckdb.connect()
lake.execute(task["open"])
for view in task["views"]:
    lake.execute(translated(view, task["dialect"]))
answers = {}
for name, sql in task["queries"].items():
    result = lake.execute(translated(sql, task["dialect"]))
    answers[name] = {
        "columns": [column[0].lower() for column in result.description],
        "rows": [[plain(value) for value in row] for row in result.fetchall()],
    }
json.dump(answers, sys.stdout)
