#!/usr/bin/env bash
# Runs the guest tests against a real cgroup v2, in a small virtual machine under software emulation: no
# privileges, no network, no KVM. Kernel, initrd and images are kept in .cache/vm.
#
#   npm run test:vm [-- NAME…]     all of test/vm/guest/*.test.mjs, or those whose name holds one of NAME
#
# EPISCOPE_VM_TIMEOUT  seconds until the guest is given up (900)
# EPISCOPE_VM_REBUILD  1: unpack the kernel anew
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=$project/.cache/vm
limit=${EPISCOPE_VM_TIMEOUT:-900}
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk)
job=

say() { printf 'vm: %s (%d s)\n' "$*" "$SECONDS"; }
die() {
  printf 'vm: %s\n' "$*" >&2
  exit 1
}

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
    mke2fs=e2fsprogs cc=build-essential dpkg=dpkg apt-get=apt timeout=coreutils; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  # The dynamic busybox of the other package has no libraries in the initrd.
  if command -v busybox >/dev/null && ldd "$(command -v busybox)" >/dev/null 2>&1; then
    missing+=(busybox-static)
  fi
  [[ ${#missing[@]} -eq 0 ]] || die "missing tools: apt-get install ${missing[*]}"
}

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

# Unpacked, never installed: the kernel of this distribution's cloud image, some 30 MB.
unpack_kernel() {
  local package work
  if [[ -f $cache/kernel.stamp && ${EPISCOPE_VM_REBUILD:-0} != 1 ]]; then
    say "kernel $(<"$cache/kernel.stamp") from the cache"
    return
  fi
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p' | head -n 1)
  [[ -n $package ]] || die 'no package linux-image-cloud-amd64: apt-get update'
  work=$cache/kernel.new
  rm -rf "$work" && mkdir -p "$work/tree"
  # As root apt would drop to a user who may not write here, and say so at length.
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package") ||
    die "cannot download $package: apt-get update"
  dpkg -x "$work"/*.deb "$work/tree"
  rm -rf "$cache/kernel" "$work"/*.deb
  mv "$work/tree" "$cache/kernel" && rmdir "$work"
  cp "$cache"/kernel/boot/vmlinuz-* "$cache/vmlinuz"
  rm -f "$cache/initrd.gz"
  echo "$package" >"$cache/kernel.stamp"
  say "kernel unpacked: $package"
}

build_initrd() {
  local tree=$cache/initrd name file
  [[ ! $cache/initrd.gz -nt $here/initrd.sh ]] || return 0
  rm -rf "$tree" && mkdir -p "$tree"/{bin,dev,proc,new,modules}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  for name in "${modules[@]}"; do
    file=$(find "$cache/kernel/lib/modules" "$cache/kernel/usr/lib/modules" \
      -name "$name.ko*" -print -quit 2>/dev/null || true)
    case $file in
      *.ko) cp "$file" "$tree/modules/$name.ko" ;;
      *.ko.xz) xz -dc "$file" >"$tree/modules/$name.ko" ;;
      # Built into this kernel, or split otherwise: the guest says so where it then has no disk.
      *) ;;
    esac
  done
  cp "$here/initrd.sh" "$tree/init"
  chmod 755 "$tree/init"
  (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$cache/initrd.gz"
}

# Copies a program and the shared libraries it is linked with, each to the path it has here.
copy_with_libraries() {
  local tree=$1 program=$2 library
  # A static program has none.
  { ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r library; do
    mkdir -p "$tree$(dirname "$library")"
    cp -uL "$library" "$tree$library"
  done
}

build_root() {
  local tree=$cache/root node applet package megabytes addon program
  node=$(node -p process.execPath)
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,sbin,dev,proc,sys,tmp,data,etc,root,usr/bin,episcope/build/Release,episcope/test}
  chmod 1777 "$tree/tmp"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for applet in sh mount umount sed cat echo ls sleep hostname poweroff true false kill dd taskset; do
    ln -s /bin/busybox "$tree/bin/$applet"
  done
  cp "$here/init.sh" "$tree/sbin/init"
  chmod 755 "$tree/sbin/init"
  echo 'root:x:0:0::/root:/bin/sh' >"$tree/etc/passwd"
  cp "$node" "$tree/usr/bin/node"
  copy_with_libraries "$tree" "$node"

  cp -r "$project"/{package.json,dist} "$tree/episcope/"
  find "$project/build/Release" -maxdepth 1 -type f -perm -u+x \
    -exec cp -t "$tree/episcope/build/Release" {} +
  for addon in "$tree"/episcope/build/Release/*; do copy_with_libraries "$tree" "$addon"; done
  (cd "$project" && npm ls --loglevel=error --omit=dev --all --parseable | tail -n +2) | while read -r package; do
    mkdir -p "$tree/episcope/${package#"$project/"}"
    cp -rT "$package" "$tree/episcope/${package#"$project/"}"
  done
  mkdir -p "$tree/episcope/test/vm"
  cp -r "$here/guest" "$tree/episcope/test/vm/"
  cp -r "$project/.cache/workloads" "$tree/workloads"
  for program in "$tree"/workloads/*; do copy_with_libraries "$tree" "$program"; done
  # One test reads as nobody.
  chmod -R a+rX "$tree/episcope" "$tree/workloads"

  megabytes=$(($(du -sm "$tree" | cut -f 1) * 11 / 10 + 64))
  rm -f "$cache"/{root,data}.img
  truncate -s "${megabytes}M" "$cache/root.img"
  truncate -s 256M "$cache/data.img"
  mke2fs -q -t ext4 -E root_owner=0:0 -d "$tree" "$cache/root.img"
  # The inode tables are written now: a kernel thread that does it later would write during the tests.
  mke2fs -q -t ext4 -b 4096 -E root_owner=0:0,lazy_itable_init=0 "$cache/data.img"
  rm -rf "$tree"
  say "image $megabytes MB"
}

run_machine() {
  local drive=if=virtio,format=raw,snapshot=on
  set -m
  {
    timeout --foreground --kill-after=5 "$limit" \
      qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1G \
      -kernel "$cache/vmlinuz" -initrd "$cache/initrd.gz" \
      -append "console=ttyS0 panic=-1 quiet loglevel=3 episcope.only=$only" \
      -drive "file=$cache/root.img,$drive" -drive "file=$cache/data.img,$drive" \
      -nic none -display none -serial stdio -monitor none -no-reboot </dev/null 2>&1 | stream_console
    exit "${PIPESTATUS[0]}"
  } &
  job=$!
  set +m
  machine_status=0
  wait "$job" || machine_status=$?
  job=
}

stream_console() {
  local line
  : >"$cache/console.log"
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    printf '%s\n' "$line" >>"$cache/console.log"
    case $line in
      'episcope-vm: booted') say booted ;;
      'episcope-vm: '* | *'reboot: Power down') ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

marker() { sed -n "s/^episcope-vm: $1//p" "$cache/console.log" | tail -n 1; }

judge() {
  local code counts passed failed
  code=$(marker 'exit ')
  counts=$(marker 'counts ')
  if [[ $machine_status -eq 124 || $machine_status -eq 137 ]]; then
    die "given up after $limit s; the console is in .cache/vm/console.log"
  fi
  [[ -n $code && -n $counts ]] ||
    die "no result from the guest (qemu: $machine_status); the console is in .cache/vm/console.log"
  read -r passed failed <<<"$counts"
  printf '{"passed":%d,"failed":%d,"seconds":%d}\n' "$passed" "$failed" "$SECONDS" >"$cache/result.json"
  say "$passed passed, $failed failed"
  [[ $code == 0 && $failed == 0 && $passed -gt 0 ]]
}

only=$(IFS=,; echo "$*")
check_tools
mkdir -p "$cache"
rm -f "$cache/result.json"
build_project
unpack_kernel
build_initrd
build_root
run_machine
judge
