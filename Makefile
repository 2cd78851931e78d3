# SPDX-License-Identifier: GPL-2.0-only
# Short names for what people do here; meson builds the host side, guest/linux/build.sh the guest
# kernel.
PREFIX ?= /usr/local
DESTDIR ?=
BUILD = build
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec/runnc

help:
	@echo 'make deps     install the Debian packages that the rest needs (root)'
	@echo 'make build    runnc and the guest kernel, into build/'
	@echo 'make demo     two clusters, a web app as a Nabla container in each (root)'
	@echo 'make test     everything that checks itself (root)'
	@echo 'make test-machine  the tests that a virtual machine takes long for (root)'
	@echo 'make bench    figures beside a plain container (root); build/bench*.json'
	@echo 'make lint     static analysis and format'
	@echo 'make install  under PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make clean    remove build/; the cache of kernels and images stays'

deps:
	@scripts/deps

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)
	@RUNNC_CACHE=$$(scripts/cache) guest/linux/build.sh $(BUILD)/guest

$(BUILD)/build.ninja:
	@meson setup --prefix $(PREFIX) $(BUILD)

demo: deps build
	@demo/demo

# The root file systems first: here their progress is seen, and no test's time is spent on them.
test: deps build
	@scripts/rootfs busybox >/dev/null
	@scripts/rootfs debian >/dev/null
	-@tests/machine/image >/dev/null
	@tests/run-all

# Of the emulated machine, test has the short form only.
test-machine: deps build
	@scripts/rootfs debian >/dev/null
	-@tests/machine/image >/dev/null
	@tests/run-all tests/machine/whole/*.sh

bench: deps build
	@bench/run

lint:
	@tests/run-all lint

install: build
	@meson configure --prefix $(PREFIX) $(BUILD) && ninja -C $(BUILD)
	@DESTDIR=$(DESTDIR) meson install --no-rebuild --quiet -C $(BUILD)
	install -D -m 755 $(BUILD)/guest/nabla-linux $(LIBEXEC)/nabla-linux
	install -D -m 644 $(BUILD)/guest/init/nabla-init.cpio $(LIBEXEC)/nabla-init.cpio

clean:
	rm -rf $(BUILD)

.PHONY: help deps build demo test test-machine bench lint install clean
