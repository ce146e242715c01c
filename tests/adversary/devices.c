/* SPDX-License-Identifier: MIT
 * Wants devices: the neighbour's console ring, grants, lines, ports, the machine's end. */
// expect: devices: refused ending the machine
// expect: devices: done
// forbid: devices: WRONG
#include "adversary.h"

#define PORT_CHILD(port)                                             \
	CHILD(port_##port, "movl $" #port ", %edx\n\tinb %dx, %al"); \
	CHILD(port_out_##port, "movl $" #port ", %edx\n\tmovl $1, %eax\n\toutl %eax, %dx")
PORT_CHILD(0x20);
PORT_CHILD(0x60);
PORT_CHILD(0x64);
PORT_CHILD(0x70);
PORT_CHILD(0x3f8);
PORT_CHILD(0xcf8);
PORT_CHILD(0xf4);
PORT_CHILD(0xe9);
PORT_CHILD(0xffff);

static void ports(void)
{
	dies("port 0x20", port_0x20, 13);
	dies("port 0x60", port_0x60, 13);
	dies("port 0x64", port_0x64, 13);
	dies("port 0x70", port_0x70, 13);
	dies("port 0x3f8", port_0x3f8, 13);
	dies("port 0xcf8", port_0xcf8, 13);
	dies("port 0xffff", port_0xffff, 13);
	dies("writing port 0x20", port_out_0x20, 13);
	dies("writing port 0x64", port_out_0x64, 13);
	dies("writing port 0x3f8", port_out_0x3f8, 13);
	dies("writing port 0xcf8", port_out_0xcf8, 13);
	dies("writing port 0xe9", port_out_0xe9, 13);
	dies("writing port 0xf4", port_out_0xf4, 13);
	dies("writing port 0xffff", port_out_0xffff, 13);
}

static const volatile struct aril_grant *grant_info(u32 grant)
{
	return (const volatile struct aril_grant *)ARIL_INFO->grants_va + grant;
}

static void rings(void)
{
	u32 page, auth = core_auth;
	struct aril_ring_request request = {.bytes = 16, .auth = core_auth};

	core_pages(1, &page);
	request.frame = page;
	for (u32 ring = 0; ring < 64; ring++) {
		turned_down("a ring", aril_ring_submit(ring, &request, 1), 0);
		turned_down("closing a ring", aril_ring_close(ring), 0);
	}
	for (u32 device = 0; device < 8; device++)
		for (u32 queue = 0; queue < 5; queue++)
			turned_down("a queue",
				    aril_ring_open(auth, device, queue, page, core_context()->cpu),
				    0);
	refused("the neighbour's console", aril_ring_open(auth, 0, 1, page, core_context()->cpu),
		ARIL_E_RIGHTS);
	refused("the neighbour's console's configuration", aril_device_read(auth, 0, 0),
		ARIL_E_RIGHTS);
	refused("a device far away", aril_device_read(auth, ~0u, ~0u), ARIL_E_RANGE);
	if (frame_info(page)->pins)
		wrong("a pin left by a refusal", frame_info(page)->pins);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_grant_desc grant = {
		.kind = ARIL_GRANT_PORTS, .env = CORE_DOMAIN->env, .first = 0x2f8, .count = 8};
	struct aril_device_desc device = {
		.transport = ARIL_VIRTIO_MMIO, .type = 3, .regs = 0xfeb00000, .nqueues = 2};

	struct aril_guard mine = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};

	(void)argc;
	(void)argv;
	(void)envp;
	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	ports();
	rings();
	refused("ports", aril_grant_create(core_auth, &grant), ARIL_E_RIGHTS);
	grant.kind = ARIL_GRANT_LINE;
	grant.first = 4;
	grant.count = 1;
	refused("a line", aril_grant_create(core_auth, &grant), ARIL_E_RIGHTS);
	grant.kind = ARIL_GRANT_MEMORY;
	grant.first = 0xfee00;
	refused("the interrupt controller", aril_grant_create(core_auth, &grant), ARIL_E_RIGHTS);
	for (u32 i = 0; i < 64; i++) {
		int error = grant_info(i)->env ? ARIL_E_RIGHTS : ARIL_E_RANGE;
		turned_down("taking a grant", aril_grant_destroy(core_auth, i), error);
		turned_down("moving a grant",
			    aril_grant_move(core_auth, i, CORE_DOMAIN->env, core_context()->cpu),
			    error);
		turned_down("a grant's guard", aril_grant_guard(core_auth, i, &mine), error);
		turned_down("a line's mask", aril_line_unmask(i), 0);
	}
	refused("a grant far away", aril_grant_destroy(core_auth, ~0u), 0);
	refused("a line far away", aril_line_unmask(~0u), ARIL_E_RANGE);
	refused("a device", aril_device_open(core_auth, &device), ARIL_E_RIGHTS);
	refused("letting the neighbour's device go", aril_device_close(core_auth, 0),
		ARIL_E_RIGHTS);
	refused("ending the machine", aril_machine_end(core_auth, 0), ARIL_E_RIGHTS);
	refused("ending the machine without authority", aril_machine_end(0xabc, 0), ARIL_E_CAP);
	return done();
}
