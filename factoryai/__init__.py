"""Factory AI: attendance, vehicles, occupancy and identity from a factory's own cameras."""

from factoryai.celery import app as celery_app

__all__ = ["celery_app"]
