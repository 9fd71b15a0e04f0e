#!/bin/bash
# fetch-packages.sh CACHE DESTINATION PACKAGE…      downloads Debian packages and unpacks them into DESTINATION
# fetch-packages.sh CACHE "" --depends PACKAGE      prints what PACKAGE depends on, one name a line
# Prints `package version sha256` for each. Packages are kept in CACHE under their digest, and the digest is checked before anything is unpacked.
# With FIRMWARE=1 the catalogue is a private one: this machine's own Debian sources plus the component non-free-firmware. /etc/apt is not touched.
set -euo pipefail
export LC_ALL=C

cache=$1 destination=$2; shift 2
mkdir -p "$cache/packages"
apt=()

if [[ ${FIRMWARE:-} == 1 ]]; then
  private=$cache/apt
  mkdir -p "$private"/{lists/partial,archives/partial}
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' |
    sort -u | while read -r origin uri release component signedBy; do
      [[ $origin == Debian && $component == main ]] || continue
      echo "deb [signed-by=$signedBy] $uri $release main non-free-firmware"
    done > "$private/sources.list"
  apt=(-o "Dir::Etc::SourceList=$private/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$private/lists"
       -o "Dir::Cache=$private" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache=)
  apt-get "${apt[@]}" -o APT::Sandbox::User=root -qq update >&2
fi

field() { sed -n "s/^$1: //p" | head -1; }

if [[ ${1:-} == --depends ]]; then
  apt-cache "${apt[@]}" show --no-all-versions "$2" | field Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//'
  exit
fi

for package; do
  record=$(apt-cache "${apt[@]}" show --no-all-versions "$package") || { echo "apt does not know the package $package: run 'apt-get update'" >&2; exit 1; }
  version=$(field Version <<< "$record") sha256=$(field SHA256 <<< "$record")
  kept=$cache/packages/$package-$sha256.deb
  if [[ ! -f $kept ]]; then
    incoming=$(mktemp -d "$cache/incoming.XXXXXX")
    (cd "$incoming" && apt-get "${apt[@]}" -o APT::Sandbox::User=root -qq download "$package=$version" >&2)
    mv "$incoming"/*.deb "$kept.new"; rmdir "$incoming"; mv "$kept.new" "$kept"
  fi
  echo "$sha256  $kept" | sha256sum --check --quiet >&2 || { rm -f "$kept"; echo "$package is not what the catalogue says" >&2; exit 1; }
  dpkg-deb -x "$kept" "$destination"
  echo "$package $version $sha256"
done
