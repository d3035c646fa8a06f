"""Lines of the ledger as a table for the engine: from the database to the columns, no figure is ever a float."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, ExtractYear, Left, NullIf

from savings.models import PriceLine

if TYPE_CHECKING:  # pandas and pyarrow take a second and 95 MB to load: only where a table is made
    import pandas as pd
    import pyarrow as pa

#: What lines are grouped by → where it is. ``year`` is the first budget year a line is about, unknown in a draft.
KEYS = {
    "grouping": F("baseline__membership__grouping_id"),
    "lot": F("baseline__lot_id"),
    "member": F("baseline__membership__organisation_id"),
    "family": Left(Coalesce(NullIf("baseline__lot__cpv", Value("")), "baseline__lot__grouping__cpv"), 2),
    "stage": F("stage"),
    "year": Coalesce("year", ExtractYear("starts_on")),
}
_TEXTS = ("family", "stage")
_CHUNK = 20_000


def lines_frame(lines: QuerySet[PriceLine], keys: Iterable[str] = tuple(KEYS)) -> "pd.DataFrame":
    """One row per line of ``lines``, in its order, with what ``rules.gains.gain_lines`` takes.

    Columns: ``line`` (its pk), those of ``keys`` (pk of the grouping, of the lot and of the member's body; ``family``
    the CPV division, ``stage``, ``year``), then ``quantity`` (3 decimals), ``price_before``, ``price_obtained`` (€
    excl. tax per unit, 6 decimals) and ``index_factor`` (8), as Arrow decimals: an unknown price is missing. The reader
    filters what may be read (``visible_to``) before. PostgreSQL sends the text of its decimals in one stream; elsewhere
    Django's own decimals are read, exact as far as the database kept them. Raises KeyError for an unknown key.
    """
    import pandas as pd
    import pyarrow as pa

    keys = list(keys)
    # Under an alias of its own: « year » and « stage » are columns of the model, which no annotation may hide.
    aliased = {f"key_{name}": KEYS[name] for name in keys}
    rows = lines.annotate(**aliased).values_list("pk", *aliased, *_decimal_types())
    schema = pa.schema([("line", pa.int64()), *((name, _key_type(name)) for name in keys), *_decimal_types().items()])
    read = _from_postgresql if connections[rows.db].vendor == "postgresql" else _from_django
    try:
        table = read(rows, schema)
    except EmptyResultSet:  # ``none()``, or a filter that nothing can meet
        table = schema.empty_table()
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _key_type(name: str) -> "pa.DataType":
    import pyarrow as pa

    return pa.string() if name in _TEXTS else pa.int64()


def _decimal_types() -> dict[str, "pa.DataType"]:
    """The engine's columns, each with the decimals its column of the database holds."""
    import pyarrow as pa

    from savings.rules.gains import DECIMALS

    return {name: pa.decimal128(18, places) for name, places in DECIMALS.items()}


def _from_postgresql(rows: QuerySet, schema: "pa.Schema") -> "pa.Table":
    """COPY: a third of the time and of the memory of as many Decimal objects. A null is nothing between two commas."""
    from pyarrow import csv, py_buffer

    connection = connections[rows.db]
    query = connection.ops.compose_sql(*rows.query.get_compiler(rows.db).as_sql())
    text = BytesIO()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as stream:
        for part in stream:
            text.write(part)
    if not text.tell():
        return schema.empty_table()
    types = {field.name: field.type for field in schema}
    return csv.read_csv(
        py_buffer(text.getbuffer()),
        read_options=csv.ReadOptions(column_names=schema.names),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
    )


def _from_django(rows: QuerySet, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    batches, pending = [], []
    for row in rows.iterator(chunk_size=_CHUNK):
        pending.append(row)
        if len(pending) == _CHUNK:
            batches.append(_batch(pending, schema))
            pending = []
    if pending:
        batches.append(_batch(pending, schema))
    return pa.Table.from_batches(batches, schema)


def _batch(rows: list[tuple], schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa

    columns = zip(zip(*rows, strict=True), schema, strict=True)
    return pa.record_batch([pa.array(column, field.type) for column, field in columns], schema)
