#!/usr/bin/env bash
# As root: makes an ext4 image of a small distribution whose pid 1 is systemd. It holds nothing of ours: what the tests
# need is put into it where it is booted (init-systemd.sh), so that it stays good for as long as its packages do.
#
#   systemd-image.sh IMAGE SUITE PACKAGE,… [MIRROR]
set -euo pipefail

image=$1 suite=$2 packages=$3 mirror=${4:-}
tree=$image.tree

# A /proc that debootstrap may have left mounted there is not ours to empty.
clean_up() { rm -rf --one-file-system "$tree" "$image.new"; }
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

clean_up
mkdir -m 755 "$tree"
debootstrap --variant=minbase --include="$packages" "$suite" "$tree" ${mirror:+"$mirror"} >"$image.log" 2>&1 || {
  tail -n 5 "$image.log" >&2
  exit 1
}
rm -rf "$tree"/var/{cache/apt,lib/apt/lists,log}/* "$tree"/usr/share/{doc,info,locale,man}/*

truncate -s "$(($(du -sm "$tree" | cut -f 1) * 11 / 10 + 128))M" "$image.new"
mke2fs -q -t ext4 -E lazy_itable_init=0 -d "$tree" "$image.new"
# It belongs to whom the folder belongs to, not to who made it.
chown --reference="$(dirname "$image")" "$image.new" "$image.log"
mv "$image.new" "$image"
