# The node image; see README.md in this folder.

PROFILE ?= virtual
IMAGE   := $(ARTIFACTS)/image/$(PROFILE)

PACKAGES += apt binutils debian-archive-keyring dpkg kmod zstd

# What the agent is made of. A change to one of these makes a new image.
IMAGE_SOURCES = $(shell find $(ROOT)/firmware-images $(ROOT)/src/GridAppliance.Agent $(ROOT)/src/GridAppliance.Api $(ROOT)/src/GridAppliance.Protocols \
	-name obj -prune -o -name bin -prune -o -type f -print) $(ROOT)/Directory.Build.props $(ROOT)/Directory.Packages.props $(ROOT)/global.json

.PHONY: image image-metal image-verify modules
image: prepare sdk $(IMAGE)/manifest.json ## build the node image [PROFILE=virtual|metal]

$(IMAGE)/manifest.json: $(IMAGE_SOURCES)
	firmware-images/build-image.sh $(PROFILE) $(IMAGE) $(ARTIFACTS)/cache

image-metal:
	@$(MAKE) --no-print-directory image PROFILE=metal

image-verify: prepare sdk ## build the node image twice, from nothing, in two unlike surroundings, and compare every byte
	firmware-images/verify-image.sh $(PROFILE) $(ARTIFACTS)/cache

# Shipped modules that carry Debian packages.
MODULES := $(ARTIFACTS)/modules
modules: prepare build $(MODULES)/.built ## build the shipped modules that carry Debian packages: load balancer, firewall, NFS export

$(MODULES)/.built: $(shell find $(ROOT)/src/Modules -type f) $(ROOT)/firmware-images/build-modules.sh $(ROOT)/firmware-images/fetch-packages.sh | $(ARTIFACTS)/.built
	firmware-images/build-modules.sh $(MODULES) $(ARTIFACTS)/cache src/GridAppliance.Cli/bin/Release/net10.0/gridctl
	@touch $@
