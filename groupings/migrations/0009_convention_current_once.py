"""One version of a convention is not replaced; apart from the rows it counts on, which PostgreSQL wants committed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("groupings", "0008_convention_states_fill")]

    operations = [
        migrations.AddConstraint(
            model_name="convention",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "superseded"), _negated=True),
                fields=("grouping",),
                name="convention_current_once",
                violation_error_message="Ce groupement a déjà une version de sa convention qui n’est pas remplacée.",
            ),
        ),
    ]
