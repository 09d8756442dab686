"""How published images are read, as the operator sets it: ``[images]``."""

import re

from pydantic import BaseModel, Field, field_validator

__all__ = ["ImageSettings"]

_SECRET = re.compile("secret|token|password|key", re.IGNORECASE)


class ImageSettings(BaseModel):
    """Published images: how they are read."""

    retile: bool = Field(
        True,
        description="Copy images that are compressed by whole rows, or as a whole file, in small tiles when they are "
        "published, without loss: cutouts are many times faster, and take the place of the images once more.",
    )
    stores: dict[str, dict[str, str | int | float | bool]] = Field(
        default_factory=dict,
        description="How object stores are reached that images are published from: options of fsspec, by the beginning of "
        'addresses: `"s3://survey" = {endpoint_url = "https://store.example.org"}`. Secrets stay where the store\'s own '
        "library looks for them, such as AWS_SECRET_ACCESS_KEY.",
    )

    at_once: int = Field(
        8, ge=1, description="Cutouts and pictures that are made at the same time; more wait their turn."
    )
    each: int = Field(
        4,
        ge=1,
        description="Those of one caller (of one address, without an account) among them at the most.",
    )
    waiting: int = Field(
        200,
        ge=0,
        description="Those of one caller that wait their turn; who has as many is told to come back later.",
    )

    @field_validator("stores")
    @classmethod
    def _without_secrets(
        cls, stores: dict[str, dict[str, str | int | float | bool]]
    ) -> dict[str, dict[str, str | int | float | bool]]:
        told = sorted({name for said in stores.values() for name in said if _SECRET.search(name)})
        if told:
            raise ValueError(f"{', '.join(told)}: a secret belongs into the environment")
        return stores
