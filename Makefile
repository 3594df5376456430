# slm.h: nothing but a C compiler and make is needed.
#   make            build/slm (command line), build/audit, build/bench
#   make run        the main result: base, reference, scores, then plain against selective training; build/report.html
#   make repro      every figure of the paper, with controls (an hour and a half; may be stopped and taken up); QUICK=1: one seed, minutes
#   make test       the tests (minutes); ends with "N passed, N failed"
#   make check      the slow ones: sanitizers, other compilers and standards, fuzz smoke; what is not installed is named
#   make bench      the README's table of speeds        make bench-peers   the same beside OpenBLAS and PyTorch
#   make mutate     breaks slm.h in many places and demands that the tests notice
#   make install PREFIX=/usr/local
# CC, CFLAGS, OPENMP=0 and REAL=double work as one expects.
ifeq ($(origin CFLAGS),undefined)     # clang at -O3 unrolls the AVX2 tile before it makes vectors of it: half as fast
CFLAGS := $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),-O2,-O3)
endif
MAKEFLAGS += -j2
PREFIX ?= /usr/local
OPENMP ?= 1
REAL ?= float

# OpenMP where the compiler has it.  No -ffast-math, and no -march: the kernels choose the instruction set when they run.
HAS = $(shell printf 'int main(void){return 0;}' | $(CC) $(1) -x c - -o /dev/null 2>/dev/null && echo $(1))
ifeq ($(OPENMP),1)
THREADS := $(call HAS,-fopenmp)
endif
# gcc sees "maybe uninitialized" where an output is set on every path that goes on: silenced.
WARNINGS = -Wall -Wextra -Wpedantic -Wno-unknown-warning-option -Wno-maybe-uninitialized
FLAGS = $(CFLAGS) $(THREADS) $(WARNINGS) $(if $(filter double,$(REAL)),-DSLM_REAL=double)
ROOMS = common slm report lab repro bench audit
INCLUDES = -I. -Itools $(ROOMS:%=-Itools/%) -Itests/support
BUILD = $(CC) -std=c99 $(FLAGS) $(INCLUDES)

TOOLS = build/slm build/audit build/bench
TOOL_PARTS = $(wildcard tools/*/*.h)
EXAMPLES = $(patsubst examples/%.c,build/examples/%,$(wildcard examples/*.c))
TESTS = $(patsubst tests/unit/%.c,build/tests/%,$(wildcard tests/unit/*.c))
SCRIPTS = $(wildcard tests/system/*.sh)

all: $(TOOLS) $(EXAMPLES)

# Rebuild when the compiler or a flag changes.
build/flags: always
	@mkdir -p build/tests build/examples
	@echo '$(CC) $(FLAGS)' | cmp -s - $@ || echo '$(CC) $(FLAGS)' > $@
always:

build/slm: tools/slm/main.c
build/audit: tools/audit/audit.c
build/bench: tools/bench/bench.c
build/run: tools/lab/run.c
$(TOOLS) build/run: slm.h $(TOOL_PARTS) build/flags
	$(BUILD) $(filter %.c,$^) -o $@ -lm
build/examples/%: examples/%.c slm.h $(TOOL_PARTS) build/flags
	$(BUILD) $< -o $@ -lm
build/tests/step_double: tests/unit/step.c
build/tests/%: tests/unit/%.c slm.h $(TOOL_PARTS) $(wildcard tests/support/*.h) build/flags
	$(BUILD) $< -o $@ -lm

run: build/run
	@build/run

# Each training on one thread, two at a time: without OpenMP no thread ever waits, and the bits are the same.  What is finished stays.
build/reproduce: tools/repro/main.c slm.h $(TOOL_PARTS) build/flags
	$(CC) -std=c99 $(CFLAGS) $(WARNINGS) -DREPRO_COMPILER='"$(CC) $(CFLAGS)"' $(INCLUDES) $< -o $@ -lm
repro: build/reproduce
	@build/reproduce run $(if $(filter 1,$(QUICK)),--quick --out build/repro-quick,--out build/repro)
	@build/reproduce report --out build/repro$(if $(filter 1,$(QUICK)),-quick)

test: $(TOOLS) $(EXAMPLES) $(TESTS)
	@CC="$(CC)" sh tests/run.sh $(TESTS) $(SCRIPTS)

check: $(TOOLS)
	@CC="$(CC)" sh tests/check.sh

mutate:
	@CC="$(CC)" sh tests/mutate.sh

bench: build/bench
	@sh tools/bench/bench.sh
bench-peers: build/bench
	@sh tools/bench/bench.sh peers

install: build/slm
	mkdir -p $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	cp slm.h $(DESTDIR)$(PREFIX)/include/slm.h
	cp build/slm $(DESTDIR)$(PREFIX)/bin/slm

clean:
	rm -rf build

.PHONY: all always run repro test check mutate bench bench-peers install clean
