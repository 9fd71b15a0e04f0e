#!/bin/bash
# write-cpio.sh ROOT > archive: a cpio archive ("newc") that depends on names, contents, link targets and the executable bit alone.
# cpio(1) would also tell inode and link counts of the file system that it happened to read from.
set -euo pipefail
export LC_ALL=C
root=$1
epoch=${SOURCE_DATE_EPOCH:-1767225600}   # 2026-01-01: the image has no date of its own
inode=0 offset=0

pad() { local rest=$(( (4 - offset % 4) % 4 )); if (( rest )); then head -c "$rest" /dev/zero; offset=$(( offset + rest )); fi; }

# entry NAME MODE SIZE
entry() {
  inode=$(( inode + 1 ))
  #       magic ino mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check
  printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
    "$inode" "$2" 0 0 1 "$epoch" "$3" 0 0 0 0 $(( ${#1} + 1 )) 0 "$1"
  offset=$(( offset + 110 + ${#1} + 1 )); pad
}

while IFS=$'\t' read -r -d '' name type size mode target; do
  case $type in
    d) entry "$name" $(( 8#40755 )) 0 ;;
    l) entry "$name" $(( 8#120777 )) ${#target}; printf %s "$target"; offset=$(( offset + ${#target} )); pad ;;
    f) if (( 8#$mode & 8#100 )); then bits=8#100755; else bits=8#100644; fi
       entry "$name" $(( bits )) "$size"; cat "$root/$name"; offset=$(( offset + size )); pad ;;
    *) echo "write-cpio: $name is neither file, folder nor link" >&2; exit 1 ;;
  esac
done < <(find "$root" -mindepth 1 -printf '%P\t%y\t%s\t%m\t%l\0' | sort -z)
entry 'TRAILER!!!' 0 0
