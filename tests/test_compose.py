"""What the Compose specification's schema does not see: names that lead nowhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def test_every_service_that_is_waited_for_exists_and_can_say_that_it_is_well(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], other


def test_every_long_running_service_has_a_health_check_and_its_data_in_a_named_volume(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        volumes = [volume.partition(":")[0] for volume in service["volumes"]]
        assert volumes, name
        assert all(volume in compose["volumes"] for volume in volumes), name
        if service["restart"] != "no":
            assert "healthcheck" in service, name


def test_images_are_pinned_and_meilisearch_is_not_one_of_the_broken_versions(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        assert service["image"].rpartition(":")[2] not in {"", "latest"}, name
    version = compose["services"]["meilisearch"]["image"].rpartition(":v")[2]
    assert tuple(int(part) for part in version.split(".")) >= (1, 47)


def test_every_variable_that_the_services_are_given_is_a_setting(compose: dict[str, Any]) -> None:
    from directory.settings import Settings  # noqa: PLC0415 - this test alone needs it

    known = {name.upper() for name in Settings.__struct_fields__}
    assert set(compose["services"]["api"]["environment"]) <= known
