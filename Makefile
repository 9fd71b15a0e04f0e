# GridAppliance: the targets that people call. 'make help' lists them; an area with more than a few rules keeps them in a fragment of its own.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

ROOT      := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ARTIFACTS := $(ROOT)/artifacts

# sudo clears PATH, so the SDK is also looked for where its installers put it.
DOTNET ?= $(or $(shell command -v dotnet),$(firstword $(wildcard \
	$(DOTNET_ROOT)/dotnet $(shell getent passwd "$(SUDO_USER)" | cut -d: -f6)/.dotnet/dotnet /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet)),dotnet)
export DOTNET_ROOT ?= $(patsubst %/,%,$(dir $(realpath $(DOTNET))))
export DOTNET
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# No build node stays behind as a process, and no compiler: the projects of one build share one, which is warm after the first of them, and it ends with the build.
export MSBUILDDISABLENODEREUSE := 1
COMPILER := gridappliance-$(shell echo $$$$)
COMPILE  := -c Release -v q --nologo -clp:ErrorsOnly -p:UseSharedCompilation=true -p:SharedCompilationId=$(COMPILER)
QUIT_COMPILER = trap '$(DOTNET) exec "$$(dirname "$$(realpath $(DOTNET))")/sdk/$$($(DOTNET) --version)/Roslyn/bincore/VBCSCompiler.dll" -pipename:$(COMPILER) -shutdown >/dev/null 2>&1 || true' EXIT
BUILD := $(DOTNET) build $(COMPILE)
# Compiled ahead: a daemon that has just been started is busy with nodes, not with compiling. Objects go to a folder of their own: a restore for one runtime would disturb the developer's.
PUBLISH := $(DOTNET) publish $(COMPILE) -r linux-x64 -p:PublishReadyToRun=true -p:DebugType=none -p:RunAnalyzers=false --artifacts-path $(ARTIFACTS)/publish
GRIDLAB := artifacts/programs/gridlab

# Debian packages that the targets need on the machine itself; each fragment adds its own.
PACKAGES := libsqlite3-0 openssl iproute2 ethtool qemu-system-x86 ipxe-qemu ovmf openvswitch-switch openvswitch-common dnsmasq-base tcpdump
# Other people's clients that the tests are run against.
PACKAGES += atftp tftp-hpa curl busybox-static
# SNMP is tried on others' agent and tools too.
PACKAGES += snmp snmpd
# The rules against forged addresses are read back by their own tool.
PACKAGES += nftables
# So is the iSCSI target; a golden image has a file system.
PACKAGES += tgt e2fsprogs
# A client for the shipped NFS export.
PACKAGES += libnfs-utils
# A console server to talk RFC 2217 with.
PACKAGES += ser2net
# Machines that have nothing but a serial line: U-Boot and OpenFirmware in QEMU.
PACKAGES += u-boot-qemu qemu-system-ppc
# What is asked of serial lines that have no wires.
PACKAGES += strace
# A BMC of software, and the tool whose answers ours are compared with; a DHCP client that comes back by INIT-REBOOT.
PACKAGES += openipmi ipmitool isc-dhcp-client
# Recordings of hardware are packed with it.
PACKAGES += xz-utils
# Machines that have an operating system are reached by SSH, and become root by sudo.
PACKAGES += openssh-client openssh-server sudo
# mke2fs, kill and systemd-analyze: most machines have them, the smallest do not.
PACKAGES += e2fsprogs procps systemd

include firmware-images/image.mk
-include systemd/install.mk

.PHONY: help prepare sdk build programs lab lab-down test bench bench-peers soak format clean own

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

prepare: ## install the Debian packages that are missing, and nothing else
	@missing=(); for p in $(sort $(PACKAGES)); do \
	  [[ $$(dpkg-query -W -f='$${db:Status-Status}' "$$p" 2>/dev/null || true) == installed ]] || missing+=("$$p"); done; \
	command -v npm >/dev/null || missing+=(npm); \
	(( $${#missing[@]} == 0 )) || tests/install-packages "$${missing[@]}"

sdk:
	@[[ -x "$$(command -v $(DOTNET))" ]] && $(DOTNET) --version >/dev/null 2>&1 || { \
	  echo "The .NET SDK that global.json asks for ($$(grep -oE '[0-9]+\.[0-9]+\.[0-9]+' global.json)) was not found: install .NET 10, or say make DOTNET=/path/to/dotnet." >&2; exit 1; }

# Sources as of now; when nothing changed since the last build, the build is not even asked.
SOURCES = $(shell find src tests/GridAppliance.* tests/Shared tests/fixtures pxe Directory.*.props global.json GridAppliance.sln .editorconfig \
	\( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -print 2>/dev/null)

PROGRAM_SOURCES = $(filter-out tests/%,$(SOURCES))

build: sdk $(ARTIFACTS)/.built ## build all programs and tests
$(ARTIFACTS)/.built: $(SOURCES)
	@echo "Building; about a minute when everything is new."
	@$(QUIT_COMPILER); $(BUILD) GridAppliance.sln || { echo "The build failed. If the lines above speak of NU1301 or NU1101, the package source is out of reach: see 'dotnet nuget list source'." >&2; exit 1; }
	@mkdir -p $(@D) && touch $@

programs: sdk $(ARTIFACTS)/programs/.made ## build the programs alone, compiled ahead, into artifacts/programs
$(ARTIFACTS)/programs/.made: $(PROGRAM_SOURCES)
	@echo "Building the programs; about a minute when everything is new."
	@rm -rf $(@D)
	@$(QUIT_COMPILER); for project in GridAppliance GridAppliance.Cli GridAppliance.Lab; do $(PUBLISH) --self-contained false src/$$project -o $(@D) || { \
	  echo "The build failed. If the lines above speak of NU1301 or NU1101, the package source is out of reach: see 'dotnet nuget list source'." >&2; exit 1; }; done
	@ln -sfn ../modules $(@D)/modules
	@touch $@

lab: prepare programs image modules ## start the appliance and four simulated servers on this machine
	@status=0; $(GRIDLAB) up $(if $(SERVERS),--servers $(SERVERS)) || status=$$?; $(MAKE) --no-print-directory own; exit $$status

lab-down: ## remove every trace of the lab
	@[[ -x $(GRIDLAB) ]] || $(MAKE) --no-print-directory programs
	@$(GRIDLAB) down

# The status page is tried in a real browser; an image is composed under another date.
test: PACKAGES += chromium faketime
test: prepare build image image-metal image-debian-memory ## run all tests: unit, integration in namespaces, and whole boots
	@$(MAKE) --no-print-directory modules GRIDCTL=src/GridAppliance.Cli/bin/Release/net10.0/gridctl
	@status=0; tests/run || status=$$?; $(MAKE) --no-print-directory own; exit $$status

bench: build ## measure the packet paths
	$(DOTNET) run -c Release --no-build --project tests/GridAppliance.Benchmarks -- $(or $(BENCH),--filter '*')

bench-peers: build ## compare with other people's programs, in one run: PEERS=tftp (the default, Debian's atftpd), snmp (net-snmp's tools), ipmi (FreeIPMI and ipmitool)
	@[[ $(or $(PEERS),tftp) != tftp || -x /usr/sbin/atftpd ]] || tests/install-packages atftpd
	@[[ $(or $(PEERS),tftp) != snmp || -x /usr/bin/snmpset ]] || tests/install-packages snmp
	@[[ $(or $(PEERS),tftp) != ipmi* || ( -x /usr/sbin/ipmipower && -x /usr/bin/ipmi_sim && -x /usr/bin/ipmitool ) ]] || tests/install-packages freeipmi-tools openipmi ipmitool
	$(DOTNET) run -c Release --no-build --project tests/GridAppliance.Benchmarks -- peers $(or $(PEERS),tftp)

soak: build image image-debian ## TIMES (default 100) as much as in 'make test': damaged input for the codecs; a node's agent killed at that many moments, and replaced; Debian roots, and a grid of real Slurm
	GRID_SOAK=$(or $(TIMES),100) $(DOTNET) test tests/GridAppliance.Protocols.Tests -c Release --no-build --nologo
	@$(MAKE) --no-print-directory modules GRIDCTL=src/GridAppliance.Cli/bin/Release/net10.0/gridctl
	GRID_SOAK=$(or $(TIMES),100) $(DOTNET) test tests/GridAppliance.Tests -c Release --no-build --nologo --filter Soak=yes
	tests/GridAppliance.EndToEnd/Establish/build-debian-machine.sh $(ARTIFACTS)/cache/debian-machine $(ARTIFACTS)/cache
	GRID_SOAK=$(or $(TIMES),100) $(DOTNET) test tests/GridAppliance.EndToEnd -c Release --no-build --nologo --filter Soak=yes

format: build ## lay the sources out as .editorconfig says; 'make test' looks whether they are
	$(DOTNET) format GridAppliance.sln --no-restore --severity warn

clean: ## remove what was built
	rm -rf $(ARTIFACTS) src/*/bin src/*/obj tests/*/bin tests/*/obj

# What sudo built belongs to the person who called sudo, so that they can build again without it.
own:
	@[[ -z "$${SUDO_UID:-}" ]] || chown -R "$$SUDO_UID:$$SUDO_GID" $(wildcard $(ARTIFACTS) src/*/bin src/*/obj tests/*/bin tests/*/obj src/GridAppliance/Web/ConsolePage/node_modules)
