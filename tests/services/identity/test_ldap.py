"""A real directory, and what people try with it; what all account systems do is in the conformance suite."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.systems.ldap import BASE, Directory

from awe.errors import AuthenticationError, UnavailableError
from awe.services.identity import Claims
from awe.services.identity.backends.ldap import LdapAuthenticator
from awe.settings.login import LdapSettings

pytestmark = pytest.mark.slow
PEOPLE = f"ou=people,{BASE}"


def ask(directory: Directory, user: str = "ann", password: str | None = None, **settings: Any) -> Claims:
    found = LdapAuthenticator("institute", directory.settings(**settings), Path())
    return found.authenticate(user, directory.password if password is None else password)


def test_an_entry_says_who_it_is(directory: Directory) -> None:
    found = ask(directory, attributes=("employeeType",))
    assert (found.name, found.display_name, found.email) == ("ann", "Ann Example", "ann@example.org")
    assert len(found.subject) == 36
    assert found.groups == {"hst", "jwst"}
    assert found.attributes == {"employeeType": ("staff",)}
    assert ask(directory, "ben").groups == {"jwst"}


def test_a_directory_that_shows_people_their_own_entry_needs_no_other_account(directory: Directory) -> None:
    own: dict[str, Any] = {"bind_dn": "", "secret": "", "group_base": "", "member_of": "employeeType"}
    found = ask(directory, user_dn=f"uid={{user}},{PEOPLE}", **own)
    assert found == replace(ask(directory), groups=frozenset({"staff"}))


def test_a_person_who_is_renamed_stays_the_same_person(directory: Directory) -> None:
    before = ask(directory, "ben")
    directory.rename("uid=ben,ou=people", "uid=benjamin")
    try:
        after = ask(directory, "benjamin")
        assert (after.subject, after.name) == (before.subject, "benjamin")
        with pytest.raises(AuthenticationError):
            ask(directory, "ben")
    finally:
        directory.rename("uid=benjamin,ou=people", "uid=ben")


@pytest.mark.parametrize("typed", ["ANN", " ann ", "Ann"])
def test_however_a_name_is_typed_it_is_the_entrys(directory: Directory, typed: str) -> None:
    assert ask(directory, typed).name == "ann"


@pytest.mark.parametrize("name", ["o'brien", "a+b,c", "ü(x)", "*"])
@pytest.mark.parametrize("settings", [{}, {"user_dn": f"uid={{user}},{PEOPLE}"}], ids=["search", "template"])
def test_names_with_odd_characters_mean_themselves(
    directory: Directory, name: str, settings: dict[str, Any]
) -> None:
    assert ask(directory, name, **settings).name == name


@pytest.mark.parametrize(
    "name",
    [
        "a*",
        "ann)(cn=*",
        "*)(objectClass=*",
        "ann)(|(uid=*",
        "\\2a",
        "ann\\",
        "(",
        "an\\6e",
        "uid=ann",
        "#616e6e",
    ],
)
@pytest.mark.parametrize("settings", [{}, {"user_dn": f"uid={{user}},{PEOPLE}"}], ids=["search", "template"])
def test_what_is_typed_is_no_filter_and_no_name_of_an_entry(
    directory: Directory, name: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(AuthenticationError):
        ask(directory, name, **settings)


@pytest.mark.parametrize("name", [f"ann,{PEOPLE}", f"ann,ou=people,{BASE}+", "ann+cn=Ann Example"])
def test_what_is_typed_does_not_end_the_name_of_an_entry(directory: Directory, name: str) -> None:
    with pytest.raises(AuthenticationError):
        ask(directory, name, user_dn="uid={user}")


@pytest.mark.parametrize("password", ["", "\0", " "])
@pytest.mark.parametrize("settings", [{}, {"user_dn": f"uid={{user}},{PEOPLE}"}], ids=["search", "template"])
def test_a_bind_without_a_password_is_nobodys(
    directory: Directory, password: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(AuthenticationError):
        ask(directory, password=password, **settings)


def test_the_directory_would_have_said_yes_to_it(directory: Directory) -> None:
    """Show that the test above can fail: RFC 4513 section 5.1.2, asked for on the wire."""
    with socket.create_connection(("127.0.0.1", directory.port)) as plain:
        name = f"uid=ann,{PEOPLE}".encode()
        bind = b"\x02\x01\x03\x04" + bytes([len(name)]) + name + b"\x80\x00"
        request = b"\x02\x01\x01\x60" + bytes([len(bind)]) + bind
        plain.sendall(b"\x30" + bytes([len(request)]) + request)
        assert plain.recv(100)[7:10] == b"\x0a\x01\x00"  # success


def test_a_name_that_two_entries_have_is_nobodys(directory: Directory) -> None:
    with pytest.raises(AuthenticationError):
        ask(directory, "twin")
    assert ask(directory, "twin", user_base=PEOPLE).display_name == "One Twin"


@pytest.fixture
def elsewhere(directory: Directory) -> Iterator[socket.socket]:
    host, _, port = directory.elsewhere.partition(":")
    with socket.create_server((host, int(port))) as listening:
        listening.setblocking(False)
        yield listening


def test_nobody_is_sent_to_another_directory(directory: Directory, elsewhere: socket.socket) -> None:
    assert ask(directory).name == "ann"  # the search came by the reference
    for settings in ({"user_filter": "(|(uid={user})(cn=elsewhere))"}, {"user_dn": f"cn={{user}},{PEOPLE}"}):
        for name in ("elsewhere", "nobody"):
            with pytest.raises((AuthenticationError, UnavailableError)):
                ask(directory, name, **settings)
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_who_is_not_in_a_group_any_more(directory: Directory) -> None:
    directory.change("cn=jwst,ou=groups", member=f"uid=ben,{PEOPLE}")
    try:
        assert ask(directory).groups == {"hst"}
    finally:
        both = [f"uid=ann,{PEOPLE}", f"uid=ben,{PEOPLE}"]
        directory.change("cn=jwst,ou=groups", member=both)


def test_groups_stand_in_the_entry_where_the_operator_says_so(directory: Directory) -> None:
    assert ask(directory, group_base="", member_of="employeeType").groups == {"staff"}
    assert ask(directory, group_base="").groups == set()
    by_name = ask(directory, group_base=PEOPLE, group_filter="(uid={user})", group_attribute="cn")
    assert by_name.groups == {"Ann Example"}


def test_a_password_that_was_changed_is_good_at_once(directory: Directory) -> None:
    directory.change("uid=ben,ou=people", userPassword="battery staple")
    try:
        with pytest.raises(AuthenticationError):
            ask(directory, "ben")
        assert ask(directory, "ben", "battery staple").name == "ben"
    finally:
        directory.change("uid=ben,ou=people", userPassword=directory.password)


@pytest.mark.parametrize(
    "settings",
    [
        {"secret": "wrong"},
        {"secret": ""},
        {"bind_dn": "not a name"},
        {"user_base": "dc=nowhere"},
        {"group_base": "dc=nowhere"},
        {"group_filter": "((member={dn})"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_not_the_users_fault(directory: Directory, settings: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError):
        ask(directory, **settings)


def test_the_secret_is_read_from_its_file(directory: Directory, tmp_path: Path) -> None:
    (tmp_path / "ldap.secret").write_text(directory.password + "\n")
    settings = directory.settings(secret="", secret_file="ldap.secret")
    assert LdapAuthenticator("institute", settings, tmp_path).authenticate("ann", directory.password)
    with pytest.raises(FileNotFoundError):
        LdapAuthenticator("institute", settings, tmp_path / "elsewhere")


def test_passwords_go_by_tls_to_who_has_the_certificate(directory: Directory, tmp_path: Path) -> None:
    secure = f"ldaps://localhost:{directory.tls_port}"
    assert ask(directory, url=secure).name == "ann"
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes((directory.folder / "server.pem").read_bytes())
    for address in (secure, f"ldap://localhost:{directory.port}"):
        before = directory.binds()
        for wrong in (
            {"url": address.replace("localhost", "127.0.0.1")},  # not the certificate's name
            {"url": address, "ca_file": None},  # nobody whom this machine trusts
        ):
            with pytest.raises(UnavailableError, match="does not answer"):
                ask(directory, **wrong)
        assert directory.binds() == before


def test_no_secret_is_told(directory: Directory) -> None:
    for settings in ({"secret": "wrong-secret"}, {"url": "ldap://localhost:1", "secret": "wrong-secret"}):
        with pytest.raises(UnavailableError) as caught:
            ask(directory, password="typed-secret", **settings)
        assert "secret-" not in repr(caught.value.to_json())
        assert "-secret" not in repr(caught.value.to_json())
    assert "horse" not in repr(directory.settings())


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ldap://ldap.example.org", "start_tls": False},
        {"user_base": ""},
        {"user_filter": "(uid=ann)"},
        {"user_dn": f"uid=ann,{PEOPLE}"},
        {"url": "https://ldap.example.org"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    good: dict[str, Any] = {"kind": "ldap", "url": "ldaps://ldap.example.org", "user_base": BASE}
    assert LdapSettings.model_validate(good)
    with pytest.raises(ValidationError):
        LdapSettings.model_validate(good | settings)
