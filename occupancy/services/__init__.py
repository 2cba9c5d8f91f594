"""The verbs of people inside: record, correct, reset, sum, thin, and the questions the pages ask."""
