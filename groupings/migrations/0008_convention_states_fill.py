"""Give every convention its state and the fingerprint of the text its assemblies approve."""

from django.db import migrations

from groupings.conventions.values import from_json

_STATES = {"needs": "draft", "convention": "draft", "deliberations": "votes", "cancelled": "ended"}


def fill(apps, schema_editor) -> None:
    """The last version takes the state its grouping implies; a launched grouping's is in force; the others are
    replaced."""
    Convention = apps.get_model("groupings", "Convention")
    seen = set()
    for convention in Convention.objects.select_related("grouping").order_by("grouping", "-version").iterator():
        last = convention.grouping_id not in seen
        seen.add(convention.grouping_id)
        convention.status = _STATES.get(convention.grouping.status, "in_force") if last else "superseded"
        convention.text_sha256 = from_json(convention.values).text_sha256
        convention.save(update_fields=["status", "text_sha256"])


class Migration(migrations.Migration):
    dependencies = [("groupings", "0007_convention_states")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
