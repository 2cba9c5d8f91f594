"""The installation on one machine: its keys, its Valkey, its logins and its processes, without any other service."""
