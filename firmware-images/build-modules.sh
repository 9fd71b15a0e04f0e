#!/bin/bash
# build-modules.sh OUTPUT CACHE GRIDCTL: builds the shipped modules that carry Debian packages (src/Modules/*/debs/packages names them), and the agent, as signed packages.
# They are sealed anew by each appliance that takes them in, so the key is a passing one.
set -euo pipefail
export LC_ALL=C
output=$(realpath -m "$1") cache=$(realpath -m "$2") gridctl=$(realpath "$3")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=$(dirname "$here")/src/Modules
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$output" "$cache"
(umask 077; openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem")
for list in "$modules"/*/debs/packages; do
  folder=$(dirname "$(dirname "$list")") name=$(basename "$(dirname "$(dirname "$list")")")
  cp -r "$folder" "$work/$name"; rm "$work/$name/debs/packages"
  mapfile -t wanted < "$list"
  "$here/fetch-packages.sh" "$cache" "$work/unpacked" "${wanted[@]}" | while read -r package version sha256; do
    cp "$cache/packages/$package-$sha256.deb" "$work/$name/debs/"
  done
  "$gridctl" module build "$work/$name" --key "$work/key.pem" --to "$work/$name.gridmod"
  mv "$work/$name.gridmod" "$output/$name.gridmod"
done

# The agent as a node image of these sources has it: nodes that booted an older one are brought up to it (gridctl agent update).
"$here/publish-agent.sh" "$work/agent" "$cache" > "$work/inputs"
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$(dirname "$here")/Directory.Build.props")
printf '{ "name": "grid-agent", "class": "grid-agent", "version": "%s", "summary": "The agent itself: see gridctl agent update", "start": [ "grid-agent" ] }\n' "$version" > "$work/agent/module.json"
"$gridctl" module build "$work/agent" --key "$work/key.pem" --to "$work/grid-agent.gridmod"
mv "$work/grid-agent.gridmod" "$output/grid-agent.gridmod"
