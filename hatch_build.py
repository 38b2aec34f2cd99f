"""Put the schema documents inside the wheel, and leave an editable install reading the checkout."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SchemasInWheel(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # A forced include in the configuration would be copied by an editable install too and go stale there.
        if version == "standard":
            build_data["force_include"]["schemas"] = "mockchat/schemas"
