#!/usr/bin/env bash
# Runs the guest tests against a real cgroup v2, in small virtual machines under software emulation: no
# privileges, no network, no KVM. One has nothing but the tests (test/vm/guest), the pid 1 of the other is systemd
# (test/vm/systemd). Kernel, initrd and images are kept in .cache/vm.
#
#   npm run test:vm [-- NAME…]         all *.test.mjs, or those whose folder and name (guest/cpu.test.mjs) hold one of NAME
#   bash test/vm/run.sh --prepare      only fetches and makes what is kept; safe beside a build of the project
#
# The image with systemd is made by debootstrap: as root, once.
#
# EPISCOPE_VM_TIMEOUT  seconds until a guest is given up (1800)
# EPISCOPE_VM_REBUILD  1: unpack the kernel and the distribution anew
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=$project/.cache/vm
limit=${EPISCOPE_VM_TIMEOUT:-1800}
job=

say() { printf 'vm: %s (%d s)\n' "$*" "$SECONDS"; }
die() {
  printf 'vm: %s\n' "$*" >&2
  exit 1
}

# shellcheck source=test/vm/image.sh
source "$here/image.sh"

# The machine is a job with a process group of its own: a Ctrl-C reaches this script, and this ends it.
end_machine() {
  [[ -n $job ]] || return 0
  kill -TERM -- "-$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || true
}
trap end_machine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check_tools() {
  local missing=() pair
  [[ $(uname -sm) == 'Linux x86_64' ]] || die "the guest is x86_64 Linux, this host is $(uname -sm)"
  for pair in qemu-system-x86_64=qemu-system-x86 busybox=busybox-static cpio=cpio \
    mke2fs=e2fsprogs cc=build-essential dpkg=dpkg apt-get=apt timeout=coreutils flock=util-linux; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  # The dynamic busybox of the other package has no libraries in the initrd.
  if command -v busybox >/dev/null && ldd "$(command -v busybox)" >/dev/null 2>&1; then
    missing+=(busybox-static)
  fi
  [[ ${#missing[@]} -eq 0 ]] || die "missing tools: apt-get install ${missing[*]}"
}

# choose FOLDER [NAME…]: adds a folder's test files to `chosen`, all or those whose path from here holds one of NAME.
choose() {
  local folder=$1 file name
  shift
  for file in "$here/$folder"/*.test.mjs; do
    file=${file##*/}
    for name in "${@:-}"; do
      [[ $folder/$file == *"$name"* ]] || continue
      chosen+=("$folder/$file")
      break
    done
  done
}

is_chosen() { [[ " ${chosen[*]}" == *" $1/"* ]]; }

build_project() {
  local built=no
  if ! compgen -G "$project/build/Release/*.node" >/dev/null; then
    (cd "$project" && npm run --silent build:addon) >&2
    built=yes
  fi
  if [[ -z $(find "$project/dist/index.js" -newer "$project/package.json" 2>/dev/null) ]] ||
    [[ -n $(find "$project/src" -name '*.ts' -newer "$project/dist/index.js" -print -quit) ]]; then
    (cd "$project" && npm run --silent build:js) >&2
    built=yes
  fi
  bash "$project/test/workloads/build.sh" >/dev/null
  [[ $built == no ]] || say 'project built'
}

# What is kept. One at a time: a --prepare in the background may still be at it.
prepare() {
  local lock
  exec {lock}>"$cache/lock"
  flock -n "$lock" || {
    say 'waiting for another that prepares'
    flock "$lock"
  }
  unpack_kernel
  build_initrd
  if is_chosen systemd; then build_systemd_image; fi
  exec {lock}>&-
}

# run_guest FOLDER CONSOLE IMAGE…: boots the first image with the tests of a folder, the images as /dev/vda, vdb, …
# Under emulation the two cpus of a kernel now and then wait for each other for ever: seen once in some thirty runs. Such
# a kernel panics, which ends the machine, and is booted once more.
run_guest() {
  local console=$cache/$2
  boot "$@"
  if [[ $no_result == yes ]] && grep -q 'soft lockup' "$console"; then
    say "$1: the kernel of the guest hung (soft lockup); once more"
    boot "$@"
  fi
  [[ $no_result == no ]] || silent+=("$1")
}

boot() {
  local folder=$1 console=$cache/$2 image drives=() status=0
  shift 2
  for image in "$@"; do
    drives+=(-drive "file=$cache/$image,if=virtio,format=raw,snapshot=on")
  done
  set -m
  {
    timeout --foreground --kill-after=5 "$limit" \
      qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1G \
      -kernel "$cache/vmlinuz" -initrd "$cache/initrd.gz" \
      -append "console=ttyS0 panic=-1 softlockup_panic=1 watchdog_thresh=30 quiet loglevel=3 systemd.show_status=0 episcope.tests=$folder" \
      "${drives[@]}" -nic none -display none -serial stdio -monitor none -no-reboot \
      </dev/null 2>&1 | stream_console "$folder" "$console"
    exit "${PIPESTATUS[0]}"
  } &
  job=$!
  set +m
  wait "$job" || status=$?
  job=
  judge "$folder" "$console" "$status"
}

stream_console() {
  local folder=$1 console=$2 line
  : >"$console"
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    printf '%s\n' "$line" >>"$console"
    case $line in
      'episcope-vm: booted') say "$folder: booted" ;;
      'episcope-vm: '* | *'reboot: Power down') ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

# Adds up what a guest has told; no result of one is no result of all, but the others are run all the same.
judge() {
  local folder=$1 console=$2 status=$3 code counts guest_passed guest_failed
  code=$(sed -n 's/^episcope-vm: exit //p' "$console" | tail -n 1)
  counts=$(sed -n 's/^episcope-vm: counts //p' "$console" | tail -n 1)
  no_result=no
  if [[ -z $code || -z $counts || $status -eq 124 || $status -eq 137 ]]; then
    no_result=yes
    say "$folder: no result (qemu: $status; 124: given up after $limit s); the console is in $console" >&2
    return
  fi
  read -r guest_passed guest_failed <<<"$counts"
  passed=$((passed + guest_passed))
  failed=$((failed + guest_failed))
  [[ $code == 0 && $guest_passed -gt 0 ]] || good=no
  say "$folder: $guest_passed passed, $guest_failed failed"
}

chosen=()
silent=()
no_result=no
passed=0
failed=0
good=yes

check_tools
mkdir -p "$cache"
if [[ ${1:-} == --prepare ]]; then
  chosen=(guest/ systemd/)
  prepare
  exit
fi
rm -f "$cache/result.json"
choose guest "$@"
choose systemd "$@"
[[ ${#chosen[@]} -gt 0 ]] || die "no test file has one of these in its name: $*"
build_project
prepare
build_root "${chosen[@]}"
if is_chosen guest; then run_guest guest console.log root.img data.img; fi
if is_chosen systemd; then run_guest systemd systemd-console.log root.img data.img systemd.img; fi
[[ ${#silent[@]} -eq 0 ]] || die "no result from: ${silent[*]}"
printf '{"passed":%d,"failed":%d,"seconds":%d}\n' "$passed" "$failed" "$SECONDS" >"$cache/result.json"
say "$passed passed, $failed failed"
[[ $good == yes && $failed -eq 0 ]]
