from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "procurement.core"
    label = "core"
    verbose_name = "Noyau"

    def ready(self) -> None:
        from procurement.core import checks  # noqa: F401 - registers them
