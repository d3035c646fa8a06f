"""Somebody with the password of the database: what no screen, action nor constraint lets through."""

from django.db import connection


def corrupt(sql: str, *values: object, without: str = "") -> None:
    """Run ``sql`` past the product. ``without``: the constraint the database would have stopped it by, if any
    ("savings_priceline.price_line_four_eyes")."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        if without:
            table, constraint = without.split(".")
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered while some wait
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}")
            cursor.execute(f"DROP INDEX IF EXISTS {constraint}")
        try:
            cursor.execute(sql, values)
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
