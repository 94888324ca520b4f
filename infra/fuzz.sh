#!/usr/bin/env bash
# Runs every fuzz target for a while each: ./infra/fuzz.sh 60s. Findings are kept in the package's testdata/fuzz.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
time=${1:-60s}
go list -f '{{if .TestGoFiles}}{{.ImportPath}}{{else if .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r package; do
  go test -list '^Fuzz' "$package" | { grep '^Fuzz' || true; } | while read -r target; do
    printf '== %s %s for %s\n' "$package" "$target" "$time"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
  done
done
