"""The tree itself, how it is read, and what has no module of its own."""

import os
import re
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from awe.errors import UsageError
from awe.settings.engines import FileSettings, LimitSettings, ScaleSettings, SparkSettings
from awe.settings.images import ImageSettings
from awe.settings.login import Providers, secrets_in
from awe.settings.provider import ProviderSettings
from awe.settings.quotas import QuotaSettings
from awe.settings.tables import TableSettings, TapSettings, UploadSettings

__all__ = [
    "ArchiveSettings",
    "ClientSettings",
    "HistorySettings",
    "JobSettings",
    "LoginSettings",
    "NameSettings",
    "Settings",
    "SpaceSettings",
]

_MEMORY = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class SpaceSettings(BaseModel):
    """People's own files."""

    store: str = Field("folder", description="What keeps them, a name registered under awe.stores.")
    file_bytes: int = Field(100_000_000_000, ge=0, description="Size of a file at the most.")
    ticket_seconds: float = Field(
        600.0,
        gt=0,
        description="So long a file can be fetched by an address that a program was given for it.",
    )
    services: dict[str, str] = Field(
        default_factory=dict,
        description="Further names of collections whose published files can be read as NAME://, with the collection's "
        'name: `sdss_dr14 = "sdss-spectra"`. Each collection is there under its own name anyway.',
    )


class ArchiveSettings(BaseModel):
    """Who publishes: shown on the page and in every answer's metadata."""

    title: str = Field("awe", description="Name of this archive.")
    description: str = Field("An open science cloud for astronomy.", description="One sentence about it.")
    authority: str = Field(
        "example.awe", description="IVOA authority of its identifiers (ivo://AUTHORITY/...)."
    )
    contact: str = Field("", description="Electronic mail of the people to ask.")
    contact_name: str = Field("", description="Name of the people to ask; the organisation's when empty.")
    organisation: str = Field("", description="Who publishes; the title when empty.")
    creator: str = Field(
        "", description="Who made what does not say so itself (name, or names separated by semicolons)."
    )
    homepage: str = Field("", description="Page about the archive; the page of this service when empty.")
    rights: str = Field("", description="Conditions of use of what does not say so itself, in a sentence.")
    rights_url: str = Field("", description="Address of the licence.")
    notice: str = Field(
        "",
        description="What users should know now, such as when the service will be down: astroquery's GaiaClass prints it.",
    )


class NameSettings(BaseModel):
    """Where names of objects are looked up besides the local tables."""

    network: bool = Field(
        False, description="Ask the CDS (Sesame) for names that the local tables do not have."
    )
    sesame_url: str = Field(
        "https://cds.unistra.fr/cgi-bin/nph-sesame", pattern="^https?://", description="Address of Sesame."
    )
    timeout_s: float = Field(5.0, gt=0, description="Seconds to wait for Sesame.")
    keep_days: float = Field(30.0, ge=0, description="So long an answer of Sesame is used again.")


class LoginSettings(BaseModel):
    """How people log in."""

    passwords: bool = Field(True, description="Accounts of awe itself log in with their passwords.")
    providers: Providers = Field(
        default_factory=dict,
        description="Other account systems, asked in the order in which they stand here.",
    )
    registration: Literal["closed", "approval", "open"] = Field(
        "closed",
        description="Whether people may make accounts themselves: not at all (closed), when an administrator "
        "approves it (approval), at once (open).",
    )


class JobSettings(BaseModel):
    """Work that takes its time: who does it, and what one job may use."""

    runner: str = Field("process", description="Who does the work, a name registered under awe.runners.")
    workers: int = Field(2, ge=1, description="Jobs that run at the same time; more wait in the queue.")
    memory: str = Field("2GB", description="Memory of the SQL engine in each worker.")
    threads: int | None = Field(
        None, ge=1, description="Threads of the SQL engine in each worker; all cores when unset."
    )
    waiting: int = Field(1000, ge=1, description="Jobs in the queue; more are told to come back later.")
    default_seconds: int = Field(3600, ge=1, description="Time of a job that asks for none.")
    seconds: int = Field(86_400, ge=1, description="Time of a job at the most; then it is aborted.")
    default_days: float = Field(7.0, gt=0, description="So long a job and its results are kept.")
    days: float = Field(
        30.0, gt=0, description="So long they are kept at the most, where the owner asks for it."
    )
    attempts: int = Field(
        3, ge=1, description="A job whose process dies is begun again; so often it is begun at the most."
    )
    listed: int = Field(1000, ge=1, description="Jobs of a list at the most, the newest.")
    longest_wait: float = Field(
        60.0, gt=0, description="Seconds that a request may wait for a job's next phase; then it is answered."
    )
    idle: float = Field(60.0, ge=0, description="Seconds after which a worker that has no job ends.")
    grace: float = Field(
        5.0,
        ge=0,
        description="Seconds that running jobs have to end when the service stops; then they are queued again.",
    )


class HistorySettings(BaseModel):
    """What is remembered of the queries of those who are logged in."""

    days: float = Field(365.0, gt=0, description="So long a query is remembered.")
    listed: int = Field(1000, ge=1, description="Queries of a list at the most, the newest.")


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="AWE_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Field(
        Path("sky"),
        description="The data folder: published tables, the system database, a token for notebooks.",
    )
    host: str = Field("127.0.0.1", description="Address to listen at.")
    port: int = Field(8765, ge=0, le=65535, description="Port to listen at; 0 takes a free one.")
    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Server processes that share the port, the memory of `limits.memory` and the turns of `limits.queries` "
        "and `images.at_once`; one for every two cores, at most four, when unset.",
    )
    base_url: str = Field(
        "",
        description="Public address of the service where a proxy stands before it; from the request when empty.",
    )
    engine: str = Field("duckdb", description="SQL engine, a name registered under awe.engines.")
    database_url: str = Field(
        "", description="SQLAlchemy URL of the system database; SQLite in the data folder when empty."
    )
    share_paths: bool | None = Field(
        None,
        description="Tell callers where published files lie on disk, for notebooks that see the same folders; "
        "only where the service listens at a loopback address when unset.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="The log on standard error: text for people, json for programs."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="What is logged at the least; info has a line for each request."
    )
    trust_request_ids: bool = Field(
        False,
        description="Take the number of a request from its header X-Request-Id, where a proxy stands before the "
        "service that sets it; made here when unset.",
    )
    local_metrics: bool = Field(
        False,
        description="Let programs on this machine read /metrics without a token; never where a proxy on this machine "
        "lets others in.",
    )
    token_hours: float = Field(24.0, gt=0, description="Life of a login token.")
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings, description="Who publishes.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="What one query may use.")
    files: FileSettings = Field(
        default_factory=FileSettings,
        description="The files of tables, for programs that open catalogues in place.",
    )
    scale: ScaleSettings = Field(
        default_factory=ScaleSettings,
        description="A second engine over the same files, for queries that read much.",
    )
    spark: SparkSettings = Field(
        default_factory=SparkSettings, description="A cluster of Apache Spark, for the engine of that name."
    )
    uploads: UploadSettings = Field(
        default_factory=UploadSettings,
        description="Tables that come with a query, and files that become tables of their senders.",
    )
    tables: TableSettings = Field(default_factory=TableSettings, description="Users' own tables.")
    tap: TapSettings = Field(default_factory=TapSettings, description="TAP services of other archives.")
    space: SpaceSettings = Field(default_factory=SpaceSettings, description="People's own files.")
    images: ImageSettings = Field(default_factory=ImageSettings, description="Published images.")
    names: NameSettings = Field(default_factory=NameSettings, description="Where names are looked up.")
    login: LoginSettings = Field(default_factory=LoginSettings, description="How people log in.")
    jobs: JobSettings = Field(default_factory=JobSettings, description="Work that takes its time.")
    history: HistorySettings = Field(
        default_factory=HistorySettings,
        description="What is remembered of the queries of those who are logged in.",
    )
    provider: ProviderSettings = Field(
        default_factory=ProviderSettings, description="Logging in to other tools with an account here."
    )
    quotas: QuotaSettings = Field(default_factory=QuotaSettings, description="What one caller may use.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then secrets, then ``awe.toml`` in the data folder."""
        data = init_settings().get("data") or env_settings().get("data") or cls.model_fields["data"].default
        file = TomlConfigSettingsSource(settings_cls, toml_file=Path(data).expanduser() / "awe.toml")
        if told := sorted(secrets_in(file())):
            raise ValueError(
                f"{', '.join(told)}: a secret belongs into the environment, or a file (secret_file)"
            )
        return init_settings, env_settings, file_secret_settings, file

    @classmethod
    def load(cls, data: Path | str | None = None, **overrides: object) -> "Settings":
        """Read the settings of a data folder.

        Parameters
        ----------
        data
            The folder; from ``AWE_DATA`` or the default when None.
        overrides
            Fields that win over the environment and the file; None leaves a field alone.

        Raises
        ------
        UsageError
            If ``awe.toml`` cannot be read, or a value is not allowed.
        """
        given = {"data": data, **overrides}
        try:
            return cls(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
        except (tomllib.TOMLDecodeError, ValueError) as error:
            raise UsageError(
                f"settings: {error}", hint="each one is described in docs/reference/settings.md"
            ) from None

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data.expanduser().absolute()

    def for_work(self) -> "Settings":
        """Return the settings of a worker: a query in it may use what a job may use."""
        own = {"memory": self.jobs.memory, "threads": self.jobs.threads, "seconds": float(self.jobs.seconds)}
        return self.model_copy(update={"limits": self.limits.model_copy(update=own)})

    @property
    def processes(self) -> int:
        """How many server processes there are (`workers` and its default)."""
        return self.workers or max(1, min(4, (os.cpu_count() or 1) // 2))

    def for_process(self) -> "Settings":
        """Return the settings of one of the server processes: its share of what all of them may use."""
        limits, images, many = self.limits, self.images, self.processes
        queries = {name: -(-getattr(limits, name) // many) for name in ("queries", "waiting", "requests")}
        pieces = {name: -(-getattr(images, name) // many) for name in ("at_once", "each", "waiting")}
        memory = _MEMORY.sub(lambda size: f"{float(size[0]) / many:.3f}", limits.memory)
        shared = {
            "limits": limits.model_copy(update={**queries, "memory": memory}),
            "images": images.model_copy(update=pieces),
        }
        return self.model_copy(update=shared)

    @property
    def tells_paths(self) -> bool:
        """Whether callers may learn where a published file lies (`share_paths` and its default)."""
        if self.share_paths is not None:
            return self.share_paths
        return self.host in {"127.0.0.1", "::1", "localhost"} and not self.base_url


class ClientSettings(BaseSettings):
    """What the Python client and the command line read from the environment."""

    model_config = SettingsConfigDict(env_prefix="AWE_", extra="ignore", frozen=True)

    url: str = Field("http://127.0.0.1:8765", description="The service to talk to (AWE_URL).")
    token: str = Field("", repr=False, description="Token to log in with (AWE_TOKEN); anonymous when empty.")
    cache: Path = Field(Path("~/.cache/awe"), description="Folder for downloaded images (AWE_CACHE).")
    config: Path = Field(
        Path("~/.config/awe"), description="Folder where `awe login` keeps logins (AWE_CONFIG)."
    )
