"""Where a connection may lead: hosts and files."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from metrics.definitions.build import warehouse_def
from metrics.models import Warehouse
from metrics.services.apply import apply
from tests.metrics.files import make_warehouse
from tests.metrics.warehouses.saving import CRM, save
from warehouse.definitions import WarehouseError
from warehouse.engines import connect

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1"])
def test_the_clouds_own_addresses_are_refused_when_tested_and_saved(admin: Client, host: str) -> None:
    tested = admin.post(reverse("warehouse_new"), {**CRM, "host": host, "action": "test"})
    assert "WAREHOUSE_HOSTS" in tested.content.decode()
    saved = save(admin, **{**CRM, "host": host})
    assert saved.status_code == 422
    assert "WAREHOUSE_HOSTS" in str(saved.context["form"].errors["host"])
    assert not Warehouse.objects.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "::1", "::ffff:127.0.0.1", "/tmp"])
def test_in_production_this_machine_is_refused_too(admin: Client, settings: Any, host: str) -> None:
    assert save(admin, **{**CRM, "host": host}).status_code == 302
    settings.PRODUCTION = True
    with pytest.raises(WarehouseError, match="WAREHOUSE_HOSTS"):
        connect(warehouse_def(Warehouse.objects.get()))
    answer = save(admin, **{**CRM, "key": "second", "host": host})
    assert "WAREHOUSE_HOSTS" in str(answer.context["form"].errors["host"])


def test_a_list_of_hosts_holds_for_saving_testing_and_using(admin: Client, settings: Any) -> None:
    settings.WAREHOUSE_HOSTS = ["10.0.0.0/8"]
    assert save(admin, **CRM).status_code == 302
    assert save(admin, **{**CRM, "key": "second", "host": "192.168.0.1"}).status_code == 422
    settings.WAREHOUSE_HOSTS = ["db.internal"]
    answer = admin.post(reverse("warehouse_test", args=["crm"]))
    assert "not among the hosts" in answer.content.decode()


def test_files_outside_of_the_listed_directories_are_refused(
    admin: Client, here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = make_warehouse(tmp_path_factory.mktemp("elsewhere"))
    (here / "link.duckdb").symlink_to(elsewhere)
    for path in (elsewhere, here / "link.duckdb", here / ".." / elsewhere.parent.name / elsewhere.name):
        for action in ("save", "test"):
            given = {"engine": "duckdb", "key": "shop", "path": str(path), "action": action}
            answer = admin.post(reverse("warehouse_new"), given)
            assert "WAREHOUSE_FILES" in str(answer.context["form"].errors["path"])
    # what a file of definitions has named may stay, and another limit be set
    apply(f"warehouses:\n  shop: {{engine: duckdb, path: {elsewhere}}}\n")
    assert save(admin, "shop", engine="duckdb", path=str(elsewhere), timeout="20").status_code == 302
