"""`/api/v1` of people, faces, sightings and snapshots: thin views over the services."""
