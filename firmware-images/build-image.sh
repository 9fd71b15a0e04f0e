#!/bin/bash
# Builds a node image from Debian packages and this repository: build-image.sh PROFILE OUTPUT CACHE
# Nothing is installed on this machine, and root is not needed. The same inputs give the same bytes, wherever the checkout lies.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

profile=$1 output=$(realpath -m "$2") cache=$(realpath -m "$3")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
[[ $profile =~ ^[a-z]+$ && -f $here/profiles/$profile.conf ]] || { echo "no profile '$profile'" >&2; exit 2; }
# shellcheck source=/dev/null
source "$here/profiles/$profile.conf"

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
root=$work/root packages=$work/packages files=$work/files
mkdir -p "$root" "$packages" "$files" "$cache"
say() { echo "image $profile: $*"; }
# Lines → a JSON array; names of packages and files need no escapes.
strings() { local separator= line; printf '['; while read -r line; do printf '%s\n    "%s"' "$separator" "$line"; separator=,; done; printf ']'; }

say "fetching packages"
kernel=$("$here/fetch-packages.sh" "$cache" "" --depends "$kernel_package" | grep -m1 '^linux-image-')
debian=("$kernel" busybox-static ipxe libc6 libgcc-s1 libstdc++6 libssl3 open-iscsi libopeniscsiusr libkmod2 liblzma5 libzstd1)
"$here/fetch-packages.sh" "$cache" "$packages" "${debian[@]}" > "$work/inputs"
# One apt catalogue with the component for firmware is enough of an exception: it is asked for only where a profile needs it. Where the package source does not
# have that component, the image is made without, and the manifest says so.
[[ -z $firmware_packages ]] || FIRMWARE=1 OPTIONAL=1 "$here/fetch-packages.sh" "$cache" "$packages" $firmware_packages >> "$work/inputs"
sed -n 's/ - -$//p' "$work/inputs" | sort > "$work/missing"; sed -i '/ - -$/d' "$work/inputs"
[[ ! -s $work/missing ]] || say "this machine's package sources do not offer" $(< "$work/missing")": cards that need their firmware will not work"

say "publishing the agent"
"$here/publish-agent.sh" "$work/agent" "$cache" >> "$work/inputs"

say "composing the file system"
mkdir -p "$root"/{bin,dev,etc,lib/x86_64-linux-gnu,lib64,proc,root,run,sys,tmp,usr,var/lib/grid,var/log}
ln -s bin "$root/sbin"; ln -s ../bin "$root/usr/bin"; ln -s ../bin "$root/usr/sbin"; ln -s ../run "$root/var/run"
cp "$packages/bin/busybox" "$root/bin/busybox"
while read -r applet; do [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"; done < <("$root/bin/busybox" --list)
for library in libc.so.6 libm.so.6 libdl.so.2 librt.so.1 libpthread.so.0 libgcc_s.so.1 libstdc++.so.6 libssl.so.3 libcrypto.so.3 \
  libopeniscsiusr.so.0.2.0 libkmod.so.2 liblzma.so.5 libzstd.so.1; do
  found=$(find "$packages/lib" "$packages/usr/lib" -path '*x86_64-linux-gnu/'"$library" | head -1)
  [[ -n $found ]] || { echo "$library is in none of the packages" >&2; exit 1; }
  cp -L "$found" "$root/lib/x86_64-linux-gnu/$library"
done
cp -L "$packages/lib64/ld-linux-x86-64.so.2" "$root/lib64/"
cp "$work/agent/grid-agent" "$root/bin/grid-agent"
# The initiator, for machines whose root is on a LUN.
cp "$packages/sbin/iscsistart" "$root/bin/iscsistart"
cp "$here"/node/grid-* "$root/bin/"
cp "$here/node/init" "$root/init"
cp -r "$here/node/etc/." "$root/etc/"
# What is laid over another root file system when the node boots one (node/grid-root).
cp -r "$here/node-debian" "$root/debian"
# What is laid over it on a node's disk (the agent's DiskInstall).
cp -r "$here/node-disk" "$root/disk"
chmod 755 "$root"/bin/* "$root/init" "$root"/lib*/*.so* "$root"/lib/x86_64-linux-gnu/*

# What the agent links to must be there: a missing library is found here and not on a server's console.
for needed in $(for f in "$root"/bin/{grid-agent,iscsistart} "$root"/lib/x86_64-linux-gnu/*; do readelf -d "$f"; done | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u); do
  [[ -e $root/lib/x86_64-linux-gnu/$needed || -e $root/lib64/$needed ]] || { echo "a program in the image needs $needed" >&2; exit 1; }
done

version=$(basename "$packages"/lib/modules/*)
"$here/select-modules.sh" "$packages" "$version" "$root" "$early_modules" "$modules" > "$work/absent"

say "packing"
"$here/write-cpio.sh" "$root" > "$work/initramfs.cpio"
zstd -q "-${PACK_LEVEL:-$pack_level}" --single-thread "$work/initramfs.cpio" -o "$files/initramfs.zst"
cp "$packages"/boot/vmlinuz-* "$files/vmlinuz"
# In the package, ipxe.efi in usr/lib is an absolute link into boot: followed from here it would be this machine's file.
cp "$packages"/usr/lib/ipxe/{undionly.kpxe,snponly.efi} "$packages"/boot/ipxe.efi "$files/"

{
  printf '{\n  "profile": "%s",\n  "kernelVersion": "%s",\n  "kernel": "vmlinuz",\n  "initramfs": "initramfs.zst",\n  "commandLine": "%s",\n  "files": [' "$profile" "$version" "$command_line"
  separator=
  for name in vmlinuz initramfs.zst undionly.kpxe snponly.efi ipxe.efi; do
    printf '%s\n    { "key": "%s", "file": "%s", "sha256": "%s", "size": %s }' "$separator" "$name" "$name" \
      "$(sha256sum < "$files/$name" | cut -d' ' -f1)" "$(stat -c %s "$files/$name")"; separator=,
  done
  printf '\n  ],\n  "inputs": ['; separator=
  while read -r package packageVersion sha256; do
    printf '%s\n    { "package": "%s", "version": "%s", "sha256": "%s" }' "$separator" "$package" "$packageVersion" "$sha256"; separator=,
  done < <(sort "$work/inputs")
  printf '\n  ],\n  "tools": [\n    { "tool": "zstd", "version": "%s" },\n    { "tool": "dotnet", "version": "%s" }\n  ],\n  "missingPackages": ' \
    "$(zstd --version | grep -oE '[0-9]+(\.[0-9]+)+' | head -1)" "$(cd "$repository" && "${DOTNET:-dotnet}" --version)"
  strings < "$work/missing"
  printf ',\n  "missingFirmware": '; strings < "$work/absent"
  printf '\n}\n'
} > "$files/manifest.json"
# For machines that have an operating system of their own: the daemon copies it there over SSH.
cp "$work/agent/grid-agent" "$files/grid-agent"
chmod 644 "$files"/*

# The manifest goes last: an image folder with a manifest is whole.
mkdir -p "$output"; rm -f "$output/manifest.json"
for name in vmlinuz initramfs.zst undionly.kpxe snponly.efi ipxe.efi grid-agent manifest.json; do
  cp "$files/$name" "$output/.$name.new"; mv "$output/.$name.new" "$output/$name"
done
say "kernel $(stat -c %s "$output/vmlinuz") + initramfs $(stat -c %s "$output/initramfs.zst") bytes (unpacked $(stat -c %s "$work/initramfs.cpio")) in $output"
