#!/usr/bin/env bash
# Builds the workloads into .cache/workloads, static where the C library can be linked so: what a program costs before
# its main() is smaller then; and what is preloaded into others, as libraries. What is newer than its source is kept.
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

for source in "$here"/preload/*.c; do
  library=$out/$(basename "$source" .c).so
  if [[ ! -e $library || $source -nt $library ]]; then
    "${CC:-cc}" -std=gnu17 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$library" "$source" -ldl
  fi
done
echo "$out"
