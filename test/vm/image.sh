# shellcheck shell=bash
# What the guests boot from; sourced by run.sh. All of it lies in .cache/vm:
#
#   vmlinuz, initrd.gz  of both guests; kept
#   root.img            busybox, node, the project, the workloads, the chosen tests; made for each run
#   data.img            an empty disk for io; made for each run
#   systemd.img         a distribution with systemd; kept
# shellcheck disable=SC2154 # here, project, cache: of run.sh

modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk)
# For block devices that stand on one another; the guest loads them itself.
stack_modules=(configfs dm-mod null_blk)
systemd_packages=systemd,systemd-sysv,dbus,udev,kmod,libpam-systemd,dbus-user-session

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

# copy_module NAME DIRECTORY: uncompressed.
copy_module() {
  local file
  file=$(find "$cache/kernel/lib/modules" "$cache/kernel/usr/lib/modules" \
    -name "$1.ko*" -print -quit 2>/dev/null || true)
  case $file in
    *.ko) cp "$file" "$2/$1.ko" ;;
    *.ko.xz) xz -dc "$file" >"$2/$1.ko" ;;
    # Built into this kernel, or split otherwise: the guest says so where it then has no disk.
    *) ;;
  esac
}

build_initrd() {
  local tree=$cache/initrd name
  [[ ! $cache/initrd.gz -nt $here/initrd.sh ]] || return 0
  rm -rf "$tree" && mkdir -p "$tree"/{bin,dev,proc,new,modules}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  for name in "${modules[@]}"; do copy_module "$name" "$tree/modules"; done
  cp "$here/initrd.sh" "$tree/init"
  chmod 755 "$tree/init"
  (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$cache/initrd.gz"
}

# This distribution's own suite, from the mirror that apt uses for it.
build_systemd_image() {
  local suite distribution mirror stamp root=()
  # shellcheck disable=SC1091
  suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC1091
  distribution=$(. /etc/os-release && echo "${ID^}")
  stamp="$suite $systemd_packages"
  if [[ -f $cache/systemd.img && $stamp == "$(cat "$cache/systemd.stamp" 2>/dev/null)" &&
    ${EPISCOPE_VM_REBUILD:-0} != 1 ]]; then
    say "systemd of $suite from the cache"
    return
  fi
  [[ -n $suite ]] || die 'no VERSION_CODENAME in /etc/os-release: no suite to make the systemd guest of'
  command -v debootstrap >/dev/null || die 'missing tools: apt-get install debootstrap'
  if [[ $(id -u) -ne 0 ]]; then
    root=(sudo -n env "PATH=$PATH" ${http_proxy:+"http_proxy=$http_proxy"})
    "${root[@]}" true 2>/dev/null ||
      die 'debootstrap needs root, or a sudo that asks for no password; once: bash test/vm/run.sh --prepare'
  fi
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 'Component: main' \
    "Codename: $suite" "Origin: $distribution" 2>/dev/null | grep -m 1 '^\(https\?\|file\):' || true)
  rm -f "$cache/systemd.stamp"
  "${root[@]}" bash "$here/systemd-image.sh" "$cache/systemd.img" "$suite" "$systemd_packages" \
    ${mirror:+"$mirror"} || die 'no image with systemd; all that was said is in .cache/vm/systemd.img.log'
  echo "$stamp" >"$cache/systemd.stamp"
  say "systemd of $suite unpacked: $(($(stat -c %s "$cache/systemd.img") >> 20)) MB"
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

# The root of the minimal guest. The one with systemd takes node, the project and the workloads from it.
# build_root FILE…: with these test files, as paths below test/vm.
build_root() {
  local tree=$cache/root node applet package megabytes addon program file name
  node=$(node -p process.execPath)
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,sbin,modules,dev,proc,sys,tmp,data,etc,root,debian,usr/bin,episcope/build/Release,episcope/test/vm}
  chmod 1777 "$tree/tmp"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for applet in sh mount umount sed cat echo ls sleep hostname poweroff true false kill dd taskset \
    mkdir touch ln find dirname chown pivot_root insmod; do
    ln -s /bin/busybox "$tree/bin/$applet"
  done
  for name in "${stack_modules[@]}"; do copy_module "$name" "$tree/modules"; done
  # Where this host has it: the test that needs it says so if not.
  if command -v dmsetup >/dev/null; then
    cp -L "$(command -v dmsetup)" "$tree/sbin/dmsetup"
    copy_with_libraries "$tree" "$tree/sbin/dmsetup"
  fi
  install -m 755 "$here/init.sh" "$tree/sbin/init"
  install -m 755 "$here/init-systemd.sh" "$tree/sbin/init-systemd"
  install -m 755 "$here/tests.sh" "$tree/sbin/episcope-tests"
  echo 'root:x:0:0::/root:/bin/sh' >"$tree/etc/passwd"
  cp "$node" "$tree/usr/bin/node"
  copy_with_libraries "$tree" "$node"

  cp -r "$project"/{package.json,dist} "$tree/episcope/"
  find "$project/build/Release" -maxdepth 1 -type f -perm -u+x \
    -exec cp -t "$tree/episcope/build/Release" {} +
  for addon in "$tree"/episcope/build/Release/*; do copy_with_libraries "$tree" "$addon"; done
  # With the optional ones.
  (cd "$project" && npm ls --loglevel=error --omit=dev --all --parseable | tail -n +2) | while read -r package; do
    mkdir -p "$tree/episcope/${package#"$project/"}"
    cp -rT "$package" "$tree/episcope/${package#"$project/"}"
  done
  cp -r "$here"/{guest,systemd} "$tree/episcope/test/vm/"
  rm -f "$tree"/episcope/test/vm/*/*.test.mjs
  for file in "$@"; do cp "$here/$file" "$tree/episcope/test/vm/$file"; done
  cp -r "$project/.cache/workloads" "$tree/workloads"
  for program in "$tree"/workloads/*; do copy_with_libraries "$tree" "$program"; done
  # Some tests read as a user without rights.
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
