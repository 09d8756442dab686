"""`build_app`: the application, and every address that is not the JSON API, in one table.

A row of `ROUTES` says where, which methods, which handler, how the face tells its errors, and, where the
address belongs to a protocol, which parameters it takes. The JSON API's addresses are in `awe.web.api`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from awe import __version__
from awe.core.vo import datalink as datalink_
from awe.core.vo import gms as gms_
from awe.core.vo import scs as scs_
from awe.core.vo import sia1
from awe.core.vo import sia2 as sia2_
from awe.core.vo import soda as soda_
from awe.core.vo import ssa as ssa_
from awe.core.vo import tap as tap_
from awe.core.vo import tapplus as tapplus_
from awe.core.vo import vosi as vosi_
from awe.core.vo.params import Params
from awe.errors import AweError, NotFoundError, ParameterError, UsageError
from awe.platform import Platform
from awe.services.identity import ADMIN, READ, RUN, SHARE, WRITE
from awe.web import oauth, portal
from awe.web.api import describe, router
from awe.web.compat import datalab, sciserver, tapplus
from awe.web.http import (
    Envelope,
    FairTurns,
    Handler,
    LoginHeaders,
    Metrics,
    Receiver,
    Renderer,
    Room,
    SharedFigures,
    Straight,
    Waiters,
    dali_error,
    datalink_error,
    endpoint,
    error_headers,
    json_error,
    receiving,
    request_line,
    scs_error,
    sia1_error,
    sia2_error,
    soda_error,
    ssa_error,
    wants_json,
)
from awe.web.metrics import metrics
from awe.web.portal import providers
from awe.web.vo import (
    JobFace,
    auth,
    availability,
    datalink,
    gms,
    hats,
    hips,
    moc,
    registry,
    scs,
    sia,
    sia2,
    soda,
    ssa,
    tap,
    youcat,
)

__all__ = ["ROUTES", "Entry", "build_app"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An address: `methods` are separated by blanks, GET brings HEAD with it.

    GET needs a token with the scope `reads`, other methods one with `scope`; the empty scope is any token's. None
    means that the request carries no user's credentials: a client's, or none. What is `prompt` is answered without a
    thread where nothing is to be waited for.
    """

    path: str
    methods: str
    handler: Handler | Receiver
    errors: Renderer
    params: Params | None = None
    scope: str | None = WRITE
    reads: str | None = READ
    prompt: bool = False


_READ, _BOTH = "GET", "GET POST"
_CASJOBS, _TOKENS = "/CasJobs/RestApi", "/login-portal/keystone/v3/tokens"


def _jobs(face: JobFace) -> tuple[Entry, ...]:
    """Return the addresses of the jobs of a service (UWS 1.1 section 2.2.1)."""
    job, told = f"/{face.path}/{{job}}", face.errors
    return (
        Entry(f"/{face.path}", _BOTH, face.jobs, told, scope=RUN),
        Entry(job, f"{_BOTH} DELETE", face.job, told, scope=RUN),
        Entry(f"{job}/phase", _BOTH, face.phase, told, scope=RUN),
        Entry(f"{job}/executionduration", _BOTH, face.duration, told, scope=RUN),
        Entry(f"{job}/destruction", _BOTH, face.destruction, told, scope=RUN),
        Entry(f"{job}/parameters", _BOTH, face.parameters, told, scope=RUN),
        Entry(f"{job}/parameters/{{part:path}}", _READ, face.part, told),
        Entry(f"{job}/quote", _READ, face.quote, told),
        Entry(f"{job}/owner", _READ, face.owner, told),
        Entry(f"{job}/error", _READ, face.error, told),
        Entry(f"{job}/results", _READ, face.results, told),
        Entry(f"{job}/results/{{result}}", _READ, face.result, told),
    )


def _casjobs() -> tuple[Entry, ...]:
    """Return the addresses of CasJobs: of the interface of SciServer's client, and of the older one."""
    rest, old = sciserver.casjobs, sciserver.asmx
    context, told = f"{_CASJOBS}/contexts/{{context}}", sciserver.casjobs_error
    return (
        Entry(f"{_CASJOBS}/contexts", _READ, rest.contexts, told),
        Entry(f"{context}/query", "POST", rest.query, told, scope=READ),
        Entry(f"{context}/Tables", _READ, rest.tables, told),
        Entry(f"{context}/Tables/{{table}}", "POST", rest.upload, told),
        Entry(f"{context}/jobs", "PUT", rest.submit, told, scope=RUN),
        Entry(f"{_CASJOBS}/jobs", _READ, rest.jobs, told),
        Entry(f"{_CASJOBS}/jobs/{{job}}", _READ, rest.job, told),
        Entry(f"{_CASJOBS}/jobs/{{job}}", "DELETE", rest.cancel, told, scope=RUN),
        Entry(f"{_CASJOBS}/users/{{user}}", _READ, rest.user, told),
        # who asks stands among the fields of a form
        Entry(
            "/CasJobs/services/jobs.asmx/{operation}",
            _BOTH,
            old.operation,
            old.asmx_error,
            scope=None,
            reads=None,
        ),
        Entry(
            "/CasJobs/services/casusers.asmx/{operation}",
            _BOTH,
            old.casusers,
            old.asmx_error,
            scope=None,
            reads=None,
        ),
        Entry(
            "/CasJobs/casusers.asmx/{operation}", _BOTH, old.casusers, old.asmx_error, scope=None, reads=None
        ),
        Entry("/CasJobs/quick_casjobs.cgi", _BOTH, old.fast_table, old.asmx_error, scope=None, reads=None),
        Entry("/CasJobs/output/{job}", _READ, sciserver.output, told, reads=None),
        Entry("/CasJobs/{service:path}", _READ, rest.not_offered, told),
    )


def _login_portal() -> tuple[Entry, ...]:
    """Return the addresses of SciServer's login portal."""
    portal_, told = sciserver.login, sciserver.keystone_error
    return (
        Entry(_TOKENS, "POST", portal_.login, told, scope=""),
        Entry(f"{_TOKENS}/{{token}}", _READ, portal_.validate, told),
        Entry("/login-portal/api/auth", "POST", portal_.authenticate, told, scope=""),
        Entry("/login-portal/api/validate/{token}", _READ, portal_.user_of, told),
        Entry("/login-portal/api/users", _READ, portal_.users, told),
        Entry("/login-portal/api/users/{user}", _READ, portal_.users, told),
        Entry("/login-portal/api/health", _READ, portal_.health, told),
        Entry("/login-portal/{service:path}", _READ, portal_.not_offered, told),
    )


def _skyserver() -> tuple[Entry, ...]:
    """Return the addresses of SkyServer, each with a data release in it and without one."""
    search, told = sciserver.skyserver, sciserver.casjobs_error
    offered = (
        ("SearchTools/SqlSearch", _BOTH, search.sql_search, sciserver.SQL),
        ("SearchTools/RadialSearch", _READ, search.radial, sciserver.RADIAL),
        ("SearchTools/RectangularSearch", _READ, search.rectangular, sciserver.RECTANGULAR),
        ("SearchTools/ObjectSearch", _READ, search.object_search, sciserver.OBJECT_SEARCH),
        ("ConeSearch/ConeSearchService", _READ, search.cone, sciserver.CONE),
        ("ImgCutout/getjpeg", _BOTH, sciserver.cutout.getjpeg, sciserver.CUTOUT),
        ("{service:path}", _BOTH, search.not_offered, None),
    )
    return tuple(
        Entry(f"{root}/{path}", methods, handler, told, params, scope=READ)
        for root in ("/SkyServerWS", "/{release}/SkyServerWS")
        for path, methods, handler, params in offered
    )


def _datalab(address: datalab.Address) -> Entry:
    """Return an address of the Data Lab's services."""
    path = f"{datalab.ROOT}/{address.path}"
    return Entry(
        path,
        address.methods,
        address.handler,
        address.errors,
        scope=address.scope,
        reads=address.scope,
    )


# fmt: off
ROUTES: tuple[Entry, ...] = (
    # looked through from above: what is asked for most stands first
    Entry("/scs/{table}",                       _BOTH,  scs.cone,               scs_error,      scs_.PARAMS, scope=READ, prompt=True),
    Entry("/scs/{table}/capabilities",          _READ,  scs.scs_capabilities,   dali_error),
    Entry("/scs/{table}/availability",          _READ,  availability,           dali_error),
    Entry("/tap/sync",                          _BOTH,  tap.sync,               dali_error,     tap_.PARAMS, scope=READ),
    *_jobs(tap.JOBS),
    Entry("/tap",                               _READ,  tap.tap_capabilities,   dali_error),
    Entry("/tap/capabilities",                  _READ,  tap.tap_capabilities,   dali_error),
    Entry("/tap/availability",                  _READ,  availability,           dali_error),
    Entry("/tap/tables",                        _READ,  tap.tables,             dali_error,     vosi_.TABLES_PARAMS),
    Entry("/tap/tables/{table}",                _READ,  tap.table,              dali_error,     vosi_.TABLES_PARAMS),
    Entry("/tap/tables/{table}",                "PUT",  youcat.make,            dali_error),
    Entry("/tap/tables/{table}",                "DELETE", youcat.drop,          dali_error),
    Entry("/tap/load/{table}",                  "POST", youcat.load,            dali_error),
    *_jobs(youcat.INDEXING),
    Entry("/tap/permissions/{table}",           _READ,  youcat.permissions,     dali_error, reads=SHARE),
    Entry("/tap/permissions/{table}",           "POST", youcat.set_permissions, dali_error, scope=SHARE),
    Entry("/tap/examples",                      _READ,  tap.examples,           dali_error),
    Entry("/tap/login",                         "POST", tapplus.login,          dali_error, scope=""),
    Entry("/tap/logout",                        "POST", tapplus.logout,         dali_error, scope=""),
    Entry("/tap/notification",                  _READ,  tapplus.notification,   dali_error),
    Entry("/tap/users",                         _READ,  tapplus.users,          dali_error,     tapplus_.USERS),
    Entry("/tap/share",                         _BOTH,  tapplus.share,          dali_error,     tapplus_.SHARE, scope=SHARE),
    Entry("/tap/jobs/async",                    _READ,  tapplus.search(tap.JOBS.described), dali_error, tapplus_.JOBS),
    Entry("/tap/Upload",                        "POST", tapplus.upload,         dali_error,     tapplus_.UPLOAD),
    Entry("/tap/TableTool",                     "POST", tapplus.table_tool,     dali_error,     tapplus_.TOOL),
    Entry("/tap/data",                          "POST", tapplus.data,           dali_error, scope=READ),
    Entry("/tap/deletejobs",                    "POST", tapplus.delete_jobs,    dali_error,     tapplus_.REMOVAL, scope=RUN),
    Entry("/sia",                               _BOTH,  sia.query,              sia1_error,     sia1.PARAMS, scope=READ),
    Entry("/sia/capabilities",                  _READ,  sia.sia_capabilities,   dali_error),
    Entry("/sia/availability",                  _READ,  availability,           dali_error),
    Entry("/sia2",                              _BOTH,  sia2.query,             sia2_error, scope=READ),
    Entry("/sia2/query",                        _BOTH,  sia2.query,             sia2_error,     sia2_.PARAMS, scope=READ),
    Entry("/sia2/capabilities",                 _READ,  sia2.sia2_capabilities, dali_error),
    Entry("/sia2/availability",                 _READ,  availability,           dali_error),
    Entry("/ssa",                               _BOTH,  ssa.query,              ssa_error,      ssa_.PARAMS, scope=READ),
    Entry("/ssa/capabilities",                  _READ,  ssa.ssa_capabilities,   dali_error),
    Entry("/ssa/availability",                  _READ,  availability,           dali_error),
    Entry("/soda",                              _BOTH,  soda.cutout,            soda_error, scope=READ),
    Entry("/soda/sync",                         _BOTH,  soda.cutout,            soda_error,     soda_.PARAMS, scope=READ),
    *_jobs(soda.JOBS),
    Entry("/soda/capabilities",                 _READ,  soda.soda_capabilities, dali_error),
    Entry("/soda/availability",                 _READ,  availability,           dali_error),
    Entry("/datalink",                          _BOTH,  datalink.links,         datalink_error, scope=READ),
    Entry("/datalink/links",                    _BOTH,  datalink.links,         datalink_error, datalink_.PARAMS, scope=READ),
    Entry("/datalink/capabilities",             _READ,  datalink.datalink_capabilities, dali_error),
    Entry("/datalink/availability",             _READ,  availability,           dali_error),
    Entry("/hipslist",                          _READ,  hips.hips_list,         hips.hips_error),
    Entry("/hips/{name}/{path:path}",           _READ,  hips.hips_file,         hips.hips_error),
    Entry("/hats/{table}",                      _READ,  hats.hats_root,         json_error),
    Entry("/hats/{table}/{path:path}",          _READ,  hats.hats_file,         json_error),
    Entry("/moc/{table}",                       _READ,  moc.table_moc,          json_error,     moc.PARAMS),
    Entry("/moc/collection/{name}",             _READ,  moc.collection_moc,     json_error,     moc.PARAMS),
    Entry("/oai",                               _BOTH,  registry.harvest,       dali_error, scope=READ),
    Entry("/oai/capabilities",                  _READ,  registry.registry_capabilities, dali_error),
    Entry("/oai/availability",                  _READ,  availability,           dali_error),
    Entry("/gms/search",                        _READ,  gms.search,             dali_error,     gms_.PARAMS),
    Entry("/gms/capabilities",                  _READ,  gms.gms_capabilities,   dali_error),
    Entry("/gms/availability",                  _READ,  availability,           dali_error),
    Entry("/auth/login",                        "POST", auth.login,             json_error, scope=""),
    Entry("/auth/logout",                       "POST", auth.logout,            json_error, scope=""),
    Entry("/.well-known/openid-configuration",  _READ,  oauth.configuration,    oauth.oauth_error, reads=None),
    Entry("/.well-known/oauth-authorization-server", _READ, oauth.configuration, oauth.oauth_error, reads=None),
    Entry("/oauth/jwks",                        _READ,  oauth.keys,             oauth.oauth_error, reads=None),
    Entry("/oauth/authorize",                   _BOTH,  oauth.authorize,        oauth.page_error, scope=None, reads=""),
    Entry("/oauth/consent",                     _BOTH,  oauth.consent,          json_error, scope=ADMIN, reads=ADMIN),
    Entry("/oauth/token",                       "POST", oauth.token,            oauth.oauth_error, scope=None),
    Entry("/oauth/revoke",                      "POST", oauth.revoke,           oauth.oauth_error, scope=None),
    Entry("/oauth/introspect",                  "POST", oauth.introspect,       oauth.oauth_error, scope=None),
    Entry("/oauth/device_authorization",        "POST", oauth.device_authorization, oauth.oauth_error, scope=None),
    Entry("/oauth/device",                      "POST", oauth.device,           json_error, scope=ADMIN),
    Entry("/oauth/userinfo",                    _BOTH,  oauth.userinfo,         oauth.oauth_error, scope=None, reads=None),
    Entry("/oauth/logout",                      _BOTH,  oauth.logout,           oauth.page_error, scope="", reads=""),
    *_casjobs(),
    *_login_portal(),
    *_skyserver(),
    *map(_datalab, datalab.ADDRESSES),
    Entry("/metrics",                           _READ,  metrics,                json_error),
    Entry("/",                                  _READ,  portal.page,            json_error),
    Entry("/auth",                              _READ,  portal.login,           json_error),
    Entry("/auth/register",                     _READ,  portal.register,        json_error),
    Entry("/auth/password",                     _READ,  portal.password,        json_error),
    Entry("/auth/consent",                      _READ,  portal.consent,         json_error),
    Entry("/auth/device",                       _READ,  portal.device,          json_error),
    Entry("/auth/logout",                       _READ,  portal.logout,          json_error),
    Entry("/query",                             _READ,  portal.query,           json_error),
    Entry("/shared",                            _READ,  portal.shared,          json_error),
    Entry("/auth/oidc/{provider}/begin",        _READ,  providers.begin,        json_error, reads=""),
    Entry("/auth/oidc/{provider}/callback",     _READ,  providers.callback,     json_error, reads=""),
    Entry("/auth/oidc/{provider}/link",         "POST", providers.link,         json_error, scope=ADMIN),
    Entry("/auth/oidc/{provider}/logout",       "POST", providers.backchannel,  json_error, scope=None),
    Entry("/account",                           _READ,  portal.account,         json_error),
    Entry("/static/{name}",                     _READ,  portal.static,          json_error),
    Entry("/api/docs",                          _READ,  portal.api_docs,        json_error),
)
# fmt: on


def build_app(platform: Platform, shared: SharedFigures | None = None) -> FastAPI:
    """Return the application that serves a platform.

    Parameters
    ----------
    platform
        Stays open while the application is used; whoever opened it closes it.
    shared
        Where this process tells its figures to others that serve with it, if there are others.
    """
    archive, limits = platform.settings.archive, platform.settings.limits
    figures = Metrics(platform, {"api", *(entry.path.split("/")[1] for entry in ROUTES)}, shared)
    routes = [_route(entry) for entry in ROUTES]
    prompt = [route for route, entry in zip(routes, ROUTES, strict=True) if entry.prompt]
    app = FastAPI(
        title=archive.title,
        description=archive.description,
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(
                Envelope, most=limits.requests, metrics=figures, trusting=platform.settings.trust_request_ids
            ),
            Middleware(LoginHeaders),
            Middleware(Straight, routes=prompt),
            Middleware(sciserver.SciServerPaths),
            Middleware(tapplus.TapPlusPaths),
        ],
        exception_handlers=_HANDLERS,
    )
    app.state.platform = platform
    app.state.metrics = figures
    app.state.turns = FairTurns(Room.of_queries(limits))
    app.state.fair = FairTurns(Room.of_images(platform.settings.images, limits.patience))
    app.state.waiters = Waiters(platform.jobs.phases)
    app.router.routes.extend(routes)
    app.include_router(router)
    app.openapi = _described(app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app


def _route(entry: Entry) -> Route:
    run = (
        receiving(entry.handler, entry.errors, entry.scope or WRITE)
        if isinstance(entry.handler, Receiver)
        else endpoint(entry.handler, entry.errors, entry.scope, entry.reads, prompt=entry.prompt)
    )
    return Route(entry.path, run, methods=entry.methods.split())


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            protocols = ((e.path, _sentence(e.handler), e.params) for e in ROUTES if e.params is not None)
            app.openapi_schema = describe(app, protocols)
        return app.openapi_schema

    return openapi


def _sentence(handler: Handler | Receiver) -> str:
    return (handler.__doc__ or "").partition("\n")[0]


async def _awe_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AweError)  # noqa: S101  # the handler is registered for this class
    return json_error(error)


async def _bad_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as above
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "body"
    given = "" if first["type"] == "missing" else first.get("input")  # of what is missing it is all the rest
    wrong = ParameterError(name, _shown(name, given), str(first["msg"]), hint="see /api/docs")
    return json_error(wrong)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    path = request.url.path
    if error.status_code == 404:
        told: AweError = NotFoundError(
            f"there is nothing at {path}", hint="/ says what is here, /api/docs how to ask"
        )
    else:
        told = UsageError(f"{request.method} {path}: {error.detail}")
    answer = (
        json_error(told)
        if wants_json(request) or path.startswith("/api")
        else PlainTextResponse(f"{told}\n{request_line()}")
    )
    answer.status_code = error.status_code
    answer.headers.update({**error_headers(told), **(error.headers or {})})
    return answer


def _shown(name: str, value: object) -> str:
    return "***" if "password" in name else str(value)[:200]


_HANDLERS: dict[int | type[Exception], Callable[[Request, Exception], Any]] = {
    AweError: _awe_error,
    RequestValidationError: _bad_request,
    HTTPException: _http_error,
}
