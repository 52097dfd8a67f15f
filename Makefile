# Quietline. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BUF_VERSION := 1.75.0
PROTOVALIDATE_VERSION := v1.2.2

# Settings of `make up`: DATA=DIR, LISTEN=ADDR, REHEARSAL=1, SAMPLE=no.
UP_FLAGS = $(if $(DATA),--data $(DATA)) $(if $(LISTEN),--listen $(LISTEN)) \
	$(if $(filter-out 0 no,$(REHEARSAL)),--rehearsal) --sample=$(if $(filter 0 no,$(SAMPLE)),no,yes)
# The commit that protos must stay compatible with.
AGAINST ?= HEAD~1

##@ Use

.PHONY: up build install
up: install build ## Run the whole mesh here (REHEARSAL=1: days pass in seconds; SAMPLE=no: no sample day; DATA=DIR; LISTEN=ADDR)
	exec bin/quietline up $(UP_FLAGS)

build: bin/temporal-server bin/temporal-sql-tool bin/quietline ## Build everything that `up` needs into bin/

install: ## Install missing system packages (PostgreSQL, make)
	@bash deploy/install.sh

##@ Develop

.PHONY: test bench bench-large gen lint help
test: install build check-format check-vet check-protos check-workflows check-go check-gen ## Run all checks and tests, the cheapest first
	@printf 'ok  \tquietline/all\t%ss\n' $$(( $$(date +%s) - $(STARTED) ))

bench: install build ## Measure the mesh against its baselines (at most 10 minutes; BENCH='--only filing' a part)
	bin/quietline bench $(BENCH)

bench-large: install bin/quietline ## Measure WhoHeld over ten million ledger rows and a digest over ten million reports; kept in .build/bench-large (BENCH='--only digest')
	bin/quietline bench-large $(BENCH)

gen: bin/buf bin/sqlc .build/protovalidate/buf/validate/validate.proto ## Generate code from protos and SQL
	bin/buf generate
	for config in services/*/store/sqlc.yaml; do bin/sqlc generate -f $$config; done

lint: check-format check-vet check-workflows check-protos check-gen check-lint ## Run the linters (golangci-lint takes minutes to build, once)

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z][a-z-]*:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

BENCH ?=
STARTED := $(shell date +%s)

# --- programs --------------------------------------------------------------------

.PHONY: bin/quietline # go build knows better what has changed
bin/quietline:
	go build -o $@ ./cmd/quietline

# Tools have modules of their own: their requirements conflict with the product's.
bin/temporal-server: internal/tools/temporal.mod
	@echo "Building the Temporal server: some ten minutes of processor time, once ..."
	go build -modfile=$< -o $@ go.temporal.io/server/cmd/server

bin/temporal-sql-tool: internal/tools/temporal.mod
	go build -modfile=$< -o $@ go.temporal.io/server/cmd/tools/sql

bin/sqlc: internal/tools/sqlc.mod
	@echo "Building sqlc: some five minutes of processor time, once ..."
	CGO_ENABLED=0 go build -modfile=$< -o $@ github.com/sqlc-dev/sqlc/cmd/sqlc

bin/workflowcheck: internal/tools/lint.mod
	go build -modfile=$< -o $@ go.temporal.io/sdk/contrib/tools/workflowcheck

bin/golangci-lint: internal/tools/golangci.mod
	@echo "Building golangci-lint: some minutes of processor time, once ..."
	go build -modfile=$< -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# buf comes from npm: the same program, and its build takes longer than all the rest.
bin/buf: .build/buf/$(BUF_VERSION)
	@mkdir -p bin
	ln -sf ../.build/buf/node_modules/.bin/buf $@

.build/buf/$(BUF_VERSION):
	npm install --prefix .build/buf --no-save --no-audit --no-fund --loglevel=error @bufbuild/buf@$(BUF_VERSION)
	@touch $@

# Generated Go of these protos comes as a module; only the .proto file is needed here.
.build/protovalidate/buf/validate/validate.proto: Makefile
	@mkdir -p $(@D)
	dir=$$(go mod download -json github.com/bufbuild/protovalidate@$(PROTOVALIDATE_VERSION) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'); \
		install -m 644 "$$dir/proto/protovalidate/buf/validate/validate.proto" $@

# --- checks ----------------------------------------------------------------------

# step prints one line per check, in the manner of `go test`.
define step
	@begin=$$(date +%s); if { $(2); }; then printf 'ok  \tquietline/check/%s\t%ss\n' $(1) $$(( $$(date +%s) - begin )); \
		else printf 'FAIL\tquietline/check/%s\n' $(1); exit 1; fi
endef

GO_DIRS = $(wildcard cmd deploy gateway internal services workflows)
GENERATED = find proto services -name '*.go' \( -path '*/store/*' -o -path 'proto/*' \) -type f -print0 | sort -z | xargs -0 sha256sum

.PHONY: check-format check-vet check-workflows check-go check-protos check-gen check-lint
check-format:
	$(call step,format,bad=$$(gofmt -l $(GO_DIRS)); [[ -z $$bad ]] || { echo "gofmt: $$bad"; false; })

check-vet:
	$(call step,vet,go vet ./...)

# Workflow code must replay: no clock, no maps in random order, no goroutines.
check-workflows: bin/workflowcheck
	$(call step,workflows,bin/workflowcheck ./workflows/...)

# Two packages at a time would start two Temporal servers on two cores.
check-go: bin/temporal-server bin/temporal-sql-tool
	$(call step,go,go test -count=1 -p 1 -timeout 20m ./...)

check-protos: bin/buf .build/protovalidate/buf/validate/validate.proto
	$(call step,protos,bin/buf lint && $(breaking))

# The older protos are laid beside today's validate.proto, which is not in the repository.
define breaking
if git cat-file -e '$(AGAINST):buf.yaml' 2>/dev/null; then rm -rf .build/against && mkdir -p .build/against/.build && \
	git archive '$(AGAINST)' buf.yaml proto | tar -x -C .build/against && cp -r .build/protovalidate .build/against/.build/ && \
	bin/buf breaking --against .build/against; else echo "no protos in $(AGAINST): nothing to compare with"; fi
endef

# Generated code is committed, and is what the generators make of its sources.
check-gen:
	$(call step,gen,before=$$($(GENERATED)); $(MAKE) -s gen >/dev/null && { [[ $$before == "$$($(GENERATED))" ]] || \
		{ echo "generated code differs from its sources: now it is up to date; commit it"; false; }; })

check-lint: bin/golangci-lint
	$(call step,lint,bin/golangci-lint run ./...)
