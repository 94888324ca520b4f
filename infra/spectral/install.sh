#!/usr/bin/env bash
# Installs Spectral, pinned by package-lock.json, into the cache of infra/tools.sh and prints where its program is.
# No install scripts run; a half-done install is never found.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools="${XDG_CACHE_HOME:-$HOME/.cache}/noorderhub/tools"
into="$tools/spectral-$(sha256sum "$here/package-lock.json" | cut -c1-12)"
if [ ! -x "$into/node_modules/.bin/spectral" ]; then
  echo "== installing Spectral, once" >&2
  mkdir -p "$tools"
  new=$(mktemp -d "$tools/spectral-new-XXXXXX")
  cp "$here/package.json" "$here/package-lock.json" "$new"
  (cd "$new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  rm -rf "$into"
  mv "$new" "$into"
fi
echo "$into/node_modules/.bin/spectral"
