"""The servers that North Star brings along: where they live, how they start, stop and die.

`layout` says where, `children` binds a process to its parent's life, `postgres` and `valkey` run one server
each, `keeper` keeps the shared PostgreSQL while anybody uses it, `session` is how a command joins in, and
`supervisor` is `manage.py up`. Nothing here imports Django, so that a command can start its database before
Django is set up.
"""
