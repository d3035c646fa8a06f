from django.apps import AppConfig


class SavingsConfig(AppConfig):
    name = "savings"
    label = "savings"
    verbose_name = "Économies"

    def ready(self) -> None:
        from groupings.notices import provide
        from savings.actions import reports  # noqa: F401 - registers the kind of its jobs, for every process
        from savings.notices import savings_notices

        provide(savings_notices)
