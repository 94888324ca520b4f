#!/usr/bin/env bash
# Installs what the tests need and runs every test, against real PostgreSQL, Redis and Consul on loopback.
#   ./infra/test.sh          everything but the long runs: warm within 15 minutes, cold within 30
#   ./infra/test.sh --full   with the long fuzz runs
#   ./infra/test.sh --tools  installs only
# What it starts it stops; twice in a row it does the same.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/infra/tools.sh"
cd "$root"
full=${1:-}

debian "/usr/lib/postgresql/$POSTGRESQL_VERSION/bin/initdb" "postgresql-$POSTGRESQL_VERSION"
debian redis-server redis-server
debian /usr/sbin/haproxy haproxy
debian curl curl
debian openssl openssl
debian jq jq
debian python3 python3
debian /usr/lib/python3/dist-packages/cryptography python3-cryptography # signatures of webhooks, checked by others
debian /usr/bin/aiosmtpd python3-aiosmtpd # mail, received by a server of others
debian xxd xxd
debian gcc gcc libc6-dev # the race detector links with it
node_runtime
consul=$(consul_server)
export NOORDERHUB_TEST_CONSUL_BIN=$consul
[ "$full" != --tools ] || exit 0

scratch=$(mktemp -d)
chmod 755 "$scratch"
# shellcheck source=infra/stores.sh
source "$root/infra/stores.sh"
trap 'stop_stores; rm -rf "$scratch"' EXIT
start_postgres
start_redis
start_consul "$consul"

"$root/infra/lint.sh"

say "go vet and tests, with the race detector"
go vet ./...
go test -race -timeout 12m ./...

say "the design rules beside the official linter"
NOORDERHUB_TEST_SPECTRAL=$("$root/infra/spectral/install.sh") go test ./services/registry/internal/designrules/...

# Every part a process of its own, on stores of its own; after the tests, for they count calls per second.
go run ./infra/e2e story
go run ./infra/e2e gateway-chaos
go run ./infra/e2e registry-kill

if [ "$full" = --full ]; then
  "$root/infra/fuzz.sh" 60s
fi
say "all tests passed"
