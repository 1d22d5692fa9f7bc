#!/usr/bin/env bash
# The proofs of the ring protocol: README.md. Installs nothing; artifacts go to .cache/model.
set -euo pipefail
cd "$(dirname "$0")/../.."
for pair in spin=spin cc=gcc c++=g++ make=make python3=python3; do
  if ! command -v "${pair%%=*}" >/dev/null; then
    echo "${pair%%=*} is not installed: apt-get install ${pair#*=}" >&2
    exit 1
  fi
done
exec node native/model/check.mjs
