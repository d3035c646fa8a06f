"""Reading for a whole territory without being a person."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TerritoryReader:
    """What ``visible_to`` takes from the command line, the freezing of figures, the job a person asked for."""

    territory_id: int
    sees_whole_territory: bool = True

    @property
    def organisation_id(self) -> int:
        return self.territory_id
