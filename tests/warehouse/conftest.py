"""The two engines as a fixture; PostgreSQL is the test database's server."""

import pytest


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name; for PostgreSQL the test database stands before the test begins."""
    if request.param == "postgres":
        request.getfixturevalue("postgres_database")
    return str(request.param)


@pytest.fixture
def postgres_database(django_db_setup: None) -> None:
    """The test database of this process, to be reached with `stores.postgres_options`."""
