# Outer verbs only; what they do is in Rust (tests/lab) or in the tools they call.
.PHONY: demo test check stage install bench bless deny tools

# Where every target puts a staged installation: the binaries that ship are the ones that are tested.
STAGE := $(CURDIR)/target/stage
AGENTS := $(patsubst agents/%/Cargo.toml,-p ocf-%,$(wildcard agents/*/Cargo.toml))
RELEASE = $(shell cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/$(shell rustc --print host-tuple)/release
RESOURCED = $(DESTDIR)/usr/lib/ocf/resource.d

stage:
	cargo build --release $(AGENTS) -p ocf-tester
	$(MAKE) --no-print-directory install DESTDIR=$(STAGE)

# A binary <provider>-<Type> is installed as <provider>/<Type>.
install:
	@for agent in $$(cd agents && echo */src/bin/*.rs); do \
	  name=$$(basename $$agent .rs); \
	  install -D -m 755 $(RELEASE)/$$name "$(RESOURCED)/$${name%%-*}/$${name#*-}" || exit 1; \
	done
	install -D -m 755 $(RELEASE)/ocf-tester "$(DESTDIR)/usr/bin/ocf-tester"

bench: stage
	cargo build --release -p bench
	cc -O2 -static -o target/floor tests/bench/floor.c
	$(RELEASE)/bench target/floor $(STAGE)/usr/lib/ocf/resource.d/heartbeat/Dummy /usr/lib/ocf/resource.d/heartbeat/Dummy

bless: stage
	OCF_BLESS=1 cargo test -p conformance --test description -- --nocapture equals_its_golden_file
