#!/usr/bin/env bash
# The native tests of the ring, of the sampler, of budgets, of the actuator and of the log's committer under TSan. Arguments go to ctest: tsan.sh -R waiters
set -euo pipefail
cd "$(dirname "$0")/../.."
build=.cache/native-tsan
mkdir -p "$build"
# As node-gyp understands it: a number, or max.
jobs=${JOBS:-max}
if [ "$jobs" = max ]; then jobs=$(nproc); fi
if ! {
  cmake -S . -B "$build" -D CMAKE_BUILD_TYPE=RelWithDebInfo -D EPISCOPE_SANITIZE=thread &&
    cmake --build "$build" --parallel "$jobs"
} >"$build/build.log" 2>&1; then
  tail -n 60 "$build/build.log" >&2
  exit 1
fi
# Older releases of the runtime do not know the address space layouts of newer kernels.
run=()
if setarch -R true 2>/dev/null; then run=(setarch -R); fi
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
if [ $# -eq 0 ]; then set -- -R '^(ring|sampler|sampled|pacer|tripwires|budget|action|actuator|log_committer)_'; fi
(cd "$build" && "${run[@]}" ctest --output-on-failure "$@")
echo 'native tests: passed under TSan'
