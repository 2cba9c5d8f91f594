"""Lists of plates, gates, and what the cameras read: the log, the vehicles, their visits."""

from vehicles.models.gates import Gate, GatePolicy, Opening, PlateFormat
from vehicles.models.lists import AllowedPlate, BlockedPlate, ListChange, ListEntry, WatchedPlate
from vehicles.models.passages import PlateRead, Vehicle, Visit

__all__ = [
    "AllowedPlate",
    "BlockedPlate",
    "Gate",
    "GatePolicy",
    "ListChange",
    "ListEntry",
    "Opening",
    "PlateFormat",
    "PlateRead",
    "Vehicle",
    "Visit",
    "WatchedPlate",
]
