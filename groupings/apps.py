from django.apps import AppConfig


class GroupingsConfig(AppConfig):
    name = "groupings"
    label = "groupings"
    verbose_name = "Groupements"
