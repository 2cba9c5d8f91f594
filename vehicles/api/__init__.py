"""`/api/v1/vehicles`: plates, reads, the log, visits and lists."""
