#!/usr/bin/env bash
# Install the programs that the tests and the benchmarks drive: STILTS (the VO's validator, with a Java runtime),
# Chromium, PostgreSQL with q3c and pgSphere, Node.js (an OpenID provider), slapd (an LDAP directory), nginx (a proxy
# with TLS), curl.
# What is missing and cannot be installed here is named; the tests that need it then skip and say so.
set -euo pipefail

declare -A package=([stilts]=stilts [chromium]=chromium [java]=default-jre-headless [node]=nodejs [npm]=npm \
    [curl]=curl)
missing=()
for command in "${!package[@]}"; do
    command -v "$command" >/dev/null || missing+=("${package[$command]}")
done
[ -x /usr/sbin/slapd ] || missing+=(slapd)
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing+=(postgresql-15)
extensions=/usr/share/postgresql/15/extension # peers of the benchmarks
[ -e $extensions/q3c.control ] || missing+=(postgresql-15-q3c)
[ -e $extensions/pg_sphere.control ] || missing+=(postgresql-15-pgsphere)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
[ -e "/usr/lib/$(uname -m)-linux-gnu/libatomic.so.1" ] || missing+=(libatomic1) # what drives Chromium needs it
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "not here, so some tests will skip: ${missing[*]}" >&2
elif [ "$(id -u)" = 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
else
    echo "not here, so some tests will skip; install with: sudo apt-get install ${missing[*]}" >&2
fi
