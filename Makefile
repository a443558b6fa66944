# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help bench bench-quick bench-profile demo test test-unit test-newest variables lint lab lab-down clean .venv .venv-clients .venv-lint

find_python = $(shell tests/tools/find_python $(1))
PYTHONS := $(foreach version,3.11 3.12 3.13,$(if $(call find_python,$(version)),$(version)))
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
# Tests with a lab wait about as long as they work, so that one more than there are cores keeps all of them busy.
WORKERS := $(shell echo $$(($(CORES) + 1)))
NEWEST := $(lastword $(PYTHONS))
OLDER := $(filter-out $(NEWEST),$(PYTHONS))
$(if $(NEWEST),,$(error No Python 3.11, 3.12 or 3.13 with ensurepip, ssl and venv was found on PATH or under ~/.pyenv))

REQUIREMENTS := tests/requirements
AMAZON_AWS := $(REQUIREMENTS)/amazon-aws.txt tests/tools/install_amazon_aws.py tests/tools/make_venv
BENCH := PYTHONPATH=tests:lab:lab/app .venv/bin/python -m bench
MAIN := $(REQUIREMENTS)/main.txt $(REQUIREMENTS)/constraints.txt

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target what; do printf '%-13s %s\n' "$$target" "$$what"; done

demo: .venv ## Break a production on this machine, roll it back, prove it (first run: up to 5 minutes, then under one)
	@lab/demo

# Another order of the files of tests, any number: no file may meet what another has left in the process that they share.
SEED ?=
SHUFFLE := $(if $(SEED),--shuffle $(SEED))

test: test-unit test-newest ## The unit tests of the collection on each Python found, all tests on the newest; SEED=7, WORKERS=4

test-unit: $(OLDER:%=.venv-%/.ready)
	@for version in $(OLDER); do \
	  echo "Unit tests of the collection on Python $$version"; \
	  .venv-$$version/bin/python -m pytest -n $(CORES) $(SHUFFLE) --hypothesis-profile brief tests/unit/plugins; \
	done

test-newest: .venv .venv-clients
	@echo "All tests on Python $(NEWEST)"
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(SHUFFLE) tests

bench: .venv .venv-clients .cache/bench/.ready ## Rollbacks side by side with what people would use instead, into docs/performance (about 75 minutes)
	@$(BENCH) $(if $(PARTS),--only $(PARTS))

bench-quick: .venv .venv-clients ## A short look at the same, into tests/output/bench (under 3 minutes)
	@$(BENCH) --quick

PLAYBOOK ?= rollback_full
bench-profile: .venv ## Where the time of one run goes; PLAYBOOK=rollback_code for another than rollback_full
	@$(BENCH) --profile $(PLAYBOOK)

lint: .venv-lint .venv/.types ## ruff, mypy, ansible-lint, ansible-test sanity, antsibull-docs, antsibull-changelog and galaxy-importer
	@PATH="$(CURDIR)/.venv-lint/bin:$$PATH" "$(CURDIR)/tests/tools/lint"

variables: .venv ## Write what the table of variables says into roles, docs/variables.md and README
	@.venv/bin/python tests/tools/write_variables.py

lab: .venv ## Start the lab
	@lab/lab up

lab-down: ## Stop the lab and remove what it left
	@lab/lab down

clean: ## Remove what make made in this folder
	@echo "Removing virtual environments, caches and built artifacts"
	@rm -rf .venv .venv-3.* .venv-clients .venv-lint .cache .pytest_cache .ruff_cache .hypothesis .ansible tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: .venv/.ready-$(NEWEST)
.venv/.types: $(REQUIREMENTS)/types.txt .venv/.ready-$(NEWEST)
	@.venv/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@touch $@
.venv-clients: .venv-clients/.ready-$(NEWEST)
.venv-lint: .venv-lint/.ready-$(NEWEST)

.venv/.ready-$(NEWEST): $(MAIN) $(AMAZON_AWS)
	@tests/tools/make_venv .venv $(call find_python,$(NEWEST)) main amazon-aws
	@touch $@

.venv-3.%/.ready: $(MAIN) $(AMAZON_AWS)
	@tests/tools/make_venv .venv-3.$* $(call find_python,3.$*) main amazon-aws
	@touch $@

.venv-clients/.ready-$(NEWEST): $(REQUIREMENTS)/clients.txt $(REQUIREMENTS)/constraints.txt tests/tools/make_venv
	@tests/tools/make_venv .venv-clients $(call find_python,$(NEWEST)) clients
	@touch $@

# A rival of the bench, never a dependency.
.cache/bench/.ready: .venv/.ready-$(NEWEST) $(AMAZON_AWS)
	@echo "Taking community.aws out of the package ansible, for the bench alone"
	@.venv/bin/python tests/tools/install_amazon_aws.py community.aws .cache/bench
	@touch $@

.venv-lint/.ready-$(NEWEST): $(REQUIREMENTS)/lint.txt $(REQUIREMENTS)/lint-constraints.txt $(AMAZON_AWS)
	@tests/tools/make_venv .venv-lint $(call find_python,$(NEWEST)) lint amazon-aws
	@touch $@
