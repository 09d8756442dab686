"""OpenLDAP's ``slapd`` with a few people, started once for a session."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ldap3 import MODIFY_REPLACE, NONE, Connection, Server
from tests.systems.certificates import write_certificates
from tests.systems.programs import free_port, program

from awe.settings.login import LdapSettings

__all__ = ["BASE", "Directory", "directory"]

_PASSWORD = "correct horse"
BASE = "dc=example,dc=org"
_PEOPLE: dict[str, dict[str, str]] = {
    "uid=ann,ou=people": {"cn": "Ann Example", "mail": "ann@example.org", "employeeType": "staff"},
    "uid=ben,ou=people": {"cn": "Ben", "employeeType": "guest"},
    "uid=twin,ou=people": {"cn": "One Twin"},
    "uid=twin,ou=guests": {"cn": "Other Twin"},
    "uid=o'brien,ou=people": {"cn": "Flann"},
    "uid=a\\+b\\,c,ou=people": {"cn": "Odd"},
    "uid=*,ou=people": {"cn": "Star"},
    "uid=ü(x),ou=people": {"cn": "Umlaut"},
}
_GROUPS = {"hst": ("uid=ann,ou=people",), "jwst": ("uid=ann,ou=people", "uid=ben,ou=people")}
_SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
# the worst that a directory can do: say yes to a name without a password (RFC 4513 section 5.1.2)
allow bind_anon_dn
database mdb
suffix {base}
rootdn cn=root,{base}
rootpw "{password}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=awe,{base}" read by self read by * none
"""


@dataclass
class Directory:
    """OpenLDAP's ``slapd`` with a few people; everybody has the same password.

    Attributes
    ----------
    elsewhere
        The address that it refers to for some people.
    """

    folder: Path
    port: int
    tls_port: int
    elsewhere: str
    password: str = _PASSWORD

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self.folder / "ca.pem"

    def settings(self, **others: object) -> LdapSettings:
        """Return the settings of awe for it."""
        given: dict[str, object] = {
            "kind": "ldap",
            "title": "The Institute",
            "url": f"ldap://localhost:{self.port}",
            "ca_file": self.ca_file,
            "bind_dn": f"cn=awe,{BASE}",
            "secret": self.password,
            "user_base": BASE,
            "group_base": f"ou=groups,{BASE}",
        }
        return LdapSettings.model_validate(given | others)

    def change(self, dn: str, **attributes: str | list[str]) -> None:
        """Change attributes of an entry."""
        values = {
            name: [(MODIFY_REPLACE, [value] if isinstance(value, str) else value)]
            for name, value in attributes.items()
        }
        with self._root() as connection:
            assert connection.modify(f"{dn},{BASE}", values), connection.result

    def rename(self, dn: str, name: str) -> None:
        """Give an entry another name."""
        with self._root() as connection:
            assert connection.modify_dn(f"{dn},{BASE}", name), connection.result

    def binds(self) -> int:
        """Return how often somebody tried to bind until now."""
        return len(re.findall(r" BIND dn=.* method=128", (self.folder / "log").read_text()))

    @contextmanager
    def _root(self) -> Iterator[Connection]:
        server = Server("127.0.0.1", self.port, get_info=NONE)
        with Connection(server, f"cn=root,{BASE}", self.password) as connection:
            yield connection


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """Return a running LDAP directory."""
    search = os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")])
    slapd, slapadd = (program("slapd", name, path=search) for name in ("slapd", "slapadd"))
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    write_certificates(folder)
    found = Directory(folder, free_port(), free_port(), f"127.0.0.1:{free_port()}")
    config = folder / "slapd.conf"
    config.write_text(_SLAPD.format(folder=folder, base=BASE, password=_PASSWORD))
    added = subprocess.run(
        [slapadd, "-f", str(config)], input=_ldif(found.elsewhere).encode(), capture_output=True, check=False
    )
    assert added.returncode == 0, added.stderr.decode()
    addresses = f"ldap://127.0.0.1:{found.port}/ ldaps://127.0.0.1:{found.tls_port}/"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [slapd, "-f", str(config), "-h", addresses, "-d", "stats"], stdout=log, stderr=log
        )
    try:
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            try:
                for port in (found.port, found.tls_port):
                    socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _ldif(elsewhere: str) -> str:
    entries = [
        {"dn": BASE, "objectClass": "domain"},
        *({"dn": f"ou={name},{BASE}", "objectClass": "organizationalUnit"} for name in ("people", "guests", "groups")),
        {"dn": f"cn=awe,{BASE}", "objectClass": "organizationalRole\nobjectClass: simpleSecurityObject",
         "userPassword": _PASSWORD},
        {"dn": f"cn=elsewhere,ou=people,{BASE}", "objectClass": "referral\nobjectClass: extensibleObject",
         "ref": f"ldap://{elsewhere}/{BASE}"},
        *(
            {"dn": f"{dn},{BASE}", "objectClass": "inetOrgPerson", "sn": "x", "userPassword": _PASSWORD, **told}
            for dn, told in _PEOPLE.items()
        ),
        *(
            {"dn": f"cn={name},ou=groups,{BASE}", "objectClass": "groupOfNames",
             "member": "\nmember: ".join(f"{dn},{BASE}" for dn in members)}
            for name, members in _GROUPS.items()
        ),
    ]  # fmt: skip
    return "\n\n".join("\n".join(f"{name}: {value}" for name, value in one.items()) for one in entries)
