#!/bin/bash
# What this machine would ask for, of one suite of Debian, as a sources.list: debian-sources.sh SUITE
set -euo pipefail
export LC_ALL=C
suite=$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg
sources=$(apt-get update --print-uris | sed -n "s|^'\(.*/debian\(-security\)\?\)/*/dists/\($suite[a-z-]*\)/InRelease' .*|deb [signed-by=$keys] \1/ \3 main|p" | sort -u)
echo "${sources:-deb [signed-by=$keys] http://deb.debian.org/debian/ $suite main}"
