# Teiten. `make run` shows it, `make test` proves it, `make` builds build/teiten. SAN=address,undefined or SAN=thread
# build with that sanitizer into a folder of its own; CC=clang builds with clang.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
PORT ?= 8025
comma := ,
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(findstring clang,$(CC)),-clang)

PACKAGES_BUILD := gcc=gcc libc6-dev pkg-config libmicrohttpd-dev libzstd-dev liblzma-dev zlib1g-dev libsodium-dev \
	libmaxminddb-dev tzdata node=nodejs npm=npm ca-certificates
PACKAGES_TEST := python3=python3 clang libclang-rt-14-dev chromium librsvg2-bin fonts-ipaexfont-gothic mandoc curl=curl git=git

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -fno-strict-overflow -fstack-protector-strong -Isrc -I$(BUILD) \
	-include src/base/banned.h $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
LDLIBS := -lmicrohttpd -lzstd -llzma -lz -lsodium -lmaxminddb -lm -lpthread -Ldeps/duckdb -lduckdb
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN)) -Wl,-rpath,'$$ORIGIN/../deps/duckdb:$$ORIGIN/../lib/teiten'

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/web/assets.o
UNIT := $(wildcard tests/unit/*.c)
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

all: $(BUILD)/teiten

# What has to be there before the first file compiles; the stamp makes later runs quick.
deps/.packages: scripts/need Makefile
	@scripts/need $(PACKAGES_BUILD)
	@mkdir -p deps && touch $@
deps/duckdb/libduckdb.so: scripts/duckdb | deps/.packages
	@scripts/duckdb deps/duckdb
	@touch $@

$(BUILD)/teiten: $(BUILD)/obj/main.o $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/libteiten.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/obj/%.o: src/%.c | deps/duckdb/libduckdb.so
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(findstring src/store/duck.c,$<),-isystem deps/duckdb) -MMD -MP -c -o $@ $<
$(BUILD)/obj/main.o: ALL_CFLAGS += -DTEITEN_VERSION='"$(VERSION)"'
# The style sheet as bytes of the program.
$(BUILD)/obj/web/assets.c: web/style.css scripts/embed
	@mkdir -p $(@D)
	scripts/embed $< asset_style > $@
$(BUILD)/obj/web/assets.o: $(BUILD)/obj/web/assets.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit: $(UNIT:tests/unit/%.c=$(BUILD)/obj/unit/%.o) $(BUILD)/libteiten.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/obj/unit/%.o: tests/unit/%.c | deps/duckdb/libduckdb.so
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all
