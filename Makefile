# Outer verbs only; what they do is in Rust (tests/lab) or in the tools they call.
.PHONY: demo test tiers test-host test-lab test-cluster-and-host cluster-at-once host-at-once run-host test-beside engines-at-once shell-agents-at-once run-cluster test-peers run-peers test-ipaddr2 run-ipaddr2 test-apache run-apache test-docker run-docker on-bookworm on-trixie test-cluster test-takeover newer soak check stage deb install bench bench-docker bench-ipaddr2 bench-apache bench-recovery bench-scale bless manual deny lab lab-tool clean-lab compiler man root

TARGET = $(shell rustc --print host-tuple)
RELEASE = $(or $(CARGO_TARGET_DIR),target)/$(TARGET)/release
# What only works here is built fast, not small.
TOOLS = $(or $(CARGO_TARGET_DIR),target)/$(TARGET)/tool
LAB = $(TOOLS)/lab
# Where the tests, the demo and the measurements find what ships.
STAGE := $(CURDIR)/target/stage
RESOURCED = $(DESTDIR)/usr/lib/ocf/resource.d
STAGED = $(STAGE)/usr/lib/ocf/resource.d
AGENTS := $(patsubst agents/%/Cargo.toml,-p ocf-%,$(wildcard agents/*/Cargo.toml))
# Where our packages come to be, and where the nodes' logs go when something fails.
DEBS = target/deb
NEWER = target/deb-newer
LOGS = target/lab-logs
export OCF_AGENTS = $(STAGED)
# Several targets at once, also inside others that are.
AT_ONCE = MAKEFLAGS= $(MAKE) --no-print-directory -j -Oline

# KEEP=1 leaves the cluster, DEBIAN=trixie takes Debian 13.
demo: root deb lab-tool
	$(LAB) demo --packages $(DEBS) --logs $(LOGS) --release $(or $(DEBIAN),bookworm) \
	  $(if $(filter-out 0 no off false,$(KEEP)),--keep)

# Every tier says what it cost; the table in CONTRIBUTING.md comes from these lines.
test: root compiler
	@$(MAKE) --no-print-directory tiers TIERS="stage lab"
	@$(LAB) hold -- $(MAKE) --no-print-directory tiers TIERS="test-lab test-cluster-and-host test-beside"

tiers:
	@for tier in $(TIERS); do \
	  begin=$$(date +%s); echo "== $$tier"; \
	  $(MAKE) --no-print-directory $$tier || { echo "test tier::$$tier ... FAILED"; exit 1; }; \
	  echo "== $$tier: ok, $$(( $$(date +%s) - begin )) s"; \
	done

# Two pairs, each at once, of which one waits most of its time and the other fills it: clusters and what needs none,
# Engines and what stands beside the shell agents. All is built and staged before, so that nobody stages anew what
# another one runs.
test-cluster-and-host: stage man deb lab newer
	cargo test --workspace --no-run
	$(AT_ONCE) cluster-at-once host-at-once

cluster-at-once:
	@$(MAKE) --no-print-directory tiers TIERS=run-cluster

host-at-once:
	@$(MAKE) --no-print-directory tiers TIERS=run-host

test-beside: stage lab
	cargo test --workspace --no-run
	$(AT_ONCE) engines-at-once shell-agents-at-once

engines-at-once:
	@$(MAKE) --no-print-directory tiers TIERS=run-docker

shell-agents-at-once:
	@$(MAKE) --no-print-directory tiers TIERS="run-peers run-ipaddr2 run-apache"

# The kills are printed: their share is the evidence. tests/conformance/tests/tester.rs wrote the reports.
test-host: stage man
	$(MAKE) --no-print-directory run-host

run-host:
	cargo test --workspace --exclude peers --exclude docker-tests --exclude ipaddr2-tests \
	  --exclude apache-tests
	cargo test -p conformance --test kill -- --nocapture --test-threads 1
	@echo "the tester's reports, for CI to show:"; ls -1 target/reports/*.xml

# The test binaries run inside the lab's image, beside Debian's shell agents. The repository is mounted
# at its own path, because the binaries and the stage are in it.
test-peers: stage lab
	$(MAKE) --no-print-directory run-peers

run-peers:
	cargo test -p peers --config "$(IN_LAB)"
	cargo build -p ocf-tester --examples
	cargo test -p ocf-tester --test peers --test upstream --config "$(IN_LAB)"
	cargo test -p packaging --test installed --config "$(IN_LAB)"

# The address agent in network namespaces, beside Debian's shell agent. Each file of tests is one after the
# other, because some measure time; what is in one runs side by side.
test-ipaddr2: stage lab
	$(MAKE) --no-print-directory run-ipaddr2

run-ipaddr2:
	cargo test -p ipaddr2-tests --config "$(IN_LAB)" -- --nocapture

# The web server agent with real servers, each in a world of its own, beside Debian's shell agent. A test
# knows its name by its thread's, which it has where there are two of them.
test-apache: stage lab
	$(MAKE) --no-print-directory run-apache

run-apache:
	cargo test -p apache-tests --config "$(IN_LAB)" -- --nocapture --test-threads 2

comma := ,
BUILT = $(if $(CARGO_TARGET_DIR),'--mount'$(comma)'$(abspath $(CARGO_TARGET_DIR)):$(abspath $(CARGO_TARGET_DIR))'$(comma))
IN_LAB = target.'$(TARGET)'.runner = ['$(abspath $(LAB))', 'exec', '--namespaces', '--timeout', '1800', '--mount', \
  '$(CURDIR):$(CURDIR)', $(BUILT) '--', 'env', 'OCF_AGENTS=$(STAGED)', \
  'OCF_TESTER=$(STAGE)/usr/bin/ocf-tester']

# The container agent on real Engines, 20.10 and 26.1, each in a container of the lab's: what the tests
# freeze and kill is theirs alone. What our own calls decide, not the Engine, is left out of the second.
# Both at once: most of their time they wait.
test-docker: stage lab
	$(MAKE) --no-print-directory run-docker

run-docker:
	cargo test -p docker-tests --no-run
	cargo test -p ocf-docker --test grammar --no-run
	$(AT_ONCE) on-bookworm on-trixie

on-bookworm:
	cargo test -p docker-tests --config "$(call ON_ENGINE,bookworm)" -- --nocapture
	cargo test -p ocf-docker --test grammar --config "$(call ON_ENGINE,bookworm)" -- $(WITH_CLI)

on-trixie:
	cargo test -p docker-tests --config "$(call ON_ENGINE,trixie)" -- --nocapture \
	  --skip killed_in --skip passes_every
	cargo test -p ocf-docker --test grammar --config "$(call ON_ENGINE,trixie)" -- $(WITH_CLI)

# What Debian's own CLI asks for, against what the agent does.
WITH_CLI = --include-ignored --skip record --nocapture

ON_ENGINE = target.'$(TARGET)'.runner = ['$(abspath $(LAB))', 'exec', '--engine', '$(1)', '--timeout', \
  '2400', '--mount', '$(CURDIR):$(CURDIR)', $(BUILT) '--', 'env', 'OCF_AGENTS=$(STAGED)', \
  'OCF_TESTER=$(STAGE)/usr/bin/ocf-tester']

# The lab itself: what it promises about leaving nothing behind.
test-lab: lab
	cargo test -p lab -- --include-ignored

# Both releases at once: most of their time they wait.
test-cluster: deb lab newer
	$(MAKE) --no-print-directory run-cluster

run-cluster:
	$(AT_ONCE) cluster-bookworm cluster-trixie

cluster-%:
	$(LAB) cluster-test --packages $(DEBS) --logs $(LOGS) --release $*
	$(MAKE) --no-print-directory takeover-$*

# Our packages come, are upgraded and go beside Debian's shell agents, in a cluster that runs.
test-takeover: deb lab newer
	$(AT_ONCE) takeover-bookworm takeover-trixie

takeover-%:
	$(LAB) takeover --packages $(DEBS) --newer $(NEWER) --logs $(LOGS) --release $*

# A version to upgrade to.
newer: deb
	$(TOOLS)/package --stage $(STAGE) --output $(NEWER) --version 999-1

# Rounds of faults at random; SEED=n repeats those of an earlier run, DEBIAN=trixie takes that one.
soak: deb lab
	$(LAB) soak $(SOAK)
	$(LAB) soak --bundle $(SOAK)

SOAK = --packages $(DEBS) --logs $(LOGS) --rounds $(or $(ROUNDS),20) \
  $(if $(SEED),--seed $(SEED)) --release $(or $(DEBIAN),bookworm)

# What faults cost a bundle, on our agents and on Debian's; the README's table. ROUNDS=n, DEBIAN=trixie.
bench-recovery: deb lab
	$(LAB) recovery --packages $(DEBS) --logs $(LOGS) --rounds $(or $(ROUNDS),5) \
	  --release $(or $(DEBIAN),bookworm)

# The processor time of a bundle of many replicas, with our agents and with Debian's; the README's plot.
bench-scale: deb lab
	$(LAB) scale --packages $(DEBS) --logs $(LOGS) --replicas $(or $(REPLICAS),40) \
	  --minutes $(or $(MINUTES),5) --release $(or $(DEBIAN),bookworm)

check: compiler
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

root:
	@[ "$$(id -u)" = 0 ] || { echo "this needs root: it starts containers and traces agents"; exit 1; }

# Rust needs a linker; a fresh Debian has none.
compiler:
	@command -v cargo >/dev/null || { \
	  echo "cargo is not in PATH: install Rust 1.91 or newer (sudo resets PATH)"; exit 1; }
	@version=$$(rustc --version | cut -d' ' -f2); printf '1.91\n%s\n' "$$version" | sort -VC || { \
	  echo "Rust $$version is too old: 1.91 or newer is needed"; exit 1; }
	@command -v cc >/dev/null || { echo "installing gcc and libc6-dev with apt"; \
	  apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev || { \
	  echo "no C compiler for linking: install gcc and libc6-dev by hand"; exit 1; }; }

# Manual pages are tested with what shows them.
man:
	@command -v man >/dev/null || { echo "installing man-db with apt"; \
	  apt-get update && apt-get install -y --no-install-recommends man-db || { \
	  echo "man is missing: install man-db by hand"; exit 1; }; }

# Emptied first: an agent that is gone from the source must not ship.
stage: compiler
	cargo build --release $(AGENTS) -p ocf-tester
	rm -rf $(STAGE)
	@$(MAKE) --no-print-directory install DESTDIR=$(STAGE)

# The same commit gives the same bytes. VERSION=1.2.3-1 builds another version, for trying an upgrade.
deb: stage
	cargo build --profile tool -p packaging
	$(TOOLS)/package --stage $(STAGE) --output target/deb $(if $(VERSION),--version $(VERSION))

# A binary <provider>-<Type> is installed as <provider>/<Type>.
install:
	@[ -x $(RELEASE)/ocf-tester ] || { echo "nothing is built: run make stage first"; exit 1; }
	@for agent in $$(cd agents && echo */src/bin/*.rs); do \
	  name=$$(basename $$agent .rs); \
	  install -D -m 755 $(RELEASE)/$$name "$(RESOURCED)/$${name%%-*}/$${name#*-}" || exit 1; \
	done
	@install -D -m 755 $(RELEASE)/ocf-tester "$(DESTDIR)/usr/bin/ocf-tester"
	@install -D -m 644 packaging/man/ocf-tester.1 "$(DESTDIR)/usr/share/man/man1/ocf-tester.1"
	@install -D -m 644 packaging/completions/ocf-tester.bash "$(DESTDIR)/usr/share/bash-completion/completions/ocf-tester"
	@install -D -m 644 packaging/completions/_ocf-tester "$(DESTDIR)/usr/share/zsh/vendor-completions/_ocf-tester"
	@install -D -m 644 packaging/completions/ocf-tester.fish "$(DESTDIR)/usr/share/fish/vendor_completions.d/ocf-tester.fish"

lab-tool: compiler
	cargo build --profile tool -p lab

# The tool, and with it the images.
lab: root deb lab-tool
	$(LAB) setup --packages $(DEBS)

clean-lab: root lab-tool
	$(LAB) clean

bench: stage
	cargo build --release -p bench
	cc -O2 -static -o target/floor tests/bench/floor.c
	$(RELEASE)/bench target/floor $(STAGED)/heartbeat/Dummy /usr/lib/ocf/resource.d/heartbeat/Dummy

# The container agent's monitor, on an Engine.
bench-docker: stage lab
	cargo build --release -p docker-tests
	cc -O2 -static -o target/inspect tests/bench/inspect.c
	$(LAB) exec --engine bookworm --mount $(CURDIR):$(CURDIR) $(if $(CARGO_TARGET_DIR),\
	  --mount $(abspath $(CARGO_TARGET_DIR)):$(abspath $(CARGO_TARGET_DIR))) -- \
	  env OCF_AGENTS=$(STAGED) $(abspath $(RELEASE))/bench_docker $(CURDIR)/target/inspect

# The address's, and how long a start takes.
bench-ipaddr2: stage lab
	cargo build --release -p bench
	cc -O2 -static -o target/address tests/bench/address.c
	$(LAB) exec --namespaces --timeout 1200 --mount $(CURDIR):$(CURDIR) $(if $(CARGO_TARGET_DIR),\
	  --mount $(abspath $(CARGO_TARGET_DIR)):$(abspath $(CARGO_TARGET_DIR))) -- \
	  env OCF_AGENTS=$(STAGED) $(abspath $(RELEASE))/bench_ipaddr2 $(CURDIR)/target/address

# The web server's, of a small configuration and of Debian's.
bench-apache: stage lab
	cargo build --release -p apache-tests
	cc -O2 -static -o target/http tests/bench/http.c
	$(LAB) exec --namespaces --timeout 1200 --mount $(CURDIR):$(CURDIR) $(if $(CARGO_TARGET_DIR),\
	  --mount $(abspath $(CARGO_TARGET_DIR)):$(abspath $(CARGO_TARGET_DIR))) -- \
	  env OCF_AGENTS=$(STAGED) $(abspath $(RELEASE))/bench_apache $(CURDIR)/target/http

bless: stage
	OCF_BLESS=1 cargo test -p conformance --test description -- --nocapture equals_its_golden_file
	OCF_BLESS=1 cargo test -p ocf --test contexts

# The tester's manual page and completions, from the command line's definitions and the checks; the
# agents' pages, from their checked-in descriptions.
manual: compiler
	OCF_BLESS=1 cargo test -p ocf-tester --test manual
	OCF_BLESS=1 cargo test -p packaging --test pages the_pages_are_what

deny: compiler
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
	cargo deny check
