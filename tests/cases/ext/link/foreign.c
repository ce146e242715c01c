// SPDX-License-Identifier: MIT
// An object for the machine itself.
// compilers: native
// refused: object: an object for machine 62, not for BPF \(247\) \(at byte 0x12\)
unsigned long entry(const unsigned char *memory, unsigned long size)
{
	return size;
}
