# GridAppliance: the targets that people call. Each area keeps its rules in a fragment of its own, included below.
#
#   make image [PROFILE=virtual|metal]   the node image: kernel, initramfs, loaders, manifest (firmware-images/README.md)
#   make image-verify                    builds it twice in two places and compares

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

ROOT      := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ARTIFACTS := $(ROOT)/artifacts
DOTNET    ?= dotnet

# Debian packages that the targets need on the machine itself; each fragment adds its own.
PACKAGES :=

include firmware-images/image.mk

.PHONY: prepare
# Installs what is missing, and nothing else: no package that is there already is touched.
prepare:
	@missing=(); for p in $(sort $(PACKAGES)); do \
	  [[ $$(dpkg-query -W -f='$${db:Status-Status}' "$$p" 2>/dev/null) == installed ]] || missing+=("$$p"); done; \
	if (( $${#missing[@]} )); then \
	  [[ $$(id -u) == 0 ]] || { echo "these packages are missing (run as root to install them): $${missing[*]}" >&2; exit 1; }; \
	  echo "installing $${missing[*]}"; apt-get -qq update; \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "$${missing[@]}" >/dev/null; \
	fi
