from django.apps import AppConfig


class GroupingsConfig(AppConfig):
    name = "groupings"
    label = "groupings"
    verbose_name = "Groupements"

    def ready(self) -> None:
        from groupings.participation import GroupingParticipation
        from members.participation import provide

        provide(GroupingParticipation())
