#!/bin/bash
# verify-image.sh PROFILE CACHE: builds the image from two copies of the tree in differently named folders, and compares every byte.
set -euo pipefail
profile=$1 cache=$(realpath -m "$2")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

for copy in one another/and-deeper; do
  mkdir -p "$work/$copy"
  (cd "$repository" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - --ignore-failed-read) | tar -xf - -C "$work/$copy"
  "$work/$copy/firmware-images/build-image.sh" "$profile" "$work/$copy/out" "$cache"
done
if diff -r "$work/one/out" "$work/another/and-deeper/out"; then
  echo "image $profile: two builds in two places, the same bytes:"; (cd "$work/one/out" && sha256sum -- *)
else
  echo "image $profile: NOT reproducible" >&2; exit 1
fi
