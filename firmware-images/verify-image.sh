#!/bin/bash
# verify-image.sh PROFILE CACHE [--quick]
# Builds the image from two copies of the tree, in differently named folders and in surroundings that differ in whatever a build might let slip in: time zone,
# umask, language, home, host name and clock. Compares every byte. With --quick the agent, whose compilation takes most of the time, is made once, and the packer
# does not try as hard.
set -euo pipefail
profile=$1 cache=$(realpath -m "$2") quick=${3:-}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

copy() {
  mkdir -p "$1/cache"
  (cd "$repository" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - --ignore-failed-read) | tar -xf - -C "$1"
  # Packages are inputs and may be shared; what is made from them is not.
  ln -s "$cache/packages" "$cache/apt" "$1/cache/"
  [[ -z $quick ]] || { mkdir -p "$cache/agents"; ln -s "$cache/agents" "$1/cache/"; }
}
mkdir -p "$cache"/{packages,apt}
[[ -z $quick ]] || export PACK_LEVEL=1
copy "$work/one"; copy "$work/another/and-deeper"

"$work/one/firmware-images/build-image.sh" "$profile" "$work/one/out" "$work/one/cache"

mkdir "$work/home"; [[ ! -d $HOME/.nuget ]] || ln -s "$HOME/.nuget" "$work/home/"   # package sources and their cache
elsewhere=(env TZ=Pacific/Kiritimati LANG=C.UTF-8 LC_ALL=C.UTF-8 "HOME=$work/home" bash -c 'umask 077; exec "$@"' sh)
# Where they can be had: a host name and a clock of its own (the latter for what composes alone: a compiler wants to believe its package source's certificate).
[[ $(id -u) != 0 ]] || elsewhere=(unshare --uts bash -c 'hostname elsewhere; exec "$@"' sh "${elsewhere[@]}")
if [[ -n $quick && -x /usr/bin/faketime ]]; then elsewhere=(env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f +400d "${elsewhere[@]}"); fi
"${elsewhere[@]}" "$work/another/and-deeper/firmware-images/build-image.sh" "$profile" "$work/another/and-deeper/out" "$work/another/and-deeper/cache"

if diff -r "$work/one/out" "$work/another/and-deeper/out"; then
  echo "image $profile: two builds in two places, the same bytes:"; (cd "$work/one/out" && sha256sum -- *)
else
  echo "image $profile: NOT reproducible" >&2; exit 1
fi
