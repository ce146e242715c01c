/* SPDX-License-Identifier: MIT
 * What an author of downloaded code includes, and what gives the linker the types and contracts of the functions and
 * attach points there are (docs/60-extensions.md). One text, three readings:
 *  - a program (clang or gcc for BPF): functions are declared, points are nothing, tags stay with the structs;
 *  - the interface object (clang for BPF with ARIL_EXT_INTERFACE defined): functions and points are defined, empty, so
 *    that the object's BTF has them with their parameters' tags;
 *  - the kernel and programs of the machine: the structs alone. */
#ifndef ARIL_EXTENSION_H
#define ARIL_EXTENSION_H

#include <aril/types.h>

/* --- tags: the contract's parts. Where nobody reads them they are nothing. */
#if defined(__BPF__) && defined(__clang__)
#define ARIL_EXT_TAG(text) __attribute__((btf_decl_tag(text)))
#else
#define ARIL_EXT_TAG(text)
#endif
#define ARIL_EXT_TEXT_(x) #x
#define ARIL_EXT_TEXT(x) ARIL_EXT_TEXT_(x)

/* A function. Its number in the function table; its cost in instructions; whether pure programs may call it. */
#define ARIL_EXT_SLOT(n) ARIL_EXT_TAG("slot=" ARIL_EXT_TEXT(n))
#define ARIL_EXT_COST(n) ARIL_EXT_TAG("cost=" ARIL_EXT_TEXT(n))
#define ARIL_EXT_PURE ARIL_EXT_TAG("pure")
/* What it returns: a reference that must be given back; perhaps null; a number of that range (64 bits wide then). */
#define ARIL_EXT_ACQUIRE ARIL_EXT_TAG("acquire")
#define ARIL_EXT_RETURNS(least, most) \
	ARIL_EXT_TAG("returns=" ARIL_EXT_TEXT(least) ".." ARIL_EXT_TEXT(most))
/* A function's return, a parameter or a pointer member: perhaps null. */
#define ARIL_EXT_NULLABLE ARIL_EXT_TAG("nullable")
/* A point: its class, and the most instructions of a pure program (WORST) or a handler's budget. */
#define ARIL_EXT_CLASS(name) ARIL_EXT_TAG("class=" #name)
#define ARIL_EXT_WORST(n) ARIL_EXT_TAG("worst=" ARIL_EXT_TEXT(n))
#define ARIL_EXT_BUDGET(n) ARIL_EXT_TAG("budget=" ARIL_EXT_TEXT(n))

/* A parameter. A pointer to memory of as many bytes as parameter n (from 1) says; of so many bytes; of its type's size
 * (pointers to a struct that is no kernel object; other pointers are so anyway). */
#define ARIL_EXT_SIZE(n) ARIL_EXT_TAG("size=" ARIL_EXT_TEXT(n))
#define ARIL_EXT_BYTES(n) ARIL_EXT_TAG("bytes=" ARIL_EXT_TEXT(n))
#define ARIL_EXT_MEMORY ARIL_EXT_TAG("memory")
/* A map; a key, a value of the map before it; a reference that is given back; a number's range. */
#define ARIL_EXT_MAP_ARG ARIL_EXT_TAG("map")
#define ARIL_EXT_KEY ARIL_EXT_TAG("key")
#define ARIL_EXT_VALUE ARIL_EXT_TAG("value")
#define ARIL_EXT_RELEASE ARIL_EXT_TAG("release")
#define ARIL_EXT_RANGE(least, most) \
	ARIL_EXT_TAG("range=" ARIL_EXT_TEXT(least) ".." ARIL_EXT_TEXT(most))
/* A member of a struct: a program may write it; it points to as many bytes as that member says, which are only read. */
#define ARIL_EXT_WRITE ARIL_EXT_TAG("write")
#define ARIL_EXT_SIZE_IN(member) ARIL_EXT_TAG("size=" #member)
#define ARIL_EXT_CONST ARIL_EXT_TAG("const")

#if !defined(__BPF__)
#define ARIL_EXT_FUNCTION(returns, name, parameters, ...)
#define ARIL_EXT_POINT(returns, name, parameters, ...)
#elif defined(ARIL_EXT_INTERFACE)
#define ARIL_EXT_FUNCTION(returns, name, parameters, ...) \
	__VA_ARGS__ returns name parameters               \
	{                                                 \
		for (;;)                                  \
			;                                 \
	}
#define ARIL_EXT_POINT(returns, name, parameters, ...) \
	ARIL_EXT_FUNCTION(returns, name, parameters, ARIL_EXT_TAG("attach") __VA_ARGS__)
#else
#define ARIL_EXT_FUNCTION(returns, name, parameters, ...) extern returns name parameters;
#define ARIL_EXT_POINT(returns, name, parameters, ...)
#endif

/* --- for authors */
#if defined(__BPF__)
/* The program's section: the point's name, perhaps with "/anything" behind it. */
#define SEC(name) __attribute__((section(name), used))
/* A map: ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 1024); as libbpf's headers have them, they do as well. */
#define ARIL_EXT_MAP(name, kind, key_type, value_type, count) \
	struct {                                              \
		int (*type)[kind];                            \
		key_type *key;                                \
		value_type *value;                            \
		int (*max_entries)[count];                    \
	} name SEC(".maps")
/* A ring of records has no key. */
#define ARIL_EXT_RING(name, value_type, count) \
	struct {                               \
		int (*type)[ARIL_MAP_RING];    \
		value_type *value;             \
		int (*max_entries)[count];     \
	} name SEC(".maps")
#endif
#define ARIL_MAP_HASH 1 /* the numbers that other eBPF headers use */
#define ARIL_MAP_ARRAY 2
#define ARIL_MAP_PERCPU 6
#define ARIL_MAP_RING 27

/* --- what the kernel runs and gives */
#include <aril/points.h>

#endif
