"""The database: an embedded server or yours, connections, bulk copy, migrations."""
