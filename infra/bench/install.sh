#!/usr/bin/env bash
# Installs what the benchmarks compare with and load with, where it is missing: wrk, nginx, HAProxy, Redis and OpenSSL of
# Debian. The services that come with the packages are not started: the benchmarks run their own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH="$PATH:/usr/sbin:/sbin"
# shellcheck source=../tools.sh
source "$root/infra/tools.sh"

# deny_start keeps packages from starting services (policy-rc.d, invoke-rc.d(8)) unless the machine has a policy already.
deny_start() {
  local policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || [ "$(id -u)" != 0 ] && return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

deny_start
for program in wrk nginx haproxy openssl; do
  debian "$program" "$program"
done
debian redis-server redis-server
