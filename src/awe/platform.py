"""The composition root: settings in, services out. It has no use cases of its own.

A platform is everything awe can do without HTTP: the web serves one, the operator's commands and a
client in the same process use one directly.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, cast

from awe import logs, plugins
from awe.core.tables import Schema
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import soda
from awe.core.vo.links import with_links
from awe.errors import UnavailableError, UsageError
from awe.services.catalogs import (
    INDEX,
    TABLE,
    BatchService,
    CatalogService,
    CatalogStore,
    Engine,
    ExternalTapService,
    OwnStore,
    OwnTables,
    Places,
    QueryOrder,
    RoutingEngine,
    SqlJobs,
    TableRoom,
    TableService,
    UploadService,
    VersionService,
    index_kind,
)
from awe.services.checks import CheckService
from awe.services.history import ASKED, HistoryService, HistoryStore
from awe.services.identity import (
    LOCAL,
    READ,
    WRITE,
    AccountService,
    AccountStore,
    AccountSystem,
    AuditLog,
    AuditStore,
    ExternalStore,
    FederationService,
    FigureService,
    GrantStore,
    GroupService,
    GroupStore,
    HelpLog,
    IdentityService,
    LimitStore,
    LocalAuthenticator,
    Policy,
    ProviderService,
    ProviderStore,
    QuotaService,
    RegistrationService,
    ShareService,
    TicketService,
    TokenStore,
    UsageStore,
    provider_clients,
)
from awe.services.jobs import JOB, JobService, JobStore, Kind, KindsWorkshop, Runner, WorkshopOpener
from awe.services.names import NameService, NameStore
from awe.services.names.sesame import Sesame
from awe.services.observations import (
    COLLECTION,
    CUTOUT,
    VIEWS,
    Copies,
    HipsService,
    ObservationService,
    Storage,
    cutout_kind,
)
from awe.services.registry import RegistryService, RegistryStore, RegTap
from awe.services.space import SpaceService, Store
from awe.services.system import SystemDatabase
from awe.settings import Settings
from awe.settings.login import LoginProviderSettings

__all__ = ["Platform", "open_system", "open_workshop"]


class EngineFactory(Protocol):
    """What is registered under ``awe.engines``."""

    def of(self, folder: Path, settings: Settings) -> Engine:
        """Return the engine of an archive, whose tables are in a folder."""


StoreFactory = Callable[[Path], Store]
"""What is registered under ``awe.stores``."""

AccountSystemFactory = Callable[[str, LoginProviderSettings, Path], AccountSystem]
"""What is registered under ``awe.authenticators``: the provider's name, its settings, the data folder."""

RunnerFactory = Callable[[Settings, WorkshopOpener], Runner]
"""What is registered under ``awe.runners``."""

_WORKSHOP = "awe.platform:open_workshop"


@dataclass(frozen=True, slots=True)
class Platform:
    """The services of one archive, wired together; close it, or use it as a context manager."""

    settings: Settings
    system: SystemDatabase
    engine: Engine
    identity: IdentityService
    federation: FederationService
    accounts: AccountService
    registration: RegistrationService
    audit: AuditLog
    groups: GroupService
    policy: Policy
    shares: ShareService
    provider: ProviderService
    quotas: QuotaService
    figures: FigureService
    names: NameService
    space: SpaceService
    tickets: TicketService
    jobs: JobService
    history: HistoryService
    catalogs: CatalogService
    tables: TableService
    versions: VersionService
    batches: BatchService
    uploads: UploadService
    external: ExternalTapService
    observations: ObservationService
    registry: RegistryService
    hips: HipsService
    checks: CheckService

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open (or make) the archive in the settings' data folder.

        Raises
        ------
        NotFoundError
            If no engine, account system or runner of the configured name is registered.
        UsageError
            If a secret or a certificate of an account system cannot be read.
        UnavailableError
            If the system database cannot be opened, or was written by an older or a newer awe.
        """
        folder = settings.folder
        folder.mkdir(parents=True, exist_ok=True)
        make_engines = _engine_factories(settings)
        make_runner = cast(RunnerFactory, plugins.load("awe.runners", settings.jobs.runner))
        make_store = cast(StoreFactory, plugins.load("awe.stores", settings.space.store))
        system = open_system(settings)
        try:
            system.prepare(f"awe admin migrate --data {shlex.quote(str(folder))}")
        except UnavailableError:
            system.close()
            raise
        engine = _engine(settings, make_engines)
        accounts, tokens, audit_store = AccountStore(system), TokenStore(system), AuditStore(system)
        audit = AuditLog(audit_store)
        local = LocalAuthenticator(accounts)
        federation = FederationService(
            accounts,
            ExternalStore(system),
            tokens,
            audit,
            _account_systems(settings, local),
            settings.login.providers,
        )
        grants, groups = GrantStore(system), GroupStore(system)
        policy = Policy(grants)
        shares = ShareService(grants, policy, audit)
        helping = HelpLog(policy, audit)
        identity = IdentityService(
            accounts,
            tokens,
            audit,
            local,
            federation,
            token_hours=settings.token_hours,
            visitor=shares.visitor,
        )
        provider = ProviderService(
            ProviderStore(system),
            accounts,
            tokens,
            audit,
            settings.provider,
            provider_clients(settings.provider),
        )
        asked = settings.names
        sesame = Sesame(asked.sesame_url, asked.timeout_s) if asked.network else None
        names = NameService(NameStore(system, asked.keep_days), sesame)
        usage = UsageStore(system)
        quotas = QuotaService(
            LimitStore(system),
            usage,
            accounts,
            groups,
            audit,
            settings.quotas,
            folder=folder / ".servers",
            query_s=settings.limits.seconds + settings.limits.patience,
            contact=settings.archive.contact,
        )
        space = SpaceService(make_store(folder / "space"), quotas, audit, settings.space)
        tickets = TicketService(provider.keys, identity.known, settings.space.ticket_seconds)
        runner = make_runner(settings, _WORKSHOP)
        jobs = JobService(JobStore(system), runner, quotas, settings.jobs, folder / "jobs", policy, helping)
        history = HistoryService(
            HistoryStore(system),
            policy,
            helping,
            jobs.known,
            settings.history,
            longest_s=settings.limits.seconds + settings.limits.patience,
        )
        jobs.listen(history.of_job)
        own_store = OwnStore(system)
        own = OwnTables(own_store, policy)
        catalogs = CatalogService(
            CatalogStore(system),
            engine,
            settings.limits,
            folder / "publishing",
            settings.uploads,
            longest_s=max(settings.limits.seconds, settings.jobs.seconds),
            resolve=names.position,
            views=VIEWS,
            policy=policy,
            history=history,
            own=own,
            files=settings.files,
        )
        catalogs.clean()
        places = Places(
            own_store,
            own,
            policy,
            audit,
            folder / "publishing" / "locks",
            settings.tables.wait_seconds,
        )
        room = TableRoom(own_store, quotas)
        versions = VersionService(
            own_store,
            engine,
            places,
            room,
            audit,
            settings.tables,
            query_s=settings.limits.seconds,
            longest_s=max(settings.limits.seconds, settings.jobs.seconds),
        )
        versions.clean()
        tables = TableService(own_store, engine, catalogs, own, places, room, policy, versions)
        external = ExternalTapService(settings.tap, settings.limits, tables, history, folder / "external")
        uploads = UploadService(tables, versions, quotas, settings.uploads, folder / "uploads")
        storage = Storage(settings.images.stores)
        observations = ObservationService(
            system,
            catalogs,
            folder=folder / "publishing",
            authority=settings.archive.authority,
            max_pixels=settings.limits.cutout_pixels,
            max_rows=settings.limits.rows,
            policy=policy,
            copies=Copies(folder / "tiles", made=settings.images.retile, storage=storage),
            storage=storage,
        )
        registry = RegistryService(RegistryStore(system), catalogs, observations, settings)
        catalogs.bring(RegTap(registry, catalogs))
        hips = HipsService(system, folder / "hips", settings.archive.authority, policy)
        shares.offer(TABLE, catalogs.resource, frozenset({READ, WRITE}))
        shares.offer(COLLECTION, observations.resource)
        shares.offer(JOB, jobs.resource)
        shares.offer(ASKED, history.resource)
        checks = CheckService(catalogs, observations, settings)
        return cls(
            settings,
            system,
            engine,
            identity,
            federation,
            AccountService(accounts, tokens, audit, local),
            RegistrationService(accounts, audit, local, settings.login.registration),
            audit,
            GroupService(groups, accounts, audit),
            policy,
            shares,
            provider,
            quotas,
            FigureService(usage, audit_store),
            names,
            space,
            tickets,
            jobs,
            history,
            catalogs,
            tables,
            versions,
            BatchService(catalogs, tables, history, settings.limits.seconds),
            uploads,
            external,
            observations,
            registry,
            hips,
            checks,
        )

    def kinds(self) -> Mapping[str, Kind]:
        """Return what jobs can do, by the name of their kind."""
        return {
            **SqlJobs(
                self.catalogs, self.versions, self.batches, self.external, self.space, _statements
            ).kinds(),
            INDEX: index_kind(self.tables, self.catalogs),
            CUTOUT: cutout_kind(self.observations, soda.error_text),
        }

    def close(self) -> None:
        """Stop what runs and let go of everything."""
        self.uploads.close()
        self.jobs.close()
        self.catalogs.close()
        self.engine.close()
        self.quotas.close()
        self.system.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_system(settings: Settings) -> SystemDatabase:
    """Return the system database of the settings, whatever its schema; whoever opened it closes it."""
    if settings.database_url:
        return SystemDatabase(settings.database_url)
    return SystemDatabase.in_folder(settings.folder)


def _engine_factories(settings: Settings) -> tuple[EngineFactory, ...]:
    """Return what makes the engine, and behind it what makes that of large queries where there is one."""
    names = [settings.engine, settings.scale.engine] if settings.scale.engine else [settings.engine]
    return tuple(cast(EngineFactory, plugins.load("awe.engines", name)) for name in names)


def _engine(settings: Settings, factories: Sequence[EngineFactory]) -> Engine:
    first, *others = factories
    engine = first.of(settings.folder / "tables", settings)
    try:
        for make in others:
            large = make.of(settings.folder / "tables", settings)
            return RoutingEngine(engine, large, settings.scale.bytes)
    except BaseException:
        engine.close()
        raise
    return engine


def _account_systems(settings: Settings, local: LocalAuthenticator) -> dict[str, AccountSystem]:
    """Return who is asked who somebody is; awe's own accounts first: they have to work when a network does not."""
    systems: dict[str, AccountSystem] = {LOCAL: local} if settings.login.passwords else {}
    for name, provider in settings.login.providers.items():
        make = cast(AccountSystemFactory, plugins.load("awe.authenticators", provider.kind))
        try:
            systems[name] = make(name, provider, settings.folder)
        except OSError as error:
            raise UsageError(f"login.providers.{name}: {error}") from None
    return systems


def _statements(order: QueryOrder, schema: Schema) -> VOTableOptions:
    return with_links(order.base_url, schema, VOTableOptions(infos=order.infos))


def open_workshop(settings: Settings) -> KindsWorkshop:
    """Open the archive in a worker: what its jobs can do."""
    logs.configure(settings)
    platform = Platform.open(settings)
    return KindsWorkshop(platform.kinds(), platform.identity.known, platform.close)
