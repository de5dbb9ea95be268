# libjail: one flat Makefile.  CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR are the packager's.
#
#   make            build/libjail.so, build/libjail-audit.so, the tools
#   make demo       build, make a small root from this machine's own files, show the three jobs
#   make check      all tests (fetches cmocka when it is missing)
#   make fuzz       random sequences of calls against a kernel chroot (as root), until it is stopped
#   make bench      ratios against a kernel chroot (as root), in ten minutes; BENCH_ROUNDS=1 for a first look
#   make fuzz-names  what a line of passwd means, for FUZZ_SECONDS=60, with libFuzzer
#   make install    DESTDIR= PREFIX=, and uninstall
#   make clean

PREFIX  = /usr/local
CFLAGS  = -O2 -g
B       = build
VERSION = 0.1

WARN    = -Wall -Wextra -Wpedantic
# No libc to lean on, no start files: what the compiler adds behind our back stays out.
# Unwind tables stay: C++ exceptions and cancelled threads pass through our frames.  No sibling calls:
# a report names the call by the wrapper that is on the stack (event.c), and
# our own frames are walked by their pointers (unwind.c).
FREE    = -std=gnu11 -D_GNU_SOURCE -U_FORTIFY_SOURCE -fPIC -fvisibility=hidden -ffreestanding \
	-fno-stack-protector -fno-strict-aliasing -fno-optimize-sibling-calls -fno-omit-frame-pointer -fasynchronous-unwind-tables \
	-DLIBJAIL_VERSION='"$(VERSION)"'
# What a process writes at its start lies in one page (mem.h, BESIDE).
LINK    = -shared -Wl,-T,preload/page.ld -nostdlib -Wl,-Bsymbolic -Wl,-z,now,-z,norelro,-z,noexecstack -Wl,--hash-style=both -Wl,-z,noseparate-code -Wl,--gc-sections

SRC       := $(sort $(filter-out preload/audit.c,$(wildcard preload/*.c preload/*/*.c preload/*/*/*.c)))
# What runs in every process, then what forks and executes, lies together: the kernel maps sixteen pages of
# a file for one fault (1 to 3 us), or as many as it finds there.  So do their small variables.
FIRST     := $(patsubst %,preload/%.c,mem env sys/newer sys/lock sys/wiped sys/peek path/page real config start state call/dl \
	place guest/exec/plan guest/exec/elf guest/exec/environ guest/exec/run guest/exec/area call/exec call/fork record fdpolicy \
	self/cancel report event module guest/exec/unwatched)
OBJ       := $(patsubst %.c,$(B)/%.o,$(FIRST) $(filter-out $(FIRST),$(SRC)))
REPORT_OBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tools/report/*.c)))
AUDIT_OBJ := $(patsubst %,$(B)/preload/%.o,audit place mem sys/lock sys/newer sys/wiped)

all: $(B)/libjail.so $(B)/libjail-audit.so $(B)/jailreport tools

# Shell scripts and manual pages: they are used as they are.
TOOLS := tools/jailrun tools/jailroot
COMPAT := tools/compat/fakechroot
PAGES := tools/jailrun.1 tools/jailroot.1 tools/jailreport.1 tools/libjail.7
tools: $(TOOLS) $(COMPAT) $(PAGES)

# A library that programs have mapped is replaced, not written over.
$(B)/libjail.so: $(OBJ) preload/page.ld
	$(CC) $(LINK) -Wl,-soname,libjail.so -Wl,-z,initfirst $(CFLAGS) $(LDFLAGS) -o $@.new $(OBJ)
	@mv -f $@.new $@

$(B)/libjail-audit.so: $(AUDIT_OBJ) preload/page.ld
	$(CC) $(LINK) -Wl,-soname,libjail-audit.so $(CFLAGS) $(LDFLAGS) -o $@.new $(AUDIT_OBJ)
	@mv -f $@.new $@

# A program like any other, with a libc under it.
$(B)/jailreport: $(REPORT_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CPPFLAGS) $(CFLAGS) -std=c11 -D_GNU_SOURCE -DLIBJAIL_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

$(B)/preload/%.o: preload/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CPPFLAGS) $(CFLAGS) $(FREE) -MMD -MP -c -o $@ $<

# An aarch64 gcc calls libgcc for atomics, unless told to write them out.
INLINE := $(shell $(CC) -Werror -mno-outline-atomics -E -x c /dev/null >/dev/null 2>&1 && echo -mno-outline-atomics)
FREE += $(INLINE)

# gcc recognises the loops in mem.c as the functions they implement, and would call itself.
$(B)/preload/mem.o: FREE += -fno-builtin $(shell $(CC) -Werror -fno-tree-loop-distribute-patterns -E -x c /dev/null >/dev/null 2>&1 && echo -fno-tree-loop-distribute-patterns)

# What the scripts need to know of this build.
THIS = B='$(B)' CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' LIBJAIL_LIB='$(abspath $(B))/libjail.so'

demo: all
	@$(THIS) tools/demo

# TESTS='unit/names program' runs these alone
check: all
	@$(THIS) OBJ='$(OBJ)' tests/run.sh $(TESTS)

# FUZZ_SEED=7 FUZZ_SECONDS=600; without a number of seconds until it is stopped
fuzz: all
	@FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} FUZZ_SECONDS=$${FUZZ_SECONDS:-0} tests/oracle/random.sh

bench: all
	@$(THIS) tests/bench/run.sh

# a fuzz target against a naive reader of its own, for FUZZ_SECONDS=60
FUZZ_SECONDS = 60
fuzz-names:
	@$(THIS) FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/fuzz/run.sh names preload/names.c

install: all
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib' \
		'$(DESTDIR)$(PREFIX)/share/libjail' \
		'$(DESTDIR)$(PREFIX)/share/man/man1' '$(DESTDIR)$(PREFIX)/share/man/man7'
	install -m 755 $(TOOLS) $(B)/jailreport '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(COMPAT) '$(DESTDIR)$(PREFIX)/share/libjail'
	install -m 755 $(B)/libjail.so $(B)/libjail-audit.so '$(DESTDIR)$(PREFIX)/lib'
	install -m 644 $(filter %.1,$(PAGES)) '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 $(filter %.7,$(PAGES)) '$(DESTDIR)$(PREFIX)/share/man/man7'

uninstall:
	cd '$(DESTDIR)$(PREFIX)' && rm -f bin/jailrun bin/jailroot bin/jailreport lib/libjail.so lib/libjail-audit.so \
		share/libjail/fakechroot \
		share/man/man1/jailrun.1 share/man/man1/jailroot.1 share/man/man1/jailreport.1 share/man/man7/libjail.7

clean:
	rm -rf $(B)

.PHONY: all tools demo check fuzz bench fuzz-names install uninstall clean
-include $(OBJ:.o=.d) $(AUDIT_OBJ:.o=.d) $(REPORT_OBJ:.o=.d)
