"""One archive of everything an installation keeps: made while it runs, put back whole or not at all."""
