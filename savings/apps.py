from django.apps import AppConfig


class SavingsConfig(AppConfig):
    name = "savings"
    label = "savings"
    verbose_name = "Économies"
