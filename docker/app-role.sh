#!/bin/sh
# Runs once, when the database is made: the role that runs the application, which owns nothing. `manage.py prepare`
# gives it its rights, as the owner.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set password="$APP_DATABASE_PASSWORD" <<'SQL'
create role northstar_app login password :'password';
SQL
