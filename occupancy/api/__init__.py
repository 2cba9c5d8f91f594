"""`/api/v1/occupancy`: thin views over the services."""
