#!/usr/bin/env bash
# Functions that install what the tests and linters need: Debian packages, Go programs, npm packages, all pinned.
# Sourced by infra/test.sh and infra/lint.sh. Built programs go to a cache outside the tree, found again by version.
set -euo pipefail

# shellcheck source=versions.env
source "$root/infra/versions.env"
tools="${XDG_CACHE_HOME:-$HOME/.cache}/noorderhub/tools"
mkdir -p "$tools"

say() { printf '== %s\n' "$*"; }

# debian PROGRAM PACKAGE... installs the packages unless the program is there. Services among them are not started: the
# tests run their own, and ports and memory stay free.
debian() {
  local program=$1
  shift
  [ -x "$program" ] || command -v "$program" >/dev/null 2>&1 && return 0
  say "installing $*"
  local sudo= policy=/usr/sbin/policy-rc.d ours=
  [ "$(id -u)" = 0 ] || sudo=sudo
  if [ ! -e "$policy" ]; then
    ours=$policy
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
  fi
  local result=0
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || result=$?
  [ -z "$ours" ] || $sudo rm -f "$ours"
  return "$result"
}

golangci_lint() {
  local program="$tools/golangci-lint-$GOLANGCI_LINT_VERSION"
  if [ ! -x "$program" ]; then
    say "building golangci-lint $GOLANGCI_LINT_VERSION, once" >&2
    local into
    into=$(mktemp -d)
    GOBIN=$into GOFLAGS= go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$GOLANGCI_LINT_VERSION"
    mv "$into/golangci-lint" "$program"
  fi
  echo "$program"
}

consul_server() {
  local program="$tools/consul-$CONSUL_VERSION"
  if [ ! -x "$program" ]; then
    say "building the Consul server $CONSUL_VERSION, once: about four minutes" >&2
    (cd "$root/infra/consul" && go build -o "$program.new" github.com/hashicorp/consul)
    mv "$program.new" "$program"
  fi
  echo "$program"
}

node_runtime() {
  if ! command -v node >/dev/null 2>&1 || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$NODE_MAJOR" ]; then
    debian /nonexistent nodejs npm
  fi
}
