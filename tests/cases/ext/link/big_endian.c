// SPDX-License-Identifier: MIT
// flags: -mbig-endian
// refused: object: a big-endian object: compile for bpfel \(at byte 0x5\)
#include <aril/extension.h>

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return 1;
}
