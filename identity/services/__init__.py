"""The verbs that change who is known and what is kept: enrol, sight, assign, purge, erase, reconcile."""
