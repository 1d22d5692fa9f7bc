#!/usr/bin/env bash
# Builds the workloads, static (they run in a guest without libraries too), into .cache/workloads.
# A binary that is newer than its source is kept.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../.." && pwd)/.cache/workloads
mkdir -p "$out"

for source in "$here"/*.c; do
  binary=$out/$(basename "$source" .c)
  if [[ ! -x $binary || $source -nt $binary ]]; then
    "${CC:-cc}" -std=gnu17 -O2 -static -Wall -Wextra -Werror -o "$binary" "$source"
  fi
done
echo "$out"
