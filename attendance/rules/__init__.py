"""Pure decisions about attendance: shift occurrences, matching of punches, day records. Standard library only."""
