"""Attendance in the admin: HR's queue first, then days, punches, corrections, periods, and what they rest on."""

from attendance.admin import corrections, days, periods, punches, queue, rosters, shifts

__all__ = ["corrections", "days", "periods", "punches", "queue", "rosters", "shifts"]
