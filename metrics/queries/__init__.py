"""Reading. Every function returns frozen dataclasses of shapes.py in a constant number of SQL statements."""
