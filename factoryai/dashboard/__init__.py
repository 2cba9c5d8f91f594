"""The pages that show everything at once: security's screen, the manager's overview, HR's desk, the first steps."""
