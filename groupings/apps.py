from django.apps import AppConfig


class GroupingsConfig(AppConfig):
    name = "groupings"
    label = "groupings"
    verbose_name = "Groupements"

    def ready(self) -> None:
        from groupings.actions import convention, fund_calls  # noqa: F401 - registers the kind of their jobs, for every process
        from groupings.participation import GroupingParticipation
        from members.participation import provide

        provide(GroupingParticipation())
