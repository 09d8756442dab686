"""The services of the Astro Data Lab, as its own Python client speaks them: auth, query, storage, res; and SPARCL's of spectra.

They stand below one address (`ROOT`), since the words ``auth`` and ``sia`` at the archive's own root are other
protocols'; the client is told where each of them is.
"""

from typing import NamedTuple

from awe.services.identity import READ, RUN, WRITE
from awe.web.compat.datalab import (
    auth,
    discovery,
    images,
    imports,
    jobs,
    mydb,
    query,
    service,
    sparcl,
    spectra,
    storage,
    transfers,
)  # fmt: skip
from awe.web.compat.datalab._errors import datalab_error, storage_error, upload_address_error, upload_error
from awe.web.compat.datalab.service import ROOT
from awe.web.http import Handler, Receiver, Renderer, scs_error, sia1_error

__all__ = ["ADDRESSES", "ROOT", "Address"]


class Address(NamedTuple):
    """An address below `ROOT`; a token needs the `scope`, None where the request carries none for itself."""

    path: str
    handler: Handler | Receiver
    scope: str | None
    methods: str = "GET"
    errors: Renderer = datalab_error


# fmt: off
ADDRESSES: tuple[Address, ...] = (
    Address("auth/login",               auth.login,             None),
    Address("auth/logout",              auth.logout,            None),
    Address("auth/isValidToken",        auth.is_valid_token,    None),
    Address("auth/isTokenLoggedIn",     auth.is_token_logged_in, None),
    Address("auth/isValidUser",         auth.is_valid_user,     None),
    Address("auth/isUserLoggedIn",      auth.is_user_logged_in, None),
    Address("auth/isValidPassword",     auth.is_valid_password, None),
    Address("auth/hasAccess",           auth.has_access,        None),
    Address("auth/passwordReset",       auth.password_reset,    None),
    Address("auth/profiles",            auth.profiles,          None),
    Address("query/query",              query.query,            READ),
    Address("query/status",             jobs.status,            READ),
    Address("query/results",            jobs.results,           READ),
    Address("query/error",              jobs.error,             READ),
    Address("query/abort",              jobs.abort,             RUN),
    Address("storage/ls",               storage.list_files,     READ, errors=storage_error),
    Address("storage/stat",             storage.stat,           READ, errors=storage_error),
    Address("storage/isdir",            storage.is_folder,      READ, errors=storage_error),
    Address("storage/access",           storage.access,         READ, errors=storage_error),
    Address("storage/mkdir",            storage.make_folder,    WRITE, errors=storage_error),
    Address("storage/rm",               storage.remove,         WRITE, errors=storage_error),
    Address("storage/rmdir",            storage.remove_folder,  WRITE, errors=storage_error),
    Address("storage/cp",               storage.copy,           WRITE, errors=storage_error),
    Address("storage/mv",               storage.move,           WRITE, errors=storage_error),
    Address("storage/ln",               storage.link,           WRITE, errors=storage_error),
    Address("storage/tag",              storage.tag,            WRITE, errors=storage_error),
    Address("storage/get",              transfers.get,          READ, errors=storage_error),
    Address("storage/fetch",            transfers.fetch,        None, errors=storage_error),
    Address("storage/put",              transfers.ask_upload,   WRITE, errors=upload_address_error),
    Address("storage/upload",           transfers.upload,       WRITE, "PUT", upload_error),
    Address("storage/load",             transfers.load,         WRITE, errors=storage_error),
    Address("storage/profiles",         auth.profiles,          None),
    Address("storage/xfer",             imports.receive,        WRITE, "POST"),
    Address("query/import",             imports.import_file,    WRITE, "POST"),
    Address("query/ingest",             imports.ingest,         WRITE, "POST"),
    Address("query/list",               mydb.list_tables,       READ),
    Address("query/create",             mydb.create,            WRITE, "POST"),
    Address("query/delete",             mydb.delete,            WRITE),
    Address("query/truncate",           mydb.truncate,          WRITE),
    Address("query/rename",             mydb.rename,            WRITE),
    Address("query/copy",               mydb.copy,              WRITE),
    Address("query/index",              mydb.index,             WRITE),
    Address("query/flush",              mydb.flush,             WRITE),
    Address("query/schema", discovery.schema, None),
    Address("query/profiles", discovery.profiles, None),
    Address("query/services", discovery.services, READ),
    Address("res/findJobs",             jobs.find,              READ),
    Address("sia/{collection}",         images.find,            READ, "GET POST", sia1_error),
    Address("scs/{schema}/{table}",     images.cone,            READ, "GET", scs_error),
    Address("svc/cutout",               images.cutout,          READ),
    Address("spec/contexts",            spectra.contexts,       READ),
    Address("spec/validate",            spectra.validate,       READ),
    Address("spec/profiles",            spectra.profiles,       None),
    Address("spec/catalogs",            spectra.catalogs,       READ),
    Address("spec/query",               spectra.query,          READ),
    Address("spec/listSpan",            spectra.list_span,      READ, "POST"),
    Address("spec/getSpec",             spectra.get_spec,       READ, "POST"),
    Address("spec/preview",             spectra.preview,        READ),
    Address("spec/plotGrid",            spectra.not_offered,    None, "POST"),
    Address("spec/stackedImage",        spectra.not_offered,    None, "POST"),
    Address("sparcl/api/version/",      sparcl.version,         None, "GET", sparcl.sparcl_error),
    Address("sparcl/api/announcement/", sparcl.announcement,    None, "GET", sparcl.sparcl_error),
    Address("sparcl/api/get_token/",    sparcl.get_token,       None, "POST", sparcl.sparcl_error),
    Address("sparcl/api/renew_token/",  sparcl.renew_token,     None, "POST", sparcl.sparcl_error),
    Address("sparcl/api/auth_status/",  sparcl.auth_status,     None, "GET", sparcl.sparcl_error),
    Address("sparcl/api/datafields/",   sparcl.datafields,      None, "GET", sparcl.sparcl_error),
    Address("sparcl/api/find/",         sparcl.find,            None, "POST", sparcl.sparcl_error),
    Address("sparcl/api/missing/",      sparcl.missing,         None, "POST", sparcl.sparcl_error),
    Address("sparcl/api/missing_specids/", sparcl.missing_specids, None, "POST", sparcl.sparcl_error),
    Address("sparcl/api/spectras/",     sparcl.retrieve,        None, "POST", sparcl.sparcl_error),
    Address("{service}",                service.hello,          None),
    Address("{service}/",               service.hello,          None),
    Address("{service}/{path:path}",    service.absent,         None, "GET POST PUT DELETE"),
)
# fmt: on
