#!/usr/bin/env bash
# Builds the workloads into .cache/workloads, static where the C library can be linked so: what a program costs before
# its main() is smaller then. A binary that is newer than its source is kept.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../.." && pwd)/.cache/workloads
mkdir -p "$out"

for source in "$here"/*.c; do
  binary=$out/$(basename "$source" .c)
  if [[ ! -x $binary || $source -nt $binary ]]; then
    flags=(-std=gnu17 -O2 -Wall -Wextra -Werror -o "$binary" "$source")
    "${CC:-cc}" -static "${flags[@]}" 2>/dev/null || "${CC:-cc}" "${flags[@]}"
  fi
done
echo "$out"
