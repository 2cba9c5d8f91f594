"""The verbs that change attendance: record, rebuild, review, correct, lock."""
