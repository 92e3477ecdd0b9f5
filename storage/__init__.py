"""SQL: the only importer of SQLAlchemy."""
