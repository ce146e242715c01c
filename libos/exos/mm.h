/* SPDX-License-Identifier: MIT
 * A process's memory: areas, page faults, and Linux's calls on them. */
#ifndef EXOS_MM_H
#define EXOS_MM_H

#include "exos.h"

struct inode;
struct area {
	struct list link; /* by address */
	u64 start, end;
	u32 prot;	     /* PROT_* */
	u32 flags;	     /* MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN */
	struct inode *inode; /* or NULL */
	u64 offset;	     /* bytes in the inode at start */
};

#define LEAF_GROUPS 8 /* of 64 pages each in the 2 MiB of a leaf */
enum {
	LEAF_USED,    /* the word has a page */
	LEAF_COUNTED, /* and the page is referenced: it is not the archive's */
	LEAF_WARM,    /* it was bound when the space's last process ended (pool.c) */
	LEAF_MAPS
};
/* A page table and what ExOS remembers of it: a word per entry. Of level 1 (a leaf) also which words to look at, a bit
 * each. */
struct mm_node {
	u32 table, shadow; /* frames */
	u64 *slot; /* 512: of level 2 and up struct mm_node *, of level 1 MAPPED_* and the frame << 12 */
	u64 base;	      /* of a leaf: va >> 21 */
	struct mm_node *next; /* leaf, by base */
	u64 map[LEAF_MAPS][LEAF_GROUPS];
	u64 any[LEAF_MAPS]; /* a bit for each group of which one may be set */
	u32 swapped;	    /* words that name a slot (swap.c) */
};

/* A page of stubs of bare sites (rewrite_bare.c): which are taken, a bit each. */
struct bare_page {
	u64 page, used[2];
};
#define BARE_PAGES 6

/* The kernel env of a process that is over, for the next one in that space. env 0: none. */
struct spare_env {
	u32 env, frame, auth_open;
	struct aril_context *ctx[ARIL_MAX_CPUS];
};

struct mm {
	struct mm_node root;	/* table: the space */
	struct list all;	/* of the family */
	u32 space;		/* root frame */
	u32 refs;		/* vfork shares it */
	u32 tables;		/* below the root */
	struct mm_node *leaves; /* by base */
	struct mm_node *hint;	/* the leaf that was looked for last */
	struct list areas;
	struct area *seen; /* where the last search ended; NULL: at the beginning */
	struct list
		old; /* of the space's last process: where pages of it may still be; empty once one runs */
	const void *program; /* whose pages these are: what was executed last */
	u32 lives;	     /* processes that ended in the space */
	u32 forked;	     /* it has not executed anything itself */
	u32 stubs;	     /* pages of stubs that were made */
	u32 stubs_lost;	     /* one of them is not there any more */
	u32 doomed; /* it ends for want of memory, and has been taken pages: no fault is resolved */
	u64 text,
		text_from; /* which text with jumps it has: a number that no other state of any has; its parent's at the fork */
	struct spare_env spare;
	u64 brk_start, brk;
	u32 shm;	 /* it had System V segments */
	u32 lock_future; /* mlockall: 1 what comes is locked, 2 as it is touched */
	u64 mmap_top;
	u64 stack_top, arg_start, arg_end, env_start, env_end, auxv;
	u64 rss, rss_most;		   /* most: before the last page that went */
	u64 swapped;			   /* words that name slots of the swap space */
	u64 vdso;			   /* where it was put; 0: nowhere */
	u64 stub_page;			   /* rewrite.c: where the next stub goes; 0: nowhere yet */
	u32 stub_used;			   /* bytes */
	struct bare_page bare[BARE_PAGES]; /* page 0: none from here on */
	u64 stubs_low, stubs_span;	   /* all pages of stubs lie in there */
};

/* A program half over the family's shared sub-trees. program: what is to run in it (compared, not looked into), or NULL;
 * pages that an earlier process of the same left may be in it, in places that `old` says. */
struct mm *mm_create(const void *program, u32 forked);
struct mm *mm_clone(struct mm *from); /* fork: copy on write */
void mm_get(struct mm *mm);
void mm_put(struct mm *mm); /* destroys at the last one; never the space one runs on */
/* Adds an area and nothing else. 0 or -ENOMEM. MAP_FIXED semantics: what was there is unmapped. */
s64 mm_map(struct mm *mm, u64 start, u64 bytes, u32 prot, u32 flags, struct inode *inode,
	   u64 offset);
/* Resolves a fault of the current process: 0, or the signal (SIGSEGV, SIGBUS, SIGKILL) with *code = si_code, or FAULT_LATER:
 * there will be memory when others have run. */
#define FAULT_LATER (-1)
#define FAULT_AGAIN (-2) /* there is memory now: not from mm_fault */
int mm_fault(u64 addr, u64 error, int *code);
struct area *mm_find(struct mm *mm, u64 addr);
/* Copies into a process image that is not running yet (exec, fork), faulting pages in. 0, -EFAULT, or -ENOMEM: the caller is to end for
 * want of memory. */
s64 mm_poke(struct mm *mm, u64 to, const void *from, usize bytes);
/* Unmaps and frees all program pages backed by inode pages beyond `size` (truncate). */
void mm_inode_truncated(struct inode *inode, u64 size);
/* Unmaps the file's pages in [from, to), page borders, wherever programs have them: the file has others there soon. */
void mm_inode_unmapped(struct inode *inode, u64 from, u64 to);
/* Whether a shared mapping of the inode is writable, or can become so. */
int mm_inode_writable(const struct inode *inode);
/* The inode has no name any more: nothing of it is kept for later. */
void mm_inode_gone(const struct inode *inode);
/* Gives back what is kept for later processes, the oldest first. 0: there is nothing. */
int mm_reclaim(void);
/* The inode's page at index has moved from `old` (the archive's) to `page`: mappings follow. */
void mm_inode_replaced(struct inode *inode, u64 index, const void *old, void *page);

s64 sys_brk(u64 addr);
s64 sys_mmap(u64 addr, u64 bytes, u64 prot, u64 flags, u64 fd, u64 offset);
s64 sys_munmap(u64 addr, u64 bytes);
s64 sys_mprotect(u64 addr, u64 bytes, u64 prot);
/* guard.c: protection keys, of which a program has none, as on a processor without or with none left. */
s64 sys_pkey_mprotect(u64 addr, u64 bytes, u64 prot, u64 key);
s64 sys_pkey_alloc(u64 flags, u64 rights);
s64 sys_pkey_free(u64 key);
s64 sys_mremap(u64 old, u64 old_bytes, u64 new_bytes, u64 flags, u64 to);
s64 sys_madvise(u64 addr, u64 bytes, u64 advice);
s64 sys_msync(u64 addr, u64 bytes, u64 flags);
s64 sys_mincore(u64 addr, u64 bytes, u64 vec);

/* exec.c: loads an ELF program (static, PIE or not; PT_INTERP honoured if the interpreter exists) or a #! script's interpreter into a
 * fresh mm with its stack as Linux lays it out; on success replaces current()->proc's mm and sets the entry
 * registers; on failure changes nothing and returns -E. argv, envp: kernel copies. */
s64 exec_load(const char *path, char *const argv[], char *const envp[]);

#endif
