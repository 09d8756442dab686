"""Alembic's folder: how an older system database becomes this version's."""
