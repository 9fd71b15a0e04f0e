# Puts GridAppliance on this machine, or below DESTDIR for a package. Programs bring their own runtime: the SDK that built them may live in somebody's home, which
# the unit cannot see. RUNTIME=shared uses the machine's .NET instead (4 MB, not 110).

DESTDIR ?=
prefix  ?= /usr
RUNTIME ?= own
# Real servers need the drivers of the metal profile; make install PROFILE=virtual is for an appliance that serves virtual machines only.
INSTALL_PROFILE := $(if $(filter command line,$(origin PROFILE)),$(PROFILE),metal)

libdir   := $(DESTDIR)$(prefix)/lib/gridappliance
bindir   := $(DESTDIR)$(prefix)/bin
bootdir  := $(DESTDIR)$(prefix)/share/gridappliance/boot
docdir   := $(DESTDIR)$(prefix)/share/doc/gridappliance
confdir  := $(DESTDIR)/etc/gridappliance
unitdir  := $(DESTDIR)/lib/systemd/system

.PHONY: install install-programs uninstall

install-programs: sdk
	rm -rf $(ARTIFACTS)/install
	$(QUIT_COMPILER); for project in GridAppliance GridAppliance.Cli; do $(PUBLISH) --self-contained $(if $(filter own,$(RUNTIME)),true,false) src/$$project -o $(ARTIFACTS)/install; done

install: prepare install-programs ## put the daemon, gridctl, the units and the node image on this machine [DESTDIR=]
	$(MAKE) --no-print-directory image PROFILE=$(INSTALL_PROFILE)
	$(MAKE) --no-print-directory modules GRIDCTL=$(ARTIFACTS)/install/gridctl
	install -d $(libdir) $(bindir) $(bootdir) $(docdir) $(confdir) $(unitdir) $(DESTDIR)$(prefix)/lib/sysusers.d $(DESTDIR)$(prefix)/lib/tmpfiles.d
	find $(libdir) -mindepth 1 -delete
	cp -R --no-preserve=ownership $(ARTIFACTS)/install/. $(libdir)/
	install -D -m 0644 -t $(libdir)/modules $(MODULES)/*.gridmod
	chmod -R u=rwX,go=rX $(libdir)
	for program in gridappliance gridctl; do ln -sfn ../lib/gridappliance/$$program $(bindir)/$$program; done
	find $(bootdir) -mindepth 1 -delete
	cp -RL --no-preserve=ownership $(ARTIFACTS)/image/$(INSTALL_PROFILE)/. $(bootdir)/
	chmod -R u=rwX,go=rX $(bootdir)
# The root file system of grids' nodes, where it was made (make image-debian).
	[[ ! -e $(ARTIFACTS)/image/debian/manifest.json ]] || { install -d $(dir $(bootdir))debian; cp --no-preserve=ownership $(ARTIFACTS)/image/debian/* $(dir $(bootdir))debian/; chmod -R u=rwX,go=rX $(dir $(bootdir))debian; }
	install -m 0644 README.md $(docdir)/
	install -m 0644 systemd/gridappliance.service $(unitdir)/
	install -m 0644 systemd/gridappliance.sysusers.conf $(DESTDIR)$(prefix)/lib/sysusers.d/gridappliance.conf
	install -m 0644 systemd/gridappliance.tmpfiles.conf $(DESTDIR)$(prefix)/lib/tmpfiles.d/gridappliance.conf
	[[ -e $(confdir)/appliance.yaml ]] || install -m 0644 systemd/appliance.yaml $(confdir)/appliance.yaml
ifeq ($(DESTDIR),)
	systemd-sysusers gridappliance.conf
	systemd-tmpfiles --create gridappliance.conf
	[[ ! -d /run/systemd/system ]] || systemctl daemon-reload
	@$(MAKE) --no-print-directory own
	@echo
	@echo "GridAppliance is installed. What is left:"
	@echo "  1. sudoedit /etc/gridappliance/appliance.yaml     the interface that servers boot on, its address, a range"
	@echo "  2. gridappliance check                            says everything that is wrong with it, at once"
	@echo "  3. sudo systemctl enable --now gridappliance      from here on it answers DHCP there"
	@echo "  4. gridctl status                                 and the page at http://127.0.0.1:8080/"
	@[[ ! -d /run/systemd/system ]] || ! systemctl is-active --quiet gridappliance || echo "The old version still runs: sudo systemctl restart gridappliance (nodes notice nothing)."
	@echo "Without sudo: sudo usermod -aG gridappliance $${SUDO_USER:-USER}, then log in again. Back out: sudo make uninstall"
endif

uninstall: ## take it off again; configuration and data stay
ifeq ($(DESTDIR),)
	[[ ! -d /run/systemd/system ]] || systemctl disable --now gridappliance.service || true
endif
	rm -rf $(libdir) $(DESTDIR)$(prefix)/share/gridappliance $(docdir)
	rm -f $(bindir)/gridappliance $(bindir)/gridctl $(unitdir)/gridappliance.service
	rm -f $(DESTDIR)$(prefix)/lib/sysusers.d/gridappliance.conf $(DESTDIR)$(prefix)/lib/tmpfiles.d/gridappliance.conf
ifeq ($(DESTDIR),)
	[[ ! -d /run/systemd/system ]] || systemctl daemon-reload
	@echo "Left in place: /etc/gridappliance, /var/lib/gridappliance and the user gridappliance. Remove them by hand if nothing of it is wanted any more."
endif
