#!/bin/bash
# publish-agent.sh OUTPUT CACHE: grid-agent as one file for linux-x64, the same bytes from any checkout folder. Prints the packs it was made from.
set -euo pipefail
output=$1 cache=$2
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(mktemp -d); trap 'rm -rf "$build"' EXIT

# Objects go to a folder of their own: a restore for one runtime would disturb the developer's.
"${DOTNET:-dotnet}" publish "$repository/src/GridAppliance.Agent/GridAppliance.Agent.csproj" -c Release -r linux-x64 --artifacts-path "$build" -o "$output" -v quiet -nologo \
  -p:NodeImage=true "-p:PathMap=$repository=/_/%2C$build=/obj/" --disable-build-servers >&2
[[ -x $output/grid-agent ]] || { echo "publishing left no grid-agent" >&2; exit 1; }

# The packs: content of the package cache, so their digests are inputs like any Debian package's.
nuget=$("${DOTNET:-dotnet}" nuget locals global-packages --list | sed 's/^global-packages: //')
grep -ohE '"(Microsoft\.NETCore\.App\.(Runtime|Crossgen2)|Microsoft\.NET\.ILLink)[A-Za-z.0-9-]*/[0-9.]+"' "$build"/obj/GridAppliance.Agent/project.assets.json | tr -d '"' | sort -u > "$build/packs" || true
grep -oE '"name": "Microsoft\.[A-Za-z.0-9-]+",|"version": "\[[0-9.]+, [0-9.]+\]"' "$build"/obj/GridAppliance.Agent/project.assets.json |
  sed -n '/"name"/{s/.*"name": "\(.*\)",/\1/;h}; /"version"/{s/.*\[\([0-9.]*\),.*/\1/;H;x;s/\n/\//p}' >> "$build/packs"
sort -u "$build/packs" | while IFS=/ read -r name version; do
  kept=$nuget${name,,}/$version/${name,,}.$version.nupkg
  [[ -f $kept ]] || continue
  case ${name,,} in microsoft.netcore.app.runtime.linux-x64 | microsoft.netcore.app.crossgen2.linux-x64 | microsoft.net.illink.tasks) ;; *) continue ;; esac
  echo "$name $version $(sha256sum < "$kept" | cut -d' ' -f1)"
done
