#!/usr/bin/env bash
# Installs what the mesh needs and the machine lacks: PostgreSQL's server programs,
# certificates for downloads, make. Says what to do where it may not.
set -euo pipefail

has_postgres() {
  command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
    compgen -G '/usr/pgsql-*/bin/postgres' >/dev/null
}

missing=()
has_postgres || missing+=(postgresql)
command -v make >/dev/null || missing+=(make)
[[ -e /etc/ssl/certs/ca-certificates.crt || -e /etc/pki/tls/certs/ca-bundle.crt ]] || missing+=(ca-certificates)

for tool in go git node npm; do
  command -v "$tool" >/dev/null || {
    echo "quietline needs $tool, which is not installed (see README.md for versions)." >&2
    exit 1
  }
done
((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
  echo "Please install: ${missing[*]} (this machine has no apt-get, so we cannot)." >&2
  exit 1
fi
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
    echo "Please run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]} ..."

# Debian's package makes a cluster of its own and runs it on port 5432. The mesh has
# its own one and nobody asked for a second, so tell the package before it is there.
conf=/etc/postgresql-common/createcluster.conf
if [[ ! -e $conf && " ${missing[*]} " == *" postgresql "* ]]; then
  "${as_root[@]}" mkdir -p "$(dirname "$conf")"
  echo 'create_main_cluster = false' | "${as_root[@]}" tee "$conf" >/dev/null
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
has_postgres || {
  echo "PostgreSQL was installed, but its server programs are not where they should be (/usr/lib/postgresql/*/bin)." >&2
  exit 1
}
