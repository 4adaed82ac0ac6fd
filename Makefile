# Teiten. `make run` shows it, `make test` proves it, `make` builds build/teiten; `make help` lists the rest.
# SAN=address,undefined or SAN=thread build with that sanitizer, CC=clang with clang, each into a folder of its own.

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
PORT ?= 8025
FUZZ_SECONDS ?= 60
comma := ,
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(findstring clang,$(CC)),-clang)

PACKAGES_BUILD := gcc=gcc libc6-dev pkg-config libmicrohttpd-dev libcurl4-gnutls-dev libzstd-dev liblzma-dev zlib1g-dev libsodium-dev \
	libmaxminddb-dev libpcap-dev libseccomp-dev libcap-ng-dev tzdata node=nodejs npm=npm ca-certificates
PACKAGES_TEST := python3=python3 ip=iproute2 tcpdump=tcpdump tshark=tshark nmap=nmap masscan=masscan zmap=zmap clang=clang libclang-rt-14-dev chromium=chromium rsvg-convert=librsvg2-bin \
	fonts-ipaexfont-gothic mandoc=mandoc curl=curl git=git openssl=openssl nginx=nginx-light

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
# every packet passes through many small functions of several files: gcc sees them together
CFLAGS ?= -g $(if $(SAN)$(findstring clang,$(CC)),-O2,-O3 -flto=auto)
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -fno-strict-overflow -fstack-protector-strong -Isrc \
	-include src/base/banned.h $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
LDLIBS := -lmicrohttpd -lcurl -lzstd -llzma -lz -lsodium -lmaxminddb -lpcap -lseccomp -lcap-ng -lm -lpthread
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN:fuzzer-no-link%=fuzzer%))
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/web/assets.o
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/obj/unit/%.o,$(wildcard tests/unit/*.c))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
READY := deps/duckdb/libduckdb.so

all: $(BUILD)/teiten

help:
	@echo 'make run [PORT=8025]      a demonstration observatory with its pages'
	@echo 'make test                 all tests, with what they need installed'
	@echo 'make test-fleet [FLEET_ROUNDS=60]   a centre and three sensors in trouble'
	@echo 'make install DESTDIR= PREFIX=/usr/local'
	@echo 'make floors format compile_commands.json bench bench-capture bench-fleet bench-statistics fuzz [FUZZ_SECONDS=60] clean'
	@echo 'make SAN=address,undefined | SAN=thread | CC=clang'

# What has to be there before the first file compiles; a stamp makes later runs quick.
deps/.packages: scripts/need Makefile
	@scripts/need $(PACKAGES_BUILD)
	@mkdir -p deps && touch $@
$(READY): scripts/duckdb | deps/.packages
	@scripts/duckdb deps/duckdb
	@touch $@
deps/.packages-test: scripts/need Makefile | deps/.packages
	@scripts/need $(PACKAGES_TEST)
	@touch $@
deps/countries/iptoasn-country.mmdb: scripts/countries | deps/.packages
	@scripts/countries deps/countries
	@touch $@

$(BUILD)/teiten: $(BUILD)/obj/main.o $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/libteiten.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/obj/%.o: src/%.c | $(READY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(findstring src/store/duck.c,$<),-isystem deps/duckdb) -MMD -MP -c -o $@ $<
$(BUILD)/obj/cmd/version.o: ALL_CFLAGS += -DTEITEN_VERSION='"$(VERSION)"'
# The style sheet as bytes of the program.
$(BUILD)/obj/web/assets.c: web/style.css scripts/embed
	@mkdir -p $(@D)
	scripts/embed $< asset_style > $@
$(BUILD)/obj/web/assets.o: $(BUILD)/obj/web/assets.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit: $(UNIT) $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/obj/unit/%.o: tests/unit/%.c | $(READY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<
# Fuzz targets: run over their corpus by a small main of ours in every test, and by libFuzzer with `make fuzz`.
$(BUILD)/obj/fuzz/%.o: tests/fuzz/%.c | $(READY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/replay-%: $(BUILD)/obj/fuzz/fuzz_%.o $(BUILD)/obj/fuzz/replay.o $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/fuzz-%: $(BUILD)/obj/fuzz/fuzz_%.o $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/bench-%: tests/bench/%.c $(BUILD)/libteiten.a
	$(CC) $(ALL_CFLAGS) -isystem deps/duckdb $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS) -Ldeps/duckdb -lduckdb -Wl,-rpath,'$$ORIGIN/../deps/duckdb'

replays: $(FUZZ:%=$(BUILD)/replay-%)
fuzzers: $(FUZZ:%=$(BUILD)/fuzz-%)
fuzz: deps/.packages-test
	@$(MAKE) -s CC=clang SAN=fuzzer-no-link,address,undefined BUILD=build-fuzz fuzzers
	@for f in $(FUZZ); do mkdir -p build-fuzz/corpus-$$f; echo "fuzzing $$f for $(FUZZ_SECONDS) s"; \
		build-fuzz/fuzz-$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 -verbosity=0 build-fuzz/corpus-$$f \
		tests/fuzz/corpus/$$f || exit 1; done

# Runs what src/stat does over plain numbers, for comparing it with what others computed.
$(BUILD)/oracle: $(BUILD)/obj/oracle/oracle.o $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/obj/oracle/%.o: tests/oracle/%.c | $(READY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

test: deps/.packages-test deps/countries/iptoasn-country.mmdb
	@tests/run
check: test
# A centre and three sensors to which FLEET_ROUNDS things happen, such as 60.
test-fleet: $(BUILD)/teiten deps/.packages-test
	@python3 tests/cli/test_fleet.py $(BUILD)/teiten
benches: $(BENCH:%=$(BUILD)/bench-%)
bench: $(BUILD)/teiten $(BENCH:%=$(BUILD)/bench-%) deps/countries/iptoasn-country.mmdb
	@tests/bench/run $(BUILD)
# Others are measured where they are installed: nfdump softflowd argus-server argus-client tshark.
bench-capture: $(BUILD)/teiten $(BUILD)/bench-capture $(BUILD)/bench-send
	@tests/bench/run-capture $(BUILD)

bench-fleet: $(BUILD)/teiten $(BUILD)/bench-fleet
	@tests/bench/run-fleet $(BUILD)

# Judged with simulators beside the project; fit-statistics fits the thresholds anew.
bench-statistics: $(BUILD)/teiten $(BUILD)/bench-statistics
	@tests/bench/run-statistics $(BUILD)
fit-statistics: $(BUILD)/teiten $(BUILD)/bench-statistics
	@tests/bench/run-statistics $(BUILD) fit

# Every folder includes only what src/FLOORS says stands below it.
floors:
	@scripts/floors src

# The demonstration: ISDAS's own time, made by the simulator; a second run goes on with what is there.
demo/ready: scenarios/isdas-2006.scenario | $(BUILD)/teiten deps/countries/iptoasn-country.mmdb
	@echo 'regions: from a country table in the public domain (PDDL) of the npm registry, whose authors warn of errors in it;'
	@echo '         addresses of 2005 and 2006 are looked up in a table of today'
	@$(BUILD)/teiten geo build --data demo --mmdb deps/countries/iptoasn-country.mmdb \
		--source 'IPtoASN countries of 2026-06-17 (PDDL; npm copy, known to contain errors; a table of today for packets of 2005 and 2006)'
	@$(BUILD)/teiten simulate --data demo --seed 2006 scenarios/isdas-2006.scenario
	@touch $@
run: $(BUILD)/teiten demo/ready
	@exec $(BUILD)/teiten center --data demo --listen 127.0.0.1:$(PORT) --name-ja 'デモ観測所' --name-en 'Demonstration'

# The program finds the store's library in ../lib/teiten beside itself.
install: $(BUILD)/teiten
	install -D -m 755 $(BUILD)/teiten $(DESTDIR)$(PREFIX)/bin/teiten
	install -D -m 644 deps/duckdb/libduckdb.so $(DESTDIR)$(PREFIX)/lib/teiten/libduckdb.so
	for page in doc/*.1; do install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/}; done
	for unit in contrib/systemd/*.service; do install -D -m 644 $$unit $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	sed -i 's|/usr/local/bin/teiten|$(PREFIX)/bin/teiten|' $(DESTDIR)$(PREFIX)/lib/systemd/system/teiten-*.service
	install -D -m 644 doc/teiten.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/teiten

format:
	clang-format -i src/*.c src/*/*.[ch] tests/*/*.[ch] tests/*.h
compile_commands.json: Makefile
	@scripts/compile-commands '$(CC) $(ALL_CFLAGS)' $(SOURCES) src/main.c > $@
clean:
	rm -rf build build-* compile_commands.json

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all help test test-fleet check benches bench bench-capture bench-fleet bench-statistics fit-statistics run install floors format fuzz fuzzers replays clean
.SECONDARY:
