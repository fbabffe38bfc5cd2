# Everything that can be done with this repository. `make help` lists it.
#
# PG_CONFIG names the Postgres that the extension is built for and installed into. Without it: Debian's packages of PG_MAJOR, by
# default the major that this Debian calls its own.

PG_CONFIG ?= /usr/lib/postgresql/$(PG_MAJOR)/bin/pg_config
PG_MAJOR ?= $(debian_major)
# Asked when a recipe runs, since apt may know it only after `make setup`; and once, since it takes apt a second.
debian_major = $(or $(found_major),$(eval found_major := $(shell apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$$/\1/p'))$(found_major))
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TARGET := $(or $(CARGO_TARGET_DIR),target)/release
SCRIPT := sql/assignment_reminders--$(VERSION).sql
# From each release before this one; what CREATE OR REPLACE cannot do is in sql/upgrade.
UPGRADE := sql/assignment_reminders--0.1.0--$(VERSION).sql
UPGRADED := upgrade $(TARGET)/script.sql sql/assignment_reminders--0.1.0.sql sql/upgrade/0.1.0--$(VERSION).sql
DESCRIBED := $(TARGET)/schema $(TARGET)/libassignment_reminders.so assignment_reminders.control $(VERSION)
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)

# The older Postgres that `make test-pg-upgrade` comes from.
OLD_PG_CONFIG ?= /usr/lib/postgresql/15/bin/pg_config

# What `make test-all` runs.
SLOW_TESTS = test-upgrade test-http test-mail torture

# Read when a recipe runs, since `make setup` may only just have installed pg_config.
MAJOR = $(shell $(PG_CONFIG) --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
FEATURES = --no-default-features --features pg$(MAJOR)
export PGRX_PG_CONFIG_PATH = $(PG_CONFIG)
export PG_CONFIG

.DEFAULT_GOAL := help

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

setup: ## Install the Debian packages that are missing, and say which.
	@scripts/setup

build: setup ## Build the release library and the schema tool.
	@cargo build --release --workspace $(FEATURES)

schema: build ## Write the install and the upgrade script that the Rust signatures and doc comments describe.
	@$(DESCRIBED) > $(TARGET)/script.sql
	@$(TARGET)/schema $(UPGRADED) > $(TARGET)/upgrade.sql
	@cp $(TARGET)/script.sql $(SCRIPT)
	@cp $(TARGET)/upgrade.sql $(UPGRADE)
	@echo "wrote $(SCRIPT) and $(UPGRADE)"

check-schema: build ## Fail when the scripts no longer match the Rust signatures and doc comments.
	@$(DESCRIBED) > $(TARGET)/script.sql
	@$(TARGET)/schema $(UPGRADED) > $(TARGET)/upgrade.sql
	@diff -u $(SCRIPT) $(TARGET)/script.sql && diff -u $(UPGRADE) $(TARGET)/upgrade.sql || { echo "the scripts in sql/ are out of date: run 'make schema'" >&2; exit 1; }

reference: schema install ## Write docs/reference.md and sql/install/definitions.txt from the catalog of a fresh installation.
	@WRITE_REFERENCE=yes scripts/with-cluster cargo test --quiet --release $(FEATURES) --test server -- reference:: the_definitions_are
	@echo "wrote docs/reference.md and sql/install/definitions.txt"

install: build ## Install the extension into the Postgres that PG_CONFIG names.
	@VERSION=$(VERSION) TARGET=$(TARGET) SUDO=$(SUDO) scripts/install-extension

setup-bench: setup ## Install what the benchmark needs.
	@scripts/setup bench

setup-worker: setup ## Install what `make worker-demo` and the tests of sending need.
	@scripts/setup worker

setup-http: setup ## Install what `make test-http` needs: a browser, npm, Python.
	@scripts/setup http

setup-mail: setup ## Install what `make test-mail` needs: npm, Python.
	@scripts/setup mail

test: check-schema install setup-worker ## Run every test against a throwaway cluster.
	@scripts/with-cluster cargo test --release --workspace $(FEATURES)

test-all: $(SLOW_TESTS) ## Run what is slow or needs large packages, after `make test`.

test-versions: ## Run `make demo` and `make test` on Postgres 17 and 18, and pg_upgrade, in chroots (as root, 12 minutes).
	@scripts/test-versions

install-released: install
	@MAJOR=$(MAJOR) SUDO=$(SUDO) scripts/install-released

test-upgrade: install-released ## Upgrade databases of released versions, built from their sources, to this one.
	@scripts/with-cluster cargo test --release $(FEATURES) --test upgrade

test-pg-upgrade: ## Bring clusters of OLD_PG_CONFIG's Postgres (15), with both versions, to a newer one by pg_upgrade.
	@$(MAKE) --no-print-directory install-released PG_CONFIG=$(OLD_PG_CONFIG)
	@$(MAKE) --no-print-directory install-released
	@OLD_PGBIN=$$($(OLD_PG_CONFIG) --bindir) scripts/with-cluster cargo test --release $(FEATURES) --test upgrade -- pg_upgrade::

test-http: install setup-http ## Drive the screen with a browser, and ask the service everything that its description allows.
	@scripts/with-cluster remindersd/tests/browser/run
	@scripts/with-cluster scripts/with-service remindersd/tests/schemathesis/run

test-mail: install setup-mail ## Let remindersd deliver send to Haraka, and Python's email package read what arrived.
	@scripts/with-cluster remindersd/tests/mail/run

torture: install ## Break clusters in every way we know, and see that no promise breaks (minutes).
	@scripts/with-cluster cargo test --release $(FEATURES) --test torture -- --nocapture --test-threads=2
	@PROPTEST_CASES=20000 scripts/with-cluster cargo test --release $(FEATURES) --test server -- bad_input

demo: install ## Show the main job on 10,000 assignments in a throwaway cluster.
	@scripts/with-cluster demo/run

worker-demo: install setup-worker ## Let remindersd deliver send the demo's messages by SMTP, with STARTTLS and a login, to a local sink.
	@scripts/with-cluster examples/worker/demo

serve: install ## Serve the demo's data over HTTP (docs/http.md) until Ctrl-C. LISTEN names an address.
	@LISTEN=$${LISTEN:-127.0.0.1:8080} scripts/with-cluster scripts/with-service demo/serve

psql: install ## Open psql in the demo's database, in a throwaway cluster.
	@scripts/with-cluster demo/run --interactive

bench: install setup-bench ## Measure beside the alternatives (ONLY="call queue" for some) and write bench/RESULTS.md.
	@scripts/with-cluster bench/run $(ONLY)

fmt: ## Format the Rust code.
	@cargo fmt --all

lint: setup ## Check format and lints.
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings
	@cargo clippy $(FEATURES) --test torture --test upgrade -- -D warnings

audit: ## Check licences and advisories of the dependencies (builds cargo-deny the first time, minutes).
	@scripts/audit

clean: ## Remove what was built.
	@cargo clean

.PHONY: help setup setup-worker setup-bench setup-http setup-mail build schema check-schema reference install test test-all install-released test-upgrade test-pg-upgrade test-http test-mail test-versions torture demo worker-demo serve psql bench fmt lint audit clean
