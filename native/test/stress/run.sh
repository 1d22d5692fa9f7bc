#!/usr/bin/env bash
# The stress of the ring, against the built package (npm run build): run.sh [FRAMES]. The same readers behind a writer
# that forgets the odd stamp must fail, or the harness sees nothing. Ends with the line that ctest would print.
set -euo pipefail
cd "$(dirname "$0")/../../.."
frames=${1:-10000000}
log=.cache/stress.log
mkdir -p .cache
if ! npx node-gyp rebuild -C native/test/stress >"$log" 2>&1; then
  tail -n 60 "$log" >&2
  exit 1
fi

failed=0
if figures=$(node test/ring/stress.mjs "$frames"); then
  echo "ok   whole frames, in order, returned + missed = written: $figures"
else
  echo "FAIL whole frames, in order, returned + missed = written: $figures"
  failed=$((failed + 1))
fi
# 1 is the harness' own verdict; anything else is a harness that broke.
status=0
figures=$(node test/ring/stress.mjs 2000000 --tearing) || status=$?
if [[ $status -eq 1 && $figures =~ \"torn\":[1-9] ]]; then
  echo "ok   a writer without the odd stamp is found: $figures"
else
  echo "FAIL a writer without the odd stamp is found: $figures"
  failed=$((failed + 1))
fi
printf '\n%d%% tests passed, %d tests failed out of 2\n' $((100 * (2 - failed) / 2)) "$failed"
[[ $failed -eq 0 ]]
