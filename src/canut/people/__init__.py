"""Who uses the platform: accounts, roles, sessions, API keys, contributors, skills."""
