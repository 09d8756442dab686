"""Users' own tables: made by SQL, uploads and jobs, versioned, shared by their owners.

A user's table is what a published one is, immutable files and a record that names the current version; it lies in
the schema ``user_NAME``, which its owner calls ``mydb``.
"""
