"""The lists, the gates and their policies in the admin; what was read is only looked at."""

from vehicles.admin import facts, gates, lists

__all__ = ["facts", "gates", "lists"]
