#!/usr/bin/env bash
# Formats nothing, changes nothing: reports. Run by infra/test.sh; by hand before a commit.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/infra/tools.sh"
cd "$root"

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
  printf 'gofmt would change:\n%s\n' "$unformatted"
  exit 1
fi
lint=$(golangci_lint)
"$lint" run ./...
say "linters: nothing found"
