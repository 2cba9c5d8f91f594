"""PostgreSQL: every table as of one instant by COPY, and its way back in one transaction, without another program."""

from __future__ import annotations

import gzip
import os
import tarfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

from factoryai.backup.archive import BLOCK, Writer, nameless

Key = tuple[str, str]
"""App and name of a migration."""
COMPRESSION = 3
GONE_WITHIN_S = 3.0
"""What the server may take to notice that a connection was closed."""


def dump(writer: Writer, folder: Path, describe: dict[str, Any]) -> None:
    """Add every table as of one instant, and to ``describe`` their columns and sequences."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        describe["tables"] = {name: _columns(cursor, name) for name in _tables()}
        describe["sequences"] = {name: _sequence(cursor, name) for name in _sequences(cursor)}
        for name, columns in describe["tables"].items():
            with nameless(folder) as packed:
                _copy_out(cursor, name, columns, packed)
                size = packed.seek(0, os.SEEK_END)
                packed.seek(0)
                writer.add(member_of(name), packed, size)


def member_of(table: str) -> str:
    return f"tables/{table}.copy.gz"


def _tables() -> list[str]:
    return sorted({*connection.introspection.django_table_names(only_existing=True), "django_migrations"})


def _columns(cursor: Any, table: str) -> list[str]:
    return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _sequences(cursor: Any) -> list[str]:
    cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1")
    return [name for (name,) in cursor.fetchall()]


def _sequence(cursor: Any, name: str) -> list[Any]:
    cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name)))
    return list(cursor.fetchone())


def _statement(text: str, table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))


def _copy_out(cursor: Any, table: str, columns: Sequence[str], target: IO[bytes]) -> None:
    statement = _statement("COPY {} ({}) TO STDOUT", table, columns)
    packing = gzip.GzipFile(fileobj=target, mode="wb", compresslevel=COMPRESSION, mtime=0)
    with packing as packed, cursor.copy(statement) as rows:
        for block in rows:
            packed.write(block)


def is_used() -> bool:
    """Whether any other program is connected to the database; those of this one's pool are let go of first."""
    connection.close()
    connection.close_pool()
    deadline = time.monotonic() + GONE_WITHIN_S
    while is_used := _count_others() > 0:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return is_used


def _count_others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        own = connection.pool.get_stats()["pool_size"] if connection.pool else 1
        return cursor.fetchone()[0] - own


def load(tar: tarfile.TarFile, manifest: Mapping[str, Any]) -> None:
    """Replace every table by those of an archive, all or nothing, in the form its program had; migrate afterwards."""
    applied = {tuple(key) for key in manifest["migrations"]}
    with transaction.atomic():
        if applied != set(MigrationRecorder(connection).applied_migrations()):
            _make_tables_as_they_were(applied)
        with connection.cursor() as cursor:
            _fill(cursor, tar, manifest)


def _make_tables_as_they_were(applied: Collection[Key]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a pending check would forbid the next ALTER TABLE
        for name in _tables():
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    executor = MigrationExecutor(connection)
    executor.migrate(last_of(applied, executor.loader.graph))


def last_of(applied: Collection[Key], graph: MigrationGraph) -> list[Key]:
    """Return those of the applied migrations that no other applied one builds upon; unknown ones are left out."""
    known = graph.nodes.keys() & applied
    return sorted(key for key in known if not any(child.key in known for child in graph.node_map[key].children))


def _fill(cursor: Any, tar: tarfile.TarFile, manifest: Mapping[str, Any]) -> None:
    """Empty every table of what its migrations wrote, then copy the rows in; foreign keys are checked at the end."""
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    tables = manifest["tables"]
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    cursor.execute(sql.SQL("TRUNCATE {}").format(names))
    for name, columns in tables.items():
        statement = _statement("COPY {} ({}) FROM STDIN", name, columns)
        with gzip.open(tar.extractfile(member_of(name))) as packed, cursor.copy(statement) as rows:
            while block := packed.read(BLOCK):
                rows.write(block)
    for name, (value, is_called) in manifest["sequences"].items():
        cursor.execute("SELECT setval(%s::regclass, %s, %s)", [connection.ops.quote_name(name), value, is_called])
