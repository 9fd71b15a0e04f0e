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

# The root file system of the Debian node image; whatever profile's kernel and initramfs boot it.
PACKAGES += mmdebstrap squashfs-tools
.PHONY: image-debian image-debian-memory
DEBIAN  := $(ARTIFACTS)/image/debian
SYSTEMS := root
image-debian: SYSTEMS := root disk
image-debian: prepare $(DEBIAN)/manifest.json $(DEBIAN)/disk.squashfs ## build the root file systems of the Debian node image, with Slurm, for memory and for disks
image-debian-memory: prepare $(DEBIAN)/manifest.json ## the one for memory alone, in half the time
$(DEBIAN)/manifest.json: $(ROOT)/firmware-images/build-debian.sh $(ROOT)/firmware-images/debian/packages $(ROOT)/firmware-images/debian/packages-disk
	firmware-images/build-debian.sh $(DEBIAN) $(ARTIFACTS)/cache $(SYSTEMS)
# The manifest is younger than what it is about; one without the system for disks takes an older one away.
$(DEBIAN)/disk.squashfs: $(DEBIAN)/manifest.json
	[[ -f $@ ]] || firmware-images/build-debian.sh $(DEBIAN) $(ARTIFACTS)/cache root disk

image-metal:
	@$(MAKE) --no-print-directory image PROFILE=metal

image-verify: prepare sdk ## build the node image twice, from nothing, in two unlike surroundings, and compare every byte
	firmware-images/verify-image.sh $(PROFILE) $(ARTIFACTS)/cache

# Shipped modules that carry Debian packages, and the agent. Any gridctl builds them; the daemon takes in those that lie in modules/ beside its program.
MODULES := $(ARTIFACTS)/modules
GRIDCTL ?= $(ARTIFACTS)/programs/gridctl
modules: prepare $(if $(filter $(ARTIFACTS)/programs/gridctl,$(GRIDCTL)),programs) $(MODULES)/.built ## build the shipped modules that carry Debian packages (load balancer, firewall, NFS export) and the agent as packages

$(MODULES)/.built: $(shell find $(ROOT)/src/Modules -type f) $(IMAGE_SOURCES) $(ROOT)/firmware-images/build-modules.sh $(ROOT)/firmware-images/fetch-packages.sh | $(if $(filter $(ARTIFACTS)/programs/gridctl,$(GRIDCTL)),$(ARTIFACTS)/programs/.made)
	firmware-images/build-modules.sh $(MODULES) $(ARTIFACTS)/cache $(GRIDCTL)
	@touch $@
