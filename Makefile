# What a newcomer types. Everything is built into one folder, which CI keeps beyond its clone. What a new machine lacks is
# fetched: a browser for tests, and libtorch (0.5 GB, once, into the user's cache; $$LIBTORCH names another).
.PHONY: build build-for-tests demo test test-long test-times kills bench projections bits screens simulations scaling install oracle rehearsal pretrain check tools

CARGO ?= cargo
WITH_LIBTORCH = libtorch="$$(scripts/libtorch)" && LIBTORCH="$$libtorch"
# Only what runs needs onnxruntime (28 MB, once, into the user's cache; $$ONNXRUNTIME names another): tests and benches.
WITH_ONNXRUNTIME = onnxruntime="$$(scripts/onnxruntime)" && export ONNXRUNTIME="$$onnxruntime"
PREFIX ?= $(HOME)/.local

# Tests inject faults (a crash, a full disk, another machine), so they build with the feature. `make build`, `make demo`, `make bench`
# and `make install` do not have it. Both builds stay in the target folder: only the packages of this repository are compiled
# twice, each when it is first asked for. CI builds for the tests only, once.
WITH_FAULTS = --features fault-injection

# What tests write, and what they keep in the user's cache, goes into a folder of their own, which is removed at the end.
WITH_FOLDER = folder="$$(scripts/test-folder)" && trap 'rm -rf "$$folder"' EXIT && export TMPDIR="$$folder" XDG_CACHE_HOME="$$folder/cache"

## build: the programs visavis, visavis-torch and visavis-onnx, side by side
build:
	@$(WITH_LIBTORCH) $(CARGO) build --quiet --workspace

build-for-tests:
	@$(WITH_LIBTORCH) $(CARGO) build --quiet --workspace $(WITH_FAULTS)

## demo: build, draw faces, train networks on them, write reports/demo.html
demo: build
	@"$${CARGO_TARGET_DIR:-target}/debug/visavis" demo

## test: every test of every day; installs a browser, bindfs and Slurm for some of them if the machine has none (Slurm as root only)
test: tools build-for-tests
	@$(WITH_ONNXRUNTIME) && $(WITH_LIBTORCH) && export LIBTORCH && $(WITH_FOLDER) && \
	$(CARGO) test --quiet --workspace $(WITH_FAULTS) -- $$(scripts/tests-left-out)

## test-long: the same, with ten thousand damaged study files, a minute of damaged inputs for each reader of files, a thousand kills, a failure at every operation on a disk, and studies on a Slurm of two nodes
test-long: tools build-for-tests
	@$(WITH_ONNXRUNTIME) && $(WITH_LIBTORCH) && export LIBTORCH && $(WITH_FOLDER) && \
	VISAVIS_LONG=1 $(CARGO) test --quiet --workspace $(WITH_FAULTS) -- $$(scripts/tests-left-out)

## test-times: every test of every day, then seconds by test file or module, and the slowest ten tests
test-times: tools build-for-tests
	@$(WITH_ONNXRUNTIME) && $(WITH_LIBTORCH) && export LIBTORCH && $(WITH_FOLDER) && scripts/test-times

## kills: the table of kills; VISAVIS_LONG=1 makes twenty a thousand
kills:
	$(CARGO) test --quiet $(WITH_FAULTS) --test visavis kills -- --nocapture

## bench: speed of what `make demo` builds, each number beside a peer (scikit-learn, MLflow, PyTorch, onnxruntime) or a limit; PYTHON names a
## Python with the peers, ONNX_MODEL an ONNX model to be measured
bench: build
	@$(WITH_ONNXRUNTIME) && $(WITH_LIBTORCH) $(CARGO) bench --quiet --profile dev --workspace

## projections: quality over ten seeds beside scikit-learn, umap-learn and openTSNE, then digests with 1, 2 and 16 threads; PYTHON
## names a Python with them, VISAVIS_DEMO a workspace in which the demo was run
projections:
	@$(CARGO) bench --quiet --profile dev --bench projections -- quality
	@$(CARGO) bench --quiet --profile dev --bench projections -- bits

## bits: the digests of every projection from this build, and from one for processors with AVX2 and FMA (x86-64-v3), whose whole
## code may use them; fails where a bit differs. The second build takes some minutes
BITS = $(CARGO) bench --quiet --profile dev --bench projections -- bits
bits:
	@$(BITS) | tee "$${CARGO_TARGET_DIR:-target}/bits"
	@RUSTFLAGS="-C target-cpu=x86-64-v3" CARGO_TARGET_DIR="$${CARGO_TARGET_DIR:-target}/v3" $(BITS) | diff "$${CARGO_TARGET_DIR:-target}/bits" -
	@echo "a build for x86-64-v3 gives the same"

## screens: the pictures of screens in docs/screens, drawn anew by the program from the digits' study
screens:
	VISAVIS_BLESS=1 $(CARGO) test --quiet $(WITH_FAULTS) --test visavis the_demo_runs_from_any_folder -- --nocapture

## simulations: the tables of docs/statistics.md: coverage, family-wise error, what choosing flatters; some minutes
simulations:
	VISAVIS_LONG=1 $(CARGO) test --quiet -p visavis-core --lib simulations -- --include-ignored --nocapture --test-threads 1

## scaling: seconds and memory of projections from 1,000 to 202,599 x 512; half an hour
scaling:
	@VISAVIS_FIGURE=docs/scaling.svg $(CARGO) bench --quiet --profile dev --bench projections -- scaling

## oracle: the table of scores beside scikit-learn's
oracle:
	$(CARGO) test --quiet $(WITH_FAULTS) --test visavis oracle -- --nocapture

## rehearsal: the source study, whole, on drawn faces, with random weights in the formats of the files that people have: an hour and
## more; QUICK=1: five minutes. PYTHON names a Python with torch, which only writes those files
rehearsal: build
	@$(WITH_LIBTORCH) && export LIBTORCH && scripts/rehearsal $(if $(QUICK),--quick)

## pretrain: the networks that the demo is given, trained again: experiments/pretrain.yaml; some half an hour on two cores
pretrain: build
	@$(WITH_LIBTORCH) && export LIBTORCH && scripts/pretrain

## install: the programs, optimised, into PREFIX/bin, libtorch and onnxruntime beside them into PREFIX/lib/visavis; they may be moved
## together. `make install LIBTORCH=…` takes another libtorch
install:
	@$(WITH_ONNXRUNTIME) && $(WITH_LIBTORCH) && export LIBTORCH && $(CARGO) build --quiet --release --workspace --locked && \
	mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib/visavis" && \
	for program in visavis visavis-torch visavis-onnx; do \
		cp -f "$${CARGO_TARGET_DIR:-target}/release/$$program" "$(PREFIX)/bin/" || exit 1; done && \
	cp -fL "$$libtorch"/all/*.so* "$$onnxruntime" "$(PREFIX)/lib/visavis/"
	@echo "installed into $(PREFIX)/bin"

## check: what CI checks beyond the tests
check:
	$(CARGO) fmt --all --check
	@$(WITH_LIBTORCH) $(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	@$(WITH_LIBTORCH) RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --workspace --no-deps --document-private-items

tools:
	@scripts/browser
	@scripts/bindfs
