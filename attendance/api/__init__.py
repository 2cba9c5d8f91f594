"""`/api/v1/attendance`: thin views over the services."""
