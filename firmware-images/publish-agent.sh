#!/bin/bash
# publish-agent.sh OUTPUT CACHE: grid-agent as one file for linux-x64, the same bytes from any checkout folder. Prints the packs it was made from.
# A result is kept in CACHE under the digest of everything it was made from: the profiles share one.
set -euo pipefail
output=$1 cache=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
dotnet=${DOTNET:-dotnet}

sources=$(cd "$repository" && find src/GridAppliance.{Agent,Api,Protocols} Directory.Build.props Directory.Packages.props global.json .editorconfig firmware-images/publish-agent.sh \
  \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; "$dotnet" --version)
kept=$cache/agents/$(sha256sum <<< "$sources" | cut -d' ' -f1)
mkdir -p "$output" "$cache/agents"

if [[ ! -f $kept/inputs ]]; then
  build=$(mktemp -d); trap 'rm -rf "$build"' EXIT
  # Objects go to a folder of their own: a restore for one runtime would disturb the developer's.
  (cd "$repository" && "$dotnet" publish src/GridAppliance.Agent/GridAppliance.Agent.csproj -c Release -r linux-x64 --artifacts-path "$build" -o "$build/out" -v quiet -nologo \
    -p:NodeImage=true "-p:PathMap=$repository=/_/%2C$build=/obj/" --disable-build-servers >&2)
  [[ -x $build/out/grid-agent ]] || { echo "publishing left no grid-agent" >&2; exit 1; }

  # The packs: content of the package cache, so their digests are inputs like any Debian package's.
  nuget=$("$dotnet" nuget locals global-packages --list | sed 's/^global-packages: //')
  assets=$build/obj/GridAppliance.Agent/project.assets.json
  {
    grep -ohE '"(Microsoft\.NETCore\.App\.(Runtime|Crossgen2)|Microsoft\.NET\.ILLink)[A-Za-z.0-9-]*/[0-9.]+"' "$assets" | tr -d '"' || true
    grep -oE '"name": "Microsoft\.[A-Za-z.0-9-]+",|"version": "\[[0-9.]+, [0-9.]+\]"' "$assets" |
      sed -n '/"name"/{s/.*"name": "\(.*\)",/\1/;h}; /"version"/{s/.*\[\([0-9.]*\),.*/\1/;H;x;s/\n/\//p}'
  } | sort -u | while IFS=/ read -r name version; do
    pack=$nuget${name,,}/$version/${name,,}.$version.nupkg
    [[ -f $pack ]] || continue
    case ${name,,} in microsoft.netcore.app.runtime.linux-x64 | microsoft.netcore.app.crossgen2.linux-x64 | microsoft.net.illink.tasks) ;; *) continue ;; esac
    echo "$name $version $(sha256sum < "$pack" | cut -d' ' -f1)"
  done > "$build/inputs"

  # `inputs` goes last: a folder that has it is whole. What was kept of earlier sources is of no more use.
  rm -rf "$cache"/agents/*; mkdir -p "$kept"
  cp "$build/out/grid-agent" "$kept/"
  cp "$build/inputs" "$kept/.inputs"; mv "$kept/.inputs" "$kept/inputs"
fi
cp "$kept/grid-agent" "$output/"
cat "$kept/inputs"
