# Each target does its own set-up: system packages, npm packages by the lock file, the page, then Rust.
# Caches: CARGO_TARGET_DIR and npm_config_cache are respected.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=
PAGE_SOURCES := $(shell find ui/src ui/index.html ui/vite.config.ts ui/tsconfig.json ui/package.json -type f 2>/dev/null)
# Pinned, and fetched only by who bundles.
TAURI_CLI := @tauri-apps/cli@2.12.5

.PHONY: help run test check bench bundle types page

help:
	@echo 'make run      opens Weir (with no display: one session on the Lab, a picture in out/)'
	@echo 'make test     every test, the window included'
	@echo 'make check    format, lints, types, import directions'
	@echo 'make bench    Weir beside curl, reqwest, Node and tokio-tungstenite; the window under load (ARGS=window: that part alone)'
	@echo 'make bundle   installers into $(TARGET)/release/bundle'
	@echo 'make types    ui/src/gen from the Rust types'

run:
	@.ci/setup run
	@$(MAKE) --no-print-directory page
	@.ci/open $(ARGS)

test:
	@.ci/setup test
	@$(MAKE) --no-print-directory page
	@.ci/test

check:
	@.ci/setup check
	@$(MAKE) --no-print-directory page
	@.ci/check

bench:
	@.ci/setup bench
	@$(MAKE) --no-print-directory page
	npm --prefix tests/bench/node ci --no-audit --no-fund --silent
	cargo build --release -p weir
	cargo run --release -p weir-tests --bin weir-bench -- $(ARGS)

# AppImage is left out: its tools would be downloaded at each build.
bundle:
	@.ci/setup build
	@$(MAKE) --no-print-directory page
	npx --yes $(TAURI_CLI) build $(if $(filter Linux,$(shell uname)),--bundles deb rpm) $(ARGS)

types:
	@.ci/setup build
	@$(MAKE) --no-print-directory page
	WEIR_WRITE_TYPES=1 cargo test --workspace --exclude weir-tests -q -- export_bindings the_page_knows_the_same_commands

page: ui/dist/index.html

# npm writes this file at each install, so it is as old as what is installed.
ui/node_modules/.package-lock.json: ui/package-lock.json
	npm --prefix ui ci --no-audit --no-fund
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(PAGE_SOURCES)
	npm --prefix ui run build
