#!/bin/bash
# select-modules.sh PACKAGES VERSION ROOT "EARLY…" "MODULES…"
# Copies the kernel modules that a profile names, and what they depend on, and the firmware files that they ask for. Prints those that none of the packages has.
set -euo pipefail
export LC_ALL=C
packages=$1 version=$2 root=$3 early=$4 wanted=$5
from=$packages/lib/modules/$version to=$root/lib/modules/$version
depmod -b "$packages" "$version"

# Names → paths. A folder gives all below it; a file or a bare name gives one.
for name in $early $wanted; do
  case $name in
    */) (cd "$from" && find "$name" -name '*.ko' 2>/dev/null) ;;
    kernel/*) echo "$name" ;;
    *) found=$(cd "$from" && find kernel -name "$name.ko" -o -name "${name//_/-}.ko" -o -name "${name//-/_}.ko" | head -1); echo "${found:--$name}" ;;
  esac
done | sort -u > "$root/.wanted"

# Absent from this kernel: built in, or the profile names what is not there. Only the second is an error.
sed -n 's/^-//p' "$root/.wanted" | while read -r name; do
  grep -qE "/${name//[-_]/[-_]}\.ko$" "$from/modules.builtin" || { echo "no kernel module $name" >&2; exit 1; }
done

mkdir -p "$to"
grep -v '^-' "$root/.wanted" | awk 'NR == FNR { sub(/:/, "", $1); line[$1] = $0; next } { $0 = line[$1] != "" ? line[$1] : $1; for (i = 1; i <= NF; i++) { sub(/:$/, "", $i); print $i } }' \
  "$from/modules.dep" - | sort -u | while read -r file; do
    mkdir -p "$to/$(dirname "$file")"; cp "$from/$file" "$to/$file"
  done
rm "$root/.wanted"
cp "$from"/modules.{builtin,builtin.modinfo,order} "$to/"
depmod -b "$root" "$version"
# busybox's modprobe reads the text indexes alone.
rm -f "$to"/modules.{builtin.modinfo,order,*.bin,devname,softdep,builtin.alias}

for name in $early; do (cd "$to" && find kernel -name "$name.ko"); done > "$to/modules.early"

find "$to" -name '*.ko' -exec modinfo -F firmware {} + | sort -u | while read -r file; do
  [[ $file != *..* ]] || continue
  # A name with a wildcard is for the kernel's own book-keeping: the driver asks by the revision that it finds.
  [[ -f $packages/lib/firmware/$file ]] || { [[ $file == *\** ]] || echo "$file"; continue; }
  mkdir -p "$root/lib/firmware/$(dirname "$file")"; cp -L "$packages/lib/firmware/$file" "$root/lib/firmware/$file"
done
