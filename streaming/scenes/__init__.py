"""Demonstration scenes: what a camera with the source ``demo:<name>`` sees. They go through the very same reader.

scene = open_scene("gate")
for image in scene.frames():  # the caller paces them at scene.fps
    ...
"""

from __future__ import annotations

from streaming.scenes.door import open_door
from streaming.scenes.entrance import open_entrance
from streaming.scenes.gate import open_gate
from streaming.scenes.scene import Scene
from streaming.scenes.street import FootageMissingError, open_street

SCENES = {
    "street": "Street in front of the works",
    "gate": "Gate 1, vehicles",
    "entrance": "Entrance hall, turnstiles",
    "door": "Staff door",
}
"""Name and title of every scene."""

_OPENERS = {"street": open_street, "gate": open_gate, "entrance": open_entrance, "door": open_door}

__all__ = ["SCENES", "FootageMissingError", "Scene", "UnknownSceneError", "open_scene"]


class UnknownSceneError(KeyError):
    """There is no scene of that name."""


def open_scene(name: str) -> Scene:
    """Open the scene ``name``; takes about a second. Raises `UnknownSceneError`, `FootageMissingError`."""
    if name not in _OPENERS:
        raise UnknownSceneError(f"{name!r} is not a scene: use one of {', '.join(SCENES)}")
    return _OPENERS[name](name, SCENES[name])
