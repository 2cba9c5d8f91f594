"""Pure decisions about counting people: crossings, sums, drift resets, capacity. No Django, no clock, no network."""
