"""Give the conventions already frozen the first version of every article, which is the text they were made from."""

import hashlib
from datetime import UTC, datetime

from django.db import migrations

from groupings.clauses.articles import shipped_texts, texts_fingerprint
from groupings.conventions.values import from_json


def fill(apps, schema_editor) -> None:
    """The shipped text becomes version 1 of each territory that has a convention; what its assemblies approved is now
    the values and the articles."""
    Convention = apps.get_model("groupings", "Convention")
    ClauseVersion = apps.get_model("groupings", "ClauseVersion")
    texts = shipped_texts()
    clauses = [{"key": t.key, "title": t.title, "version": t.version, "sha256": t.sha256} for t in texts]
    fingerprint = texts_fingerprint(texts)
    territories = set()
    for convention in Convention.objects.select_related("grouping__coordinator").iterator():
        coordinator = convention.grouping.coordinator
        territories.add(coordinator.territory_id or coordinator.pk)
        convention.clauses = clauses
        if convention.values.get("schema"):
            approved = from_json(convention.values).text_sha256
            convention.text_sha256 = hashlib.sha256(f"{approved} {fingerprint}".encode()).hexdigest()
        convention.save(update_fields=["clauses", "text_sha256"])
    for territory_id in sorted(territories):
        for text in texts:
            ClauseVersion.objects.get_or_create(
                territory_id=territory_id,
                key=text.key,
                number=1,
                defaults={
                    "title": text.title,
                    "body": text.body,
                    "sha256": text.sha256,
                    "note": "Texte fourni avec le logiciel",
                    "published_at": datetime(2026, 11, 1, tzinfo=UTC),
                    "published_by": "Groupements de commandes",
                },
            )


class Migration(migrations.Migration):
    dependencies = [("groupings", "0013_clauses")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
