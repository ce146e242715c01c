/* SPDX-License-Identifier: MIT
 * Fixed-width scalars of the ABI. Freestanding: the compiler's own definitions, no libc. */
#ifndef ARIL_TYPES_H
#define ARIL_TYPES_H

#ifndef __ASSEMBLER__
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __INT8_TYPE__ s8;
typedef __INT16_TYPE__ s16;
typedef __INT32_TYPE__ s32;
typedef __INT64_TYPE__ s64;
typedef __SIZE_TYPE__ usize;

#define ARIL_ASSERT_OFFSET(type, field, at) \
	_Static_assert(__builtin_offsetof(type, field) == (at), #type "." #field " moved")
#define ARIL_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " resized")
#endif

#endif
