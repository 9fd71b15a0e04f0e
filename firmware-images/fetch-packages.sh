#!/bin/bash
# fetch-packages.sh CACHE DESTINATION PACKAGE…      downloads Debian packages and unpacks them into DESTINATION
# fetch-packages.sh CACHE "" --depends PACKAGE      prints what PACKAGE depends on, one name a line
# Prints `package version sha256` for each. Packages are kept in CACHE under their digest, and the digest is checked before anything is unpacked.
# OPTIONAL=1: a package that no source offers is no error, and `package - -` is printed for it.
#
# The catalogue is this machine's own. Where that one has not been fetched, is too old, or lacks the component for firmware (FIRMWARE=1), a private one in
# CACHE takes its place, made from this machine's own Debian sources. Neither /etc/apt nor /var/lib/apt is touched, and root is not needed.
set -euo pipefail
export LC_ALL=C

cache=$(realpath -m "$1") destination=$2; shift 2
mkdir -p "$cache/packages"
apt=()

use_private_catalogue() {
  [[ ! -v apt[0] ]] || return 0
  local private=$cache/apt keys=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$private"/{lists/partial,archives/partial}
  # What this machine would ask for, as URI/dists/RELEASE/InRelease; sources of others than Debian have no firmware for us and another key.
  apt-get update --print-uris | sed -n "s|^'\(.*/debian\(-security\)\?\)/*/dists/\(.*\)/InRelease' .*|\1/ \3|p" | sort -u |
    while read -r uri release; do echo "deb [signed-by=$keys] $uri $release main${FIRMWARE:+ non-free-firmware}"; done > "$private/sources.list"
  apt=(-o "Dir::Etc::SourceList=$private/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$private/lists"
       -o "Dir::Cache=$private" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache=)
  apt-get "${apt[@]}" -o APT::Sandbox::User=root -qq update >&2
}

show() { apt-cache "${apt[@]}" show --no-all-versions "$1" 2>/dev/null; }
# Read to the end: a reader that leaves early ends the writer with a signal, and with it this script.
field() { sed -n "0,/^$1: /s/^$1: //p"; }

[[ ${FIRMWARE:-} != 1 ]] || use_private_catalogue

if [[ ${1:-} == --depends ]]; then
  show "$2" > /dev/null || use_private_catalogue
  show "$2" | field Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//'
  exit
fi

# fetch PACKAGE: sets kept, version and sha256
fetch() {
  local record incoming
  record=$(show "$1") || return 1
  version=$(field Version <<< "$record") sha256=$(field SHA256 <<< "$record")
  kept=$cache/packages/$1-$sha256.deb
  [[ ! -f $kept ]] || return 0
  incoming=$(mktemp -d "$cache/incoming.XXXXXX")
  if (cd "$incoming" && apt-get "${apt[@]}" -o APT::Sandbox::User=root -qq download "$1=$version" >&2); then mv "$incoming"/*.deb "$kept.new"; mv "$kept.new" "$kept"; fi
  rm -rf "$incoming"
  [[ -f $kept ]]
}

for package; do
  if ! fetch "$package"; then
    # Perhaps the catalogue names a version that a newer one has replaced: once more, with a fresh one.
    use_private_catalogue
    if ! fetch "$package"; then
      [[ ${OPTIONAL:-} != 1 || -n $(show "$package") ]] || { echo "$package - -"; continue; }
      echo "the package $package cannot be had" >&2; exit 1
    fi
  fi
  echo "$sha256  $kept" | sha256sum --check --quiet >&2 || { rm -f "$kept"; echo "$package is not what the catalogue says" >&2; exit 1; }
  dpkg-deb -x "$kept" "$destination"
  echo "$package $version $sha256"
done
