# slm.h: nothing but a C compiler and make is needed.
#   make             build/slm (command line), build/audit, build/bench, the examples
#   make run         the main result: base, reference, scores, then plain against selective
#                    training; build/report.html
#   make repro       every figure of the paper, with controls (hours; may be stopped
#                    and taken up); QUICK=1: one seed, minutes
#   make results     what the runs of make repro found, thinned, into .github/results; README's
#                    tables anew
#   make data        where the other texts of the evidence come from; downloads nothing
#   make test        the tests (minutes); ends with "N passed, N failed"
#   make check       the slow ones: sanitizers, other compilers and standards, fuzz smoke; what is
#                    not installed is named
#   make style       the layout of all files against its rules (seconds)
#   make book        build/slm.html: slm.h as a page to read, comment beside code
#   make web         build/web/index.html: the method in a browser, in one file (emscripten)
#   make fuzz        every reader under clang's libFuzzer; TARGET=json, TIME=60 (seconds each) or
#                    RUNS=1000000; goes on where it stopped, and prints a table
#   make coverage    which lines of slm.h's readers neither tests nor fuzzing reach, and why
#   make mutate      breaks slm.h in many places and demands that the tests notice
#   make mutants     the same by rule: hundreds of small errors in all sections
#   make crash       kills the tool at every file operation, and fails the power 10,000 times
#   make bench       the README's table of speeds
#   make bench-peers the same beside OpenBLAS and PyTorch; encoding beside npm's tokenizers
#   make mpi         build/slm-mpi: train and score on several machines, under mpirun; needs MPI
#   make bench-mpi   how fast 1 to 4 processes are here, and what a thousand would be
#   make build/slm.exe   the command line for Windows, by MinGW (MINGW= names another compiler)
#   make man         build/slm.1, the manual page, from the tables of options
#   make install PREFIX=/usr/local       slm.h, the program, slm.pc for pkg-config, the manual page,
#                    completions for bash, zsh and fish
#   make uninstall PREFIX=/usr/local
#   make help        this text
# CC, CFLAGS, OPENMP=0, REAL=double and -j work as one expects.

# At -O3 clang unrolls the AVX2 tile before it makes vectors of it, and is half as fast.
ifeq ($(origin CFLAGS),undefined)
CFLAGS := $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),-O2,-O3)
endif
PREFIX ?= /usr/local
OPENMP ?= 1
REAL ?= float

# OpenMP where the compiler has it.  No -ffast-math, and no -march: the kernels choose the
# instruction set when they run.
ifeq ($(OPENMP),1)
THREADS := $(shell tools/dev/openmp "$(CC)")
endif
WARNINGS = -Wall -Wextra -Wpedantic
FLAGS = $(CFLAGS) $(WARNINGS) $(if $(filter double,$(REAL)),-DSLM_REAL=double)
INCLUDES = -I. -Itools
COMPILE = $(CC) -std=c99 $(FLAGS) $(INCLUDES) -MMD -MP

TOOLS = build/slm build/audit build/bench
# One of them needs MPI, which make mpi asks for.
LESSONS = $(filter-out %_mpi.c,$(wildcard examples/*.c))
EXAMPLES = $(LESSONS:examples/%.c=build/examples/%)
TESTS = $(patsubst tests/unit/%.c,build/tests/%,$(wildcard tests/unit/*.c))
# The walk-through trains for minutes, and MPI is not everywhere: they are parts of check.
SCRIPTS = $(filter-out %/forms.sh %/walkthrough.sh %/mpi.sh %/windows.sh, \
    $(wildcard tests/system/*.sh))

all: $(TOOLS) $(EXAMPLES)

# Everything is built again when the compiler or a flag changes.
build/flags: always
	@mkdir -p build/examples build/tests
	@echo '$(CC) $(THREADS) $(FLAGS)' | cmp -s - $@ || echo '$(CC) $(THREADS) $(FLAGS)' >$@
always:

# One object a source, in build/obj with OpenMP and in build/serial without.
build/obj/%.o: %.c build/flags
	@mkdir -p $(@D)
	$(COMPILE) $(filter-out -L% -l%,$(THREADS)) -c $< -o $@
build/serial/%.o: %.c build/flags
	@mkdir -p $(@D)
	$(COMPILE) -DREPRO_COMPILER='"$(CC) $(CFLAGS)"' -DREPRO_COMMIT='"$(COMMIT)"' -c $< -o $@
-include $(wildcard build/*/*/*/*.d build/tests/*.d)

room = $(patsubst %.c,build/obj/%.o,$(wildcard tools/$(1)/*.c))
COMMON = $(call room,common)
REPORT = $(call room,report) build/obj/build/assets.o

# The style and the script of the pages, as C strings.
build/embed: tools/dev/embed.c build/flags
	$(CC) -std=c99 $(FLAGS) $< -o $@
build/assets.c: build/embed $(wildcard tools/report/*.css tools/report/*.js)
	build/embed $(filter-out build/embed,$^) >$@

# Folders of the shape of large models, to measure on.
build/random_model: build/obj/tools/dev/random_model.o $(COMMON)
	$(CC) $(CFLAGS) $(THREADS) $^ -o $@ -lm

# bench and audit hold the implementation themselves.
build/slm: $(call room,slm) $(COMMON) $(REPORT)
build/audit: $(call room,audit) $(addprefix build/obj/tools/common/,npy.o os.o start.o text.o)
build/bench: $(call room,bench) $(patsubst %,build/obj/tools/common/%.o,cli os progress start text)
build/run: $(call room,lab) $(COMMON) $(REPORT)
$(TOOLS) build/run:
	$(CC) $(CFLAGS) $(THREADS) $^ -o $@ -lm

# The same program with another group of processes; MPICC and MPI name another MPI and the place.
MPICC ?= mpicc
MPI ?= build/slm-mpi
build/mpi_compiler: always
	@mkdir -p build
	@echo '$(MPICC)' | cmp -s - $@ || echo '$(MPICC)' >$@
$(MPI): tools/mpi/group_mpi.c build/mpi_compiler $(call room,slm) \
    $(filter-out %/group_alone.o,$(COMMON)) $(REPORT)
	@mkdir -p $(@D)
	$(MPICC) -std=c99 $(FLAGS) $(INCLUDES) $(THREADS) $(filter %.c %.o,$^) -o $@ -lm
build/examples/%_mpi: examples/%_mpi.c slm.h build/flags build/mpi_compiler
	$(MPICC) -std=c99 $(FLAGS) -I. $< -o $@ -lm
mpi: $(MPI) build/examples/15_mpi

# An example is one file beside slm.h.  So is a test, unless it looks into a part of tools/.
build/examples/%: examples/%.c slm.h build/flags
	$(CC) -std=c99 $(FLAGS) $(THREADS) -I. $< -o $@ -lm
TOKEN_FILE = documents errors npy os source corpus_join token_source token_file
build/tests/data: $(TOKEN_FILE:%=build/obj/tools/common/%.o)
build/tests/tokenizer: build/obj/tools/slm/gpt2.o build/obj/tools/common/errors.o
build/tests/answers: build/obj/tools/slm/answer.o
build/tests/stats: build/obj/tools/repro/stats.o build/obj/tools/repro/coverage.o
build/tests/scores: build/obj/tools/slm/losses_join.o build/obj/tools/common/errors.o
GGUF = slm/gguf_read slm/gguf_write slm/gguf_config slm/gguf_tokenizer slm/convert_rope \
    slm/token_pairs slm/numbers common/errors common/os common/text
build/tests/gguf: $(GGUF:%=build/obj/tools/%.o)
LAB = lab/corpus lab/filter lab/token_rules lab/experiment common/progress common/os
build/tests/lab: $(LAB:%=build/obj/tools/%.o)
build/tests/%: tests/unit/%.c slm.h build/flags
	$(COMPILE) -MF $@.d $(THREADS) -DSLM__TEAM_JUDGES=0 -Itests/support $(filter %.c %.o,$^) \
	    -o $@ -lm

# Every reader in one program, for libFuzzer; replay runs inputs of it again, with any compiler.
FUZZED = $(filter-out tools/slm/main.c,$(wildcard tools/slm/*.c)) \
    $(filter-out %/lock.c %/os.c %/slm_impl.c %/start.c,$(wildcard tools/common/*.c)) \
    $(wildcard tools/report/*.c tools/repro/data*.c) \
    $(addprefix tools/repro/,room.c stats.c) build/assets.c
build/fuzz: tests/fuzz/fuzz.c tests/fuzz/os.c $(FUZZED) slm.h \
    $(wildcard tests/fuzz/*.h tools/*/*.h tools/audit/summary.c)
	clang -std=c99 -g -O1 -Wno-pass-failed -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all $(INCLUDES) $(filter %.c,$(filter-out %/summary.c,$^)) -o $@ -lm
fuzz_sources: build/assets.c
	@echo tests/fuzz/fuzz.c tests/fuzz/os.c $(FUZZED)
build/obj/tests/fuzz/fuzz.o: tests/fuzz/fuzz.c build/flags
	@mkdir -p $(@D)
	$(CC) -std=c99 -O1 $(WARNINGS) $(INCLUDES) -MMD -MP -DREPLAY -c $< -o $@
build/replay: build/obj/tests/fuzz/fuzz.o build/obj/tests/fuzz/os.o $(FUZZED:%.c=build/obj/%.o)
	$(CC) $(CFLAGS) $(THREADS) $^ -o $@ -lm

# The command line for Windows, where MinGW is installed.
MINGW ?= x86_64-w64-mingw32-gcc-posix
build/slm.exe: $(wildcard tools/slm/*.[ch] tools/common/*.[ch] tools/report/*.[ch]) slm.h \
    build/assets.c
	$(MINGW) -std=c99 -O2 -fopenmp -static $(WARNINGS) $(INCLUDES) $(filter %.c,$^) -o $@ -lm

run: build/run
	@build/run

# Each training is on one thread, two at a time: without OpenMP no thread ever waits, and the bits
# are the same.  What is finished is kept.
COMMIT := $(or $(shell git describe --always --dirty --abbrev=40 2>/dev/null),unknown)
build/commit: always
	@mkdir -p build
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
build/serial/tools/repro/tables.o: build/commit
REPRO = $(patsubst build/obj/%,build/serial/%,$(call room,repro) \
	$(filter-out %/run.o %/run_report.o,$(call room,lab)) $(COMMON) $(REPORT))
build/reproduce: $(REPRO)
	$(CC) $(CFLAGS) $^ -o $@ -lm
# Made-up runs for the tests of the report, and made-up pages for tests/browser.
build/fixture: build/serial/tests/support/fixture.o $(filter-out %/repro/main.o,$(REPRO))
	$(CC) $(CFLAGS) $^ -o $@ -lm
build/pages: build/obj/tests/browser/pages.o $(COMMON) $(REPORT)
	$(CC) $(CFLAGS) $(THREADS) $^ -o $@ -lm
repro: build/reproduce
	@build/reproduce run $(if $(filter 1,$(QUICK)),--quick --out build/repro-quick,--out build/repro)
	@build/reproduce report --out build/repro$(if $(filter 1,$(QUICK)),-quick)

# Puts what the runs in build/repro found into .github/results, and README's tables anew.
results: build/reproduce
	@sh tools/repro/ship.sh build/repro .github/results README.md

data:
	@sh tools/repro/data.sh

# Two compilers at a time, unless -j was given.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j2)
test:
	@$(MAKE) $(JOBS) --no-print-directory $(TOOLS) $(EXAMPLES) $(TESTS) build/replay
	@CC="$(CC)" sh tests/run.sh $(TESTS) $(SCRIPTS)

check: $(TOOLS)
	@CC="$(CC)" sh tests/check.sh

style:
	@tools/dev/check_sections

# slm.h to be read: comment beside code, every name a link.
build/book: $(wildcard tools/dev/book/*.[ch]) build/flags
	$(CC) -std=c99 $(FLAGS) $(filter %.c,$^) -o $@
build/slm.html: build/book slm.h tools/dev/book/book.css
	build/book slm.h tools/dev/book/book.css >$@.tmp
	mv $@.tmp $@
book: build/slm.html

# The method in a browser: slm.h as WebAssembly, in one page without a network.  WebAssembly has no
# fused multiply-add, so that its bits are those of a build without one.
WEB = $(addprefix tools/,web/lesson.c lab/corpus.c lab/experiment.c lab/token_rules.c \
	common/progress.c common/os.c common/slm_impl.c)
WEB_PARTS = $(wildcard tools/web/*.css tools/web/*.js) \
	tools/report/page.css tools/report/heatmap.css tools/report/moves.js
build/web/module.js: $(WEB) slm.h $(wildcard tools/web/*.h tools/lab/*.h tools/common/*.h)
	@mkdir -p build/web
	@command -v emcc >/dev/null || { echo 'make web: no emcc (install emscripten)'; exit 1; }
	names=$$(sed -n 's/^[a-z].*[ *]\(lesson_[a-z_]*\)(.*/_\1/p' tools/web/lesson.h | \
	    paste -s -d , -) && \
	NODE_PATH=/usr/share/nodejs emcc -std=c99 -O3 -msimd128 $(WARNINGS) $(INCLUDES) $(WEB) -o $@ \
	    -s SINGLE_FILE=1 -s ENVIRONMENT=worker -s ALLOW_MEMORY_GROWTH=1 -s MODULARIZE=1 \
	    -s EXPORT_NAME=make_lesson -s EXPORTED_RUNTIME_METHODS=FS,UTF8ToString \
	    -s EXPORTED_FUNCTIONS=_malloc,_free,$$names
build/web/index.html: tools/web/join.awk tools/web/index.html $(WEB_PARTS) build/web/module.js
	awk -f tools/web/join.awk tools/web/index.html >$@.tmp
	mv $@.tmp $@
web: build/web/index.html
# The same for this machine, to hold the page against (without AVX2) and `slm train`.
build/web/lesson: build/obj/tests/browser/web.o build/obj/tools/web/lesson.o \
	    $(addprefix build/obj/tools/,lab/corpus.o lab/experiment.o lab/token_rules.o \
	    common/progress.o common/os.o common/slm_impl.o)
	@mkdir -p build/web
	$(CC) $(CFLAGS) $(THREADS) $^ -o $@ -lm
build/web/native: tests/browser/web.c $(WEB) slm.h tools/web/lesson.h
	@mkdir -p build/web
	$(CC) -std=c99 $(FLAGS) -Wno-unused-function '-DSLM__ISA()=SLM__ISA_PLAIN' $(INCLUDES) \
	    $(filter %.c,$^) -o $@ -lm

fuzz: build/fuzz
	@TARGET="$(TARGET)" TIME="$(TIME)" RUNS="$(RUNS)" sh tests/fuzz.sh

coverage:
	@sh tests/coverage.sh

mutate:
	@CC="$(CC)" sh tests/mutate.sh
mutants:
	@CC="$(CC)" sh tests/mutants.sh

crash: build/slm
	@CC="$(CC)" sh tests/crash/crash.sh all

bench: build/bench
	@sh tools/bench/bench.sh
bench-mpi: build/slm-mpi
	@sh tools/bench/mpi.sh
bench-peers: build/bench build/slm
	@sh tools/bench/bench.sh peers

# The manual page and the completions are made by the program itself.
build/slm.1: build/slm
	build/slm manual man >$@.tmp
	mv $@.tmp $@
man: build/slm.1

SHARE = $(DESTDIR)$(PREFIX)/share
BASH_FILE = $(SHARE)/bash-completion/completions/slm
ZSH_FILE = $(SHARE)/zsh/site-functions/_slm
FISH_FILE = $(SHARE)/fish/vendor_completions.d/slm.fish

install: build/slm build/slm.1
	mkdir -p $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	cp slm.h $(DESTDIR)$(PREFIX)/include/slm.h
	cp build/slm $(DESTDIR)$(PREFIX)/bin/slm
	mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: slm' \
	    'Description: Selective Language Modeling in one C header' \
	    "Version: $$(sed -n 's/^#define SLM_VERSION "\(.*\)"/\1/p' slm.h)" \
	    'Cflags: -I$${prefix}/include' 'Libs: -lm' \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/slm.pc
	mkdir -p $(SHARE)/man/man1 $(dir $(BASH_FILE) $(ZSH_FILE) $(FISH_FILE))
	cp build/slm.1 $(SHARE)/man/man1/slm.1
	build/slm manual bash >$(BASH_FILE)
	build/slm manual zsh >$(ZSH_FILE)
	build/slm manual fish >$(FISH_FILE)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/slm.h $(DESTDIR)$(PREFIX)/bin/slm \
	    $(DESTDIR)$(PREFIX)/lib/pkgconfig/slm.pc $(SHARE)/man/man1/slm.1 \
	    $(BASH_FILE) $(ZSH_FILE) $(FISH_FILE)

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

clean:
	rm -rf build

.PHONY: all always run repro results data test check fuzz fuzz_sources coverage style book web \
    mutate crash bench bench-peers bench-mpi mpi man install uninstall help clean
