# SPDX-License-Identifier: MIT
# Builds everything into $(BUILD):
#   aril.elf     the kernel, with init inside          exos       the Linux library OS, an ELF image
#   native/NAME  programs on libos/core                mkcpio, front   host tools
#   aril-top     a Linux program, for the file system
#   aril-bpf     checks, runs and shows downloaded code on the host
#   libext.a     ext/ for native programs              libext-host.a   ext/ for the host
# Variables: BUILD=dir CC=clang WERROR=0 (else warnings are errors) V=1 KCFLAGS=, UCFLAGS= (added for kernel, for
# libraries).

BUILD ?= build
WERROR ?= 1
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
HOSTCC ?= cc
LD ?= ld
NM ?= nm
OBJCOPY ?= objcopy
PYTHON ?= python3
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-8s %s\n' $(1) $(2))

GEN := $(BUILD)/gen
CALLS := $(GEN)/aril/calls.h
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes $(if $(filter-out 0,$(WERROR)),-Werror)
COMMON := -std=gnu11 -O2 -g $(WARN) -ffreestanding -fno-stack-protector -fno-common \
	-fno-strict-aliasing -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	-fcf-protection=none -mgeneral-regs-only -MMD -MP -Iabi/include -I$(GEN)
KFLAGS := $(COMMON) -fno-pic -mno-red-zone -mcmodel=kernel \
	-Ikernel/arch/x86_64 -Ikernel -I$(BUILD) -Iext $(KCFLAGS)
# Library code addresses relative to rip, so that one object serves images linked at any address.
UFLAGS := $(COMMON) -fpie -fvisibility=hidden -Ilibos/core/include -Ilibos/core $(UCFLAGS)
XFLAGS := $(UFLAGS) -Ilibos/exos/include -Ilibos/exos
LDFLAGS := -nostdlib -static -z noexecstack -z max-page-size=4096 --build-id=none \
	--no-warn-rwx-segments
EFLAGS := $(UFLAGS) -Iext
HOSTFLAGS := -std=gnu11 -O2 -g $(WARN) -MMD -MP -Iabi/include -Ilibos/core/include $(HOSTCFLAGS)
# The engine for the host, from the same sources: no float, no alias rules, as for the code authority.
EHFLAGS := $(HOSTFLAGS) -ffreestanding -fno-strict-aliasing -Iext

# Sources are found, not listed.
KSRC := $(wildcard kernel/*.c kernel/dev/*.c kernel/arch/x86_64/*.c kernel/arch/x86_64/*.S)
CORESRC := $(wildcard libos/core/*.c libos/core/*.S)
INITSRC := $(wildcard programs/init/*.c programs/init/*.S)
EXTSRC := $(wildcard ext/*.c)
BPFSRC := $(wildcard tools/bpf/*.c)
EXTENSIONS := $(patsubst programs/ext/%.bpf.c,$(BUILD)/ext/%.o,$(wildcard programs/ext/*.bpf.c)) \
	$(patsubst bench/points/%.bpf.c,$(BUILD)/ext/%.o,$(wildcard bench/points/*.bpf.c)) \
	$(patsubst tests/native/points/%.bpf.c,$(BUILD)/ext/%.o,$(wildcard tests/native/points/*.bpf.c))
XSRC := $(sort $(shell find libos/exos -name '*.[cS]' 2>/dev/null))
NATIVESRC := $(wildcard programs/*.c bench/*.c tests/native/*.c tests/adversary/*.c tests/beside/*.c)
NATIVE := $(addprefix $(BUILD)/native/,$(notdir $(NATIVESRC:.c=))) $(BUILD)/native/fuzz $(BUILD)/native/authority

kobj = $(patsubst %,$(BUILD)/obj/%.o,$(1))
KEXT := ext/map.c # of the engine: what handlers call
KOBJ := $(call kobj,$(KSRC)) $(BUILD)/obj/gen/call_table.c.o $(KEXT:ext/%=$(BUILD)/obj/kernel-ext/%.o)
# COVERAGE=1: a kernel that counts its branches (tools/coverage/run)
ifdef COVERAGE
KCOUNT := -O1 -fprofile-arcs -ftest-coverage -fprofile-info-section -fprofile-update=atomic
KOBJ += $(BUILD)/obj/tools/coverage/dump.c.o $(shell $(CC) -print-file-name=libgcov.a)
endif
COREOBJ := $(call kobj,$(CORESRC))
INITOBJ := $(call kobj,$(INITSRC))
XOBJ := $(call kobj,$(XSRC))

.PHONY: all kernel init exos native tools top ext bpf extensions docs format clean
.DELETE_ON_ERROR:
.SECONDARY:

all: kernel exos native tools top ext bpf extensions
kernel: $(BUILD)/aril.elf
init: $(BUILD)/init.bin
exos: $(BUILD)/exos
native: $(NATIVE)
tools: $(BUILD)/mkcpio $(BUILD)/front
top: $(BUILD)/aril-top
ext: $(if $(EXTSRC),$(BUILD)/libext.a $(BUILD)/libext-host.a)
extensions: $(EXTENSIONS)
bpf: $(if $(BPFSRC),$(BUILD)/aril-bpf)

# --- generated from abi/calls.tbl; the script leaves files alone that would not change
$(BUILD)/gen.stamp: abi/calls.tbl abi/include/aril/error.h tools/gencalls.py
	$(call say,GEN,$(GEN))
	$(Q)$(PYTHON) tools/gencalls.py abi/calls.tbl --out $(GEN)
	$(Q)touch $@ $(CALLS) $(GEN)/call_table.c $(GEN)/aril_stubs.h $(GEN)/call_handlers.h
$(CALLS) $(GEN)/call_table.c $(GEN)/aril_stubs.h $(GEN)/call_handlers.h: $(BUILD)/gen.stamp ;

docs: docs/10-calls.md docs/44-linux-calls.md
docs/44-linux-calls.md: libos/exos/syscalls.h tools/linux-x86_64.txt tools/gensyscalls.py
	$(PYTHON) tools/gensyscalls.py libos/exos/syscalls.h tools/linux-x86_64.txt >$@
docs/10-calls.md: abi/calls.tbl abi/include/aril/error.h tools/gencalls.py
	$(PYTHON) tools/gencalls.py abi/calls.tbl --doc $@
	@touch $@

# --- flags are a dependency: another compiler or another -D rebuilds; whether warnings are errors does not
FLAGS := $(CC) $(filter-out -Werror,$(KFLAGS) $(XFLAGS) $(EFLAGS))
$(shell mkdir -p $(BUILD); echo '$(FLAGS)' | cmp -s - $(BUILD)/flags || echo '$(FLAGS)' >$(BUILD)/flags)

# --- objects
define compile
$(BUILD)/obj/$(1)/%.o: $(1)/% $(BUILD)/flags | $(BUILD)/gen.stamp
	$$(call say,$(2),$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$($(3)) -c -o $$@ $$<
endef
KCFILE = $(KFLAGS) $(KCOUNT)
$(eval $(call compile,kernel,CC,KCFILE))
$(eval $(call compile,tools/coverage,CC,KFLAGS))
$(eval $(call compile,libos/core,CC,UFLAGS))
$(eval $(call compile,libos/exos,CC,XFLAGS))
$(eval $(call compile,libos/vdso,CC,VFLAGS))
$(eval $(call compile,ext,CC,EFLAGS))
$(eval $(call compile,programs,CC,UFLAGS))
$(eval $(call compile,bench,CC,UFLAGS))
$(eval $(call compile,tests/native,CC,UFLAGS))
$(eval $(call compile,tests/adversary,CC,UFLAGS))
$(eval $(call compile,tests/beside,CC,UFLAGS))

$(BUILD)/obj/kernel-ext/%.o: ext/% $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KFLAGS) -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(GEN)/% $(BUILD)/flags | $(BUILD)/gen.stamp
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KFLAGS) -c -o $@ $<

# --- images; each link leaves a map and a sorted symbol list beside its output
# $(call link,script,objects)
define link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LD) $(LDFLAGS) -T $(1) -Map=$@.map -o $@ $(2)
	$(Q)$(NM) -n $@ >$@.sym
endef

$(BUILD)/init.elf: $(COREOBJ) $(INITOBJ) programs/init/init.ld
	$(call link,programs/init/init.ld,$(INITOBJ) $(COREOBJ))
$(BUILD)/init.bin: $(BUILD)/init.elf
	$(Q)$(OBJCOPY) -O binary $< $@
$(BUILD)/obj/kernel/arch/x86_64/init_image.S.o: $(BUILD)/init.bin

# The vDSO: what of ExOS lies in each program's own memory, position-independent, with what debuggers need to unwind it.
VFLAGS := $(filter-out -fno-pic -fno-omit-frame-pointer -fno-asynchronous-unwind-tables,$(COMMON)) -fpic -fvisibility=hidden \
	-fomit-frame-pointer -fasynchronous-unwind-tables
$(BUILD)/vdso.so: $(BUILD)/obj/libos/vdso/vdso.c.o libos/vdso/vdso.ld
	$(call say,LD,$@)
	$(Q)$(LD) -shared -s -nostdlib -soname linux-vdso.so.1 --hash-style=both --eh-frame-hdr --build-id=sha1 -z noexecstack \
		-z max-page-size=4096 -T libos/vdso/vdso.ld -o $@ $<
$(BUILD)/obj/libos/exos/vdso_object.S.o: XFLAGS += -DVDSO='"$(BUILD)/vdso.so"'
$(BUILD)/obj/libos/exos/vdso_object.S.o: $(BUILD)/vdso.so

# ExOS takes of core what it uses, and not its program start.
$(BUILD)/libcore.a: $(COREOBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $(COREOBJ)
$(BUILD)/obj/libos/exos/idle_object.S.o: XFLAGS += -DOBJECT='"$(BUILD)/ext/idle.o"'
$(BUILD)/obj/libos/exos/idle_object.S.o: $(BUILD)/ext/idle.o
$(BUILD)/exos: $(BUILD)/libcore.a $(XOBJ) libos/exos/exos.ld
	$(call link,libos/exos/exos.ld,$(XOBJ) $(BUILD)/libcore.a)

$(BUILD)/native/%: $(BUILD)/obj/programs/%.c.o $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$< $(COREOBJ))
$(BUILD)/native/%: $(BUILD)/obj/bench/%.c.o $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$< $(COREOBJ))
$(BUILD)/native/%: $(BUILD)/obj/tests/native/%.c.o $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$< $(COREOBJ))
$(BUILD)/native/%: $(BUILD)/obj/tests/adversary/%.c.o $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$< $(COREOBJ))
$(BUILD)/native/%: $(BUILD)/obj/tests/beside/%.c.o $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$< $(COREOBJ))

FUZZOBJ := $(call kobj,$(wildcard programs/fuzz/*.c))
$(BUILD)/native/fuzz: $(FUZZOBJ) $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$(FUZZOBJ) $(COREOBJ))

# --- the code authority: its instances' image inside its own
AUTHOBJ := $(BUILD)/obj/programs/authority/front.c.o $(BUILD)/obj/programs/authority/image.S.o
WORKOBJ := $(BUILD)/obj/programs/authority/worker.c.o $(BUILD)/obj/programs/authority/interface.S.o
$(BUILD)/obj/programs/authority/%.c.o: UFLAGS += -Iext
$(BUILD)/obj/programs/authority/image.S.o: UFLAGS += -DWORKER='"$(BUILD)/worker.bare"'
$(BUILD)/obj/programs/authority/image.S.o: $(BUILD)/worker.bare
$(BUILD)/worker.bare: $(BUILD)/worker.elf
	$(Q)$(OBJCOPY) --strip-all $< $@
$(BUILD)/obj/programs/authority/interface.S.o: UFLAGS += -DINTERFACE='"$(BUILD)/interface.o"'
$(BUILD)/obj/programs/authority/interface.S.o: $(BUILD)/interface.o
$(BUILD)/worker.elf: $(WORKOBJ) $(BUILD)/libext.a $(BUILD)/libcore.a programs/authority/worker.ld
	$(call link,programs/authority/worker.ld,$(WORKOBJ) $(BUILD)/libext.a $(BUILD)/libcore.a)
$(BUILD)/native/authority: $(AUTHOBJ) $(COREOBJ) libos/core/native.ld
	$(call link,libos/core/native.ld,$(AUTHOBJ) $(COREOBJ))

# The kernel is linked twice: the first link gives the addresses for the names in a backtrace, the
# second carries them, and the check proves that nothing moved.
KLD := kernel/arch/x86_64/kernel.ld
$(GEN)/no_symbols.S: tools/gensyms.py
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) tools/gensyms.py $@ </dev/null
$(BUILD)/aril.pass1: $(KOBJ) $(BUILD)/obj/gen/no_symbols.S.o $(KLD)
	$(Q)$(LD) $(LDFLAGS) -T $(KLD) -o $@ $(KOBJ) $(BUILD)/obj/gen/no_symbols.S.o
$(GEN)/symbols.S: $(BUILD)/aril.pass1 tools/gensyms.py
	$(Q)$(NM) -n $< >$@.names && $(PYTHON) tools/gensyms.py $@ <$@.names
$(BUILD)/aril.elf: $(KOBJ) $(BUILD)/obj/gen/symbols.S.o $(KLD)
	$(call link,$(KLD),$(KOBJ) $(BUILD)/obj/gen/symbols.S.o)
	$(Q)$(PYTHON) tools/gensyms.py --check $(GEN)/symbols.S <$@.sym

# --- host tools
$(BUILD)/mkcpio: tools/mkcpio.c
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -MF $@.d -o $@ $<
FRONTOBJ := $(patsubst tools/front/%.c,$(BUILD)/obj/front/%.o,$(wildcard tools/front/*.c))
$(BUILD)/obj/front/%.o: tools/front/%.c
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -c -o $@ $<
$(BUILD)/front: $(FRONTOBJ)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -o $@ $^

# --- downloaded code: the engine, once for native programs, once for the host, and the host's tool
$(BUILD)/libext.a: $(call kobj,$(EXTSRC))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/obj/ext-host/%.o: ext/%.c
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(EHFLAGS) -c -o $@ $<
$(BUILD)/libext-host.a: $(patsubst ext/%.c,$(BUILD)/obj/ext-host/%.o,$(EXTSRC))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
# The interface of kernel and authors as an object, whose types and tags the linker reads.
BPFCC ?= clang
$(BUILD)/interface.o: abi/include/aril/extension.h $(wildcard abi/include/aril/*.h)
	$(call say,BPFCC,$@)
	$(Q)$(BPFCC) -target bpf -mcpu=v3 -O2 -g -DARIL_EXT_INTERFACE -Iabi/include -x c -c -o $@ $<
$(BUILD)/obj/bpf/load.o: $(BUILD)/interface.o
BPFOBJ := $(patsubst tools/bpf/%.c,$(BUILD)/obj/bpf/%.o,$(BPFSRC))
$(BUILD)/obj/bpf/%.o: tools/bpf/%.c
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -Iext -DINTERFACE='"$(BUILD)/interface.o"' -c -o $@ $<
$(BUILD)/aril-bpf: $(BPFOBJ) $(BUILD)/libext-host.a
	$(call say,LD,$@)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -MF $@.d -o $@ $(BPFOBJ) $(BUILD)/libext-host.a

# --- shipped extensions: programs/ext/NAME.bpf.c
BPFFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Iabi/include
$(BUILD)/ext/%.o: programs/ext/%.bpf.c $(wildcard abi/include/aril/*.h)
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(BPFFLAGS) -c -o $@ $<

$(BUILD)/ext/%.o: bench/points/%.bpf.c $(wildcard abi/include/aril/*.h)
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(BPFFLAGS) -c -o $@ $<

$(BUILD)/ext/%.o: tests/native/points/%.bpf.c $(wildcard abi/include/aril/*.h)
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(BPFFLAGS) -c -o $@ $<
# Programs that bring them along.
$(BUILD)/obj/tests/native/ext_%.c.o $(BUILD)/obj/bench/ext%.c.o: UFLAGS += -DEXTENSIONS='"$(BUILD)/ext/"'
$(patsubst %,$(BUILD)/obj/%.o,$(wildcard tests/native/ext_*.c bench/ext*.c)): $(EXTENSIONS)

# The benchmark of ext/: each kernel for BPF, and by clang for the machine, without and with its vectoriser.
XKERNELS := $(patsubst bench/ext/%.c,%,$(wildcard bench/ext/*.c))
XNATIVE := -O2 -ffreestanding -fPIE -fno-builtin -mno-red-zone -fcf-protection=none -Wall -Iabi/include -Ibench/ext
XKOBJ := $(foreach k,$(XKERNELS),$(BUILD)/bench/ext/$(k).scalar.o $(BUILD)/bench/ext/$(k).plain.o)
$(BUILD)/bench/ext/%.scalar.o: bench/ext/%.c bench/ext/kernel.h
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(XNATIVE) -fno-vectorize -fno-slp-vectorize -DSUFFIX=scalar -c -o $@ $<
$(BUILD)/bench/ext/%.plain.o: bench/ext/%.c bench/ext/kernel.h
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(XNATIVE) -DSUFFIX=plain -c -o $@ $<
$(BUILD)/bench/ext/interface.o: bench/ext/interface.h $(wildcard abi/include/aril/*.h)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(BPFFLAGS) -DARIL_EXT_INTERFACE -x c -c -o $@ $<
$(BUILD)/bench/ext/%.o: bench/ext/%.c bench/ext/kernel.h $(wildcard abi/include/aril/*.h)
	$(call say,BPFCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFCC) $(BPFFLAGS) -Ibench/ext -c -o $@ $<
$(BUILD)/obj/bench/ext.c.o: UFLAGS += -Iext -DKERNEL_OBJECTS='"$(BUILD)/bench/ext/"'
$(BUILD)/obj/bench/ext.c.o: $(XKERNELS:%=$(BUILD)/bench/ext/%.o) $(BUILD)/bench/ext/interface.o
$(BUILD)/native/ext: $(BUILD)/obj/bench/ext.c.o $(XKOBJ) $(COREOBJ) $(BUILD)/libext.a libos/core/native.ld
	$(call link,libos/core/native.ld,$(BUILD)/obj/bench/ext.c.o $(XKOBJ) $(COREOBJ) $(BUILD)/libext.a)

# --- a Linux program of ours, which reads the kernel's books
TOPOBJ := $(patsubst programs/top/%.c,$(BUILD)/obj/top/%.o,$(wildcard programs/top/*.c))
$(BUILD)/obj/top/%.o: programs/top/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) -MMD -MP -Iabi/include -c -o $@ $<
$(BUILD)/aril-top: $(TOPOBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -static -s -o $@ $^

# All C of the tree, as .clang-format says.
format:
	find abi bench ext kernel libos programs tools tests -name '*.[ch]' | xargs clang-format -i
print-%:
	@echo '$($*)'

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
