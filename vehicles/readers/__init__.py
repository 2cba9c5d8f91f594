"""Engines that read number plates."""

from vehicles.readers.base import PlateReader, PlateText, ReaderError

__all__ = ["PlateReader", "PlateText", "ReaderError"]
