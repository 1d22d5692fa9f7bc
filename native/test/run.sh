#!/usr/bin/env bash
# The native tests under ASan and UBSan. Arguments go to ctest: run.sh -R ledger
set -euo pipefail
cd "$(dirname "$0")/../.."
build=.cache/native-tests
mkdir -p "$build"
# As node-gyp understands it: a number, or max.
jobs=${JOBS:-max}
if [ "$jobs" = max ]; then jobs=$(nproc); fi
if ! {
  cmake -S . -B "$build" -D CMAKE_BUILD_TYPE=Debug -D EPISCOPE_SANITIZE=address,undefined &&
    cmake --build "$build" --parallel "$jobs"
} >"$build/build.log" 2>&1; then
  tail -n 60 "$build/build.log" >&2
  exit 1
fi
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
(cd "$build" && ctest --output-on-failure "$@")
echo 'native tests: passed under ASan and UBSan'
