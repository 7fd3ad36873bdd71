# agentbridge: `make help` lists what there is.
#
# One build folder per flavour (build/, build/asan/, build/clang/): flavours never mix objects.

ifeq ($(origin CC),default)
CC := gcc
endif
BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  := 0.1.0

PACKAGES := libwebsockets libcurl libuv sqlite3 libcrypto libpcre2-8
OPTIMIZE ?= -O2 -g
SANITIZE ?=
# V=1 shows the commands.
Q := $(if $(V),,@)

compiler := $(shell $(CC) --version 2>/dev/null | head -n 1 | grep -q clang && echo clang || echo gcc)

WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wold-style-definition -Wundef -Wcast-qual -Wpointer-arith -Wwrite-strings \
            -Wformat=2 -Wswitch-enum -Wvla -Wdouble-promotion -Wimplicit-fallthrough -Wredundant-decls \
            -Wunused-macros -Wdate-time
WARNINGS_gcc   := -Wcast-align=strict -Wformat-signedness -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
                  -Wjump-misses-init -Wtrampolines -Wstack-usage=65536
WARNINGS_clang := -Wcomma -Wassign-enum -Wconditional-uninitialized -Wmissing-variable-declarations
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE -fno-common -fvisibility=hidden
ifeq ($(SANITIZE),)
# Nothing here is unwound at run time, and debuggers have the tables of -g: an eighth of the program less.
HARDENING += -D_FORTIFY_SOURCE=2 -fno-asynchronous-unwind-tables -fno-unwind-tables
endif
HARDENING_gcc := -ftrivial-auto-var-init=zero

# Third-party headers are -isystem, so that their warnings are not ours.
third_cflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
third_libs   = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lhttp_parser -lm -lpthread

CPPFLAGS_ALL = -Ibridge -Iinclude -D_GNU_SOURCE -DAB_VERSION='"$(VERSION)"' -DAB_PREFIX='"$(PREFIX)"' $(third_cflags) $(CPPFLAGS)
CFLAGS_ALL   = -std=c17 $(OPTIMIZE) $(WARNINGS) $(WARNINGS_$(compiler)) $(HARDENING) $(HARDENING_$(compiler)) $(SANITIZE) $(CFLAGS)
LDFLAGS_ALL  = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

comma := ,
sources  := $(sort $(wildcard bridge/*/*.c))
library  := $(filter-out bridge/app/main.c,$(sources))
schemas  := $(sort $(wildcard schemas/*.json schemas/mcp/*.json schemas/store/*.sql))
objects  := $(library:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/embedded.o
main_o   := $(BUILD)/obj/bridge/app/main.o

support  := $(sort $(wildcard tests/unit/support/*.c))
tests    := $(sort $(wildcard tests/unit/test_*.c tests/contract/test_*.c) tests/json/verdict.c)
test_bin := $(tests:tests/%.c=$(BUILD)/tests/%)
fuzzers  := $(sort $(wildcard tests/fuzz/*.c))
fuzz_bin := $(fuzzers:tests/%.c=$(BUILD)/tests/%)
benches  := $(sort $(wildcard tests/bench/*.c))
bench_bin := $(benches:tests/%.c=$(BUILD)/%)
# What calls a fuzzer: a program that runs files through it, or (make fuzz) libFuzzer.
FUZZ_MAIN ?= $(BUILD)/obj/tests/fuzz/support/replay.o

.PHONY: all help run check deps deps-check install clean embed format format-check lint asan tsan unit fuzz fuzz-programs bench bench-programs test-programs headers clang
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BUILD)/agentbridge $(BUILD)/libagentbridge.a

help:
	@echo 'make            build build/agentbridge and build/libagentbridge.a'
	@echo 'make run        install what is missing, build, serve the example agents on 127.0.0.1:7800'
	@echo 'make check      install what the tests need, build, run every test'
	@echo 'make unit       unit and contract tests only'
	@echo 'make asan       every test but those with npm clients, under AddressSanitizer and UBSan'
	@echo 'make tsan       unit, contract, golden, delivery and kill tests under ThreadSanitizer'
	@echo 'make fuzz       each codec under libFuzzer for FUZZ_SECONDS (60); FUZZERS="json sse" runs only these'
	@echo 'make bench      the table of the README, measured on this machine: some five minutes'
	@echo 'make clang      build everything with clang into build/clang'
	@echo 'make lint       who may include whom, banned calls, headers compile alone, formatting'
	@echo 'make format     format the sources (clang-format 14)'
	@echo 'make embed      build/examples/countdown: a program with an agent of its own (examples/embed/)'
	@echo 'make install    DESTDIR= PREFIX=/usr/local'
	@echo 'make clean      remove build/'

$(BUILD)/agentbridge: $(main_o) $(BUILD)/libagentbridge.a
	$(if $(V),,@echo '  LINK  $@')
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(third_libs)

# Made anew, so that a renamed source leaves no old member behind.
$(BUILD)/libagentbridge.a: $(objects)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/obj/bridge/%.o: bridge/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $<')
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The schemas the program owns, as bytes in the binary; found by ab_embedded() of base/embedded.h.
$(BUILD)/gen/embedded.c: $(schemas) tests/lint/embed.sh Makefile
	@mkdir -p $(@D)
	sh tests/lint/embed.sh $(schemas) > $@.new && mv $@.new $@
$(BUILD)/obj/embedded.o: $(BUILD)/gen/embedded.c
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $<')
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/obj/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $<')
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests/unit -Itests/fuzz $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(support:%.c=$(BUILD)/obj/%.o) $(BUILD)/libagentbridge.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(third_libs) -lcmocka

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/support/fuzz.o $(filter %.o,$(FUZZ_MAIN)) \
                       $(BUILD)/libagentbridge.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(filter-out %.o,$(FUZZ_MAIN)) $(third_libs)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libagentbridge.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(if $(filter libraries,$*),-Wl$(comma)--no-as-needed) -o $@ $^ $(third_libs)

# As a program outside of this house would be built: the public headers, the library, and what that stands on.
$(BUILD)/examples/%: examples/embed/%.c $(BUILD)/libagentbridge.a
	@mkdir -p $(@D)
	$(if $(V),,@echo '  EMBED $@')
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror $(OPTIMIZE) $(SANITIZE) -Iinclude -o $@ $^ $(third_libs)

embed: $(BUILD)/examples/countdown
test-programs: $(test_bin) $(fuzz_bin) embed
fuzz-programs: $(fuzz_bin)
bench-programs: $(bench_bin)

# --- running and testing ---

deps:
	@sh tests/install-packages.sh run
deps-check:
	@sh tests/install-packages.sh check

# A second make, so that what was just installed is seen.
run: deps
	@$(MAKE) --no-print-directory all
	@exec $(BUILD)/agentbridge serve --hints

check: deps-check
	@$(MAKE) --no-print-directory all test-programs
	@BUILD=$(BUILD) MAKE='$(MAKE)' sh tests/run.sh all

unit: all test-programs
	@BUILD=$(BUILD) MAKE='$(MAKE)' sh tests/run.sh unit

asan_flags := BUILD=build/asan OPTIMIZE='-O1 -g -fno-omit-frame-pointer' \
              SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
asan:
	@$(MAKE) --no-print-directory $(asan_flags) all test-programs
	@BUILD=build/asan MAKE='$(MAKE)' sh tests/run.sh unit json fuzz app examples golden a2a http rest deliver never_lost platform

# The parts that run on two threads: the store's writer and what it posts to the loop.
tsan_flags := BUILD=build/tsan OPTIMIZE='-O1 -g -fno-omit-frame-pointer' SANITIZE='-fsanitize=thread'
tsan:
	@$(MAKE) --no-print-directory $(tsan_flags) all test-programs
	@BUILD=build/tsan MAKE='$(MAKE)' sh tests/run.sh unit golden deliver never_lost

fuzz_flags := BUILD=build/fuzz CC=clang OPTIMIZE='-O1 -g -fno-omit-frame-pointer' FUZZ_MAIN=-fsanitize=fuzzer \
              SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
fuzz:
	@sh tests/install-packages.sh fuzz
	@$(MAKE) --no-print-directory $(fuzz_flags) fuzz-programs
	@BUILD=build/fuzz sh tests/fuzz/run.sh $(FUZZERS)

# Never part of `make check`: what it measures depends on the machine and on what else runs there.
bench:
	@sh tests/install-packages.sh bench
	@$(MAKE) --no-print-directory all bench-programs
	@nginx=$$(sh tests/bench/nginx.sh $(BUILD)/bench) && BUILD=$(BUILD) NGINX=$$nginx python3 tests/bench/run.py

clang:
	@$(MAKE) --no-print-directory CC=clang BUILD=build/clang all test-programs

c_files := $(sources) $(wildcard bridge/*/*.h include/agentbridge/*.h tests/unit/*.c tests/unit/support/*.[ch] tests/contract/*.c \
           tests/fuzz/*.c tests/fuzz/support/*.[ch] tests/json/*.c tests/bench/*.c)

format:
	clang-format-14 -i $(c_files)

lint:
	@sh tests/lint/lint.sh
	@clang-format-14 --dry-run -Werror $(c_files)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/agentbridge \
	    $(DESTDIR)$(PREFIX)/share/agentbridge/examples/agents
	install -m 755 $(BUILD)/agentbridge $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(BUILD)/libagentbridge.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 include/agentbridge/*.h $(DESTDIR)$(PREFIX)/include/agentbridge/
	install -m 644 examples/*.jsonc $(DESTDIR)$(PREFIX)/share/agentbridge/examples/
	install -m 755 examples/agents/* $(DESTDIR)$(PREFIX)/share/agentbridge/examples/agents/

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf build
