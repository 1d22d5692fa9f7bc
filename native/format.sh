#!/usr/bin/env bash
# Formats the C++ sources, or with --check fails where they are not formatted.
set -euo pipefail
cd "$(dirname "$0")"
formatter=$(command -v clang-format || command -v clang-format-14 || true)
if [ -z "$formatter" ]; then
  echo "clang-format is not installed: apt-get install clang-format" >&2
  exit 1
fi
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
# schema.h is written by `npm run schema`.
find . ! -path ./core/schema.h \( -name '*.cc' -o -name '*.h' -o -name '*.c' \) | sort | xargs "$formatter" "${mode[@]}"
