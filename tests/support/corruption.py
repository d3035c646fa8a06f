"""Somebody with the password of the database: what no screen, action nor constraint lets through."""

from django.db import connection


def corrupt(sql: str, *values: object, without: str = "") -> None:
    """Run ``sql`` past the product. ``without``: the constraint the database would have stopped it by, if any
    ("savings_priceline.price_line_four_eyes")."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        elif without:
            table, constraint = without.split(".")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}")
            cursor.execute(f"DROP INDEX IF EXISTS {constraint}")
        if without and connection.vendor == "sqlite":
            cursor.execute(f"DROP INDEX IF EXISTS {without.split('.')[1]}")
        try:
            cursor.execute(sql, values)
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
