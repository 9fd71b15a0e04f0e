#!/bin/bash
# Builds the root file systems of the Debian node image, one to boot from memory (root) and one, with more in it, to write to disks (disk): build-debian.sh OUTPUT CACHE [root [disk]]
# Debian packages and nothing of ours: the agent, its units and the kernel's modules come with the initramfs that boots it (node/grid-root), so that they always are of one version, and this need
# be built anew only when Debian's packages are to be. Packages come from this machine's own Debian sources and are kept in the cache. The same packages give the same bytes.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600}   # 2026-01-01, as the tiny image
umask 022

output=$(realpath -m "$1") cache=$(realpath -m "$2")
systems=("${@:3}"); (( ${#systems[@]} )) || systems=(root disk)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=bookworm
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
archives=$cache/debian-archives
mkdir -p "$archives"
say() { echo "image debian: $*"; }

"$here/debian-sources.sh" $suite > "$work/sources.list"
# What a file of package names names.
named() { grep -hv '^#' "$@" | paste -sd,; }

# root NAME PACKAGES HOOK: NAME.squashfs, and NAME.status, which is dpkg's list of what is in it.
# Packages are kept over a build: what is there and is what the catalogue says is not fetched again. Documentation and translations stay out; so does what differs from build to build,
# and what must differ from node to node (a munge key or an SSH host key that every copy of this image had would be no secret). Of GRUB stays what a disk is made bootable with.
root() {
  say "making the root file system $1 from Debian $suite"
  mmdebstrap --quiet --variant=minbase --format=tar --include="$2" --skip=essential/unlink \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/lib/grub/x86_64-efi/*' --dpkgopt='path-exclude=/usr/lib/grub/x86_64-efi-signed/grubnet*' --dpkgopt='path-exclude=/usr/lib/grub/x86_64-efi-signed/gcd*' \
    --dpkgopt='path-exclude=/usr/share/grub/*' --dpkgopt='path-exclude=/usr/bin/grub-*' --dpkgopt='path-include=/usr/bin/grub-mkimage' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Sandbox::User "root"' \
    --setup-hook="mkdir -p \"\$1/var/cache/apt/archives\"" --setup-hook="sync-in $archives /var/cache/apt/archives" \
    --customize-hook="sync-out /var/cache/apt/archives $archives" \
    --customize-hook="copy-out /var/lib/dpkg/status $work" \
    --customize-hook='rm -rf "$1"/etc/munge/munge.key "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/var/cache/ldconfig/aux-cache "$1"/var/lib/systemd/random-seed "$1"/var/log/*.log "$1"/var/log/apt "$1"/usr/share/perl/*/pod' \
    --customize-hook=': > "$1/etc/machine-id"; ln -sf /proc/self/mounts "$1/etc/mtab"; mkdir -p "$1/var/lib/grid"' \
    --customize-hook="$3" \
    "$suite" "$work/$1.tar" "$work/sources.list" \
    || { say "nothing was made: the lines above say why; the packages come from $(cut -d']' -f2 "$work/sources.list" | awk '{ print $1 }' | sort -u | paste -sd' '), and what was in $output is still there"; exit 1; }
  mv "$work/status" "$work/$1.status"
  say "packing $1"
  mksquashfs - "$work/$1.squashfs" -tar -quiet -no-progress -comp zstd -Xcompression-level "${PACK_LEVEL:-15}" -reproducible < "$work/$1.tar"
  rm "$work/$1.tar"
}
root root "$(named "$here/debian/packages")" true
# A system that starts by itself starts no engine: modules do.
[[ " ${systems[*]} " != *" disk "* ]] || root disk "$(named "$here/debian/packages" "$here/debian/packages-disk")" 'systemctl --quiet --root "$1" disable munge slurmctld slurmd slurmrestd'

{
  printf '{\n  "name": "debian",\n  "suite": "%s",\n  ' "$suite"
  for name in "${systems[@]}"; do
    printf '"%s": { "file": "%s.squashfs", "sha256": "%s", "size": %s },\n  ' "$name" "$name" "$(sha256sum < "$work/$name.squashfs" | cut -d' ' -f1)" "$(stat -c %s "$work/$name.squashfs")"
  done
  printf '"inputs": ['
  separator=
  awk '/^Package:/ { p = $2 } /^Version:/ { v = $2 } /^Architecture:/ { a = $2 } /^$/ { print p, v, a }' "$work/${systems[-1]}.status" | sort | while read -r package version architecture; do
    # As apt names what it keeps: an epoch's colon is written as %3a.
    kept=$archives/${package}_${version//:/%3a}_$architecture.deb
    printf '%s\n    { "package": "%s", "version": "%s", "sha256": "%s" }' "$separator" "$package" "$version" "$([[ ! -f $kept ]] || sha256sum < "$kept" | cut -d' ' -f1)"; separator=,
  done
  printf '\n  ],\n  "tools": [\n    { "tool": "mmdebstrap", "version": "%s" },\n    { "tool": "mksquashfs", "version": "%s" }\n  ]\n}\n' \
    "$(mmdebstrap --version | grep -oE '[0-9]+(\.[0-9]+)+')" "$(mksquashfs -version | sed -n '1s/.* \([0-9][0-9.]*\) .*/\1/p')"
} > "$work/manifest.json"

# The manifest goes last: an image folder with a manifest is whole.
mkdir -p "$output"; rm -f "$output/manifest.json"
for name in "${systems[@]/%/.squashfs}" manifest.json; do chmod 644 "$work/$name"; cp "$work/$name" "$output/.$name.new"; mv "$output/.$name.new" "$output/$name"; done
# One that was not made is not of these packages.
[[ -f $work/disk.squashfs ]] || rm -f "$output/disk.squashfs"
for name in "${systems[@]}"; do say "$(stat -c %s "$output/$name.squashfs") bytes in $output/$name.squashfs"; done
