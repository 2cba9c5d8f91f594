"""Pure decisions about number plates: cleaning, families, correction, the quality gate, lists. No Django, no clock."""
