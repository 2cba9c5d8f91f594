"""Engines that find people and vehicles in a picture."""

from streaming.detectors.base import Detector, DetectorError, DetectorSettings, load_detector

__all__ = ["Detector", "DetectorError", "DetectorSettings", "load_detector"]
