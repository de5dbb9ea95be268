/* SPDX-License-Identifier: ISC
 *
 * How stacks are found again: an open hash table of numbers, into which a filled entry is put by one
 * compare-and-swap.  Entries are claimed by counting up; two threads that bring the same stack at
 * the same moment may waste one. */
#include "stack.h"
#include "sys.h"
#include <errno.h>

enum { HASHED = 2 * STACKS_MAX, TEXTS_MAX = 4096, TEXT_ROOM = 256 };

BESIDE static struct stack *stacks; /* [STACKS_MAX] */
BESIDE static uint32_t *hashed;     /* [HASHED]: numbers, 0 free */
BESIDE static uint32_t count;
BESIDE static char (*texts)[TEXT_ROOM];
BESIDE static uint32_t text_count;

int stack_start(void)
{
	struct stack *s = sys_pages(STACKS_MAX * sizeof *s);
	uint32_t *h = sys_pages(HASHED * sizeof *h);
	char(*t)[TEXT_ROOM] = sys_pages((size_t)TEXTS_MAX * TEXT_ROOM);

	if (!s || !h || !t)
		return -ENOMEM;
	hashed = h;
	texts = t;
	__atomic_store_n(&stacks, s, __ATOMIC_RELEASE);
	return 0;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static bool same(const struct stack *s, uint64_t hash, const frame *at, size_t n, uint32_t file,
	uint32_t line)
{
	if (s->hash != hash || s->n != n || s->script_file != file || s->script_line != line)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s->at[i] != at[i])
			return false;
	return true;
}

uint32_t stack_intern(const frame *at, size_t n, uint32_t script_file, uint32_t script_line)
{
	uint64_t hash = mix(n, (uint64_t)script_file << 32 | script_line);
	uint32_t mine = 0, slot;

	if (!n || !__atomic_load_n(&stacks, __ATOMIC_ACQUIRE))
		return STACK_NONE;
	if (n > UNWIND_FRAMES)
		n = UNWIND_FRAMES;
	for (size_t i = 0; i < n; i++)
		hash = mix(hash, at[i]);
	slot = (uint32_t)(hash >> 20) % HASHED;
	for (unsigned tries = 0; tries < 64; tries++, slot = (slot + 1) % HASHED) {
		uint32_t id = __atomic_load_n(&hashed[slot], __ATOMIC_ACQUIRE);

		if (!id) {
			if (!mine) {
				struct stack *s;

				if (__atomic_load_n(&count, __ATOMIC_RELAXED) >= STACKS_MAX - 1)
					return STACK_NONE;
				mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
				if (mine >= STACKS_MAX)
					return STACK_NONE;
				s = &stacks[mine];
				s->hash = hash;
				s->n = (uint32_t)n;
				s->script_file = script_file;
				s->script_line = script_line;
				memcpy(s->at, at, n * sizeof *at);
			}
			if (__atomic_compare_exchange_n(&hashed[slot], &id, mine, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE))
				return mine;
		}
		if (same(&stacks[id], hash, at, n, script_file, script_line))
			return id;
	}
	return STACK_NONE;
}

uint32_t stack_count(void)
{
	uint32_t n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);

	return n < STACKS_MAX ? n : STACKS_MAX - 1;
}

const struct stack *stack_at(uint32_t id)
{
	return id && id < STACKS_MAX && stacks ? &stacks[id] : NULL;
}

uint32_t stack_text(const char *text, size_t n)
{
	const uint32_t have = __atomic_load_n(&text_count, __ATOMIC_ACQUIRE);
	uint32_t id;

	if (!texts || !n)
		return 0;
	if (n >= TEXT_ROOM)
		n = TEXT_ROOM - 1;
	for (id = 1; id <= have && id < TEXTS_MAX; id++)
		if (memcmp(texts[id], text, n) == 0 && !texts[id][n])
			return id;
	id = __atomic_add_fetch(&text_count, 1, __ATOMIC_ACQ_REL);
	if (id >= TEXTS_MAX)
		return 0;
	memcpy(texts[id], text, n);
	return id;
}

const char *stack_text_at(uint32_t id)
{
	return id && id < TEXTS_MAX && texts ? texts[id] : "";
}

size_t stack_blame(const struct stack *s)
{
	for (size_t i = 1; i < s->n; i++) {
		const unsigned m = frame_module(s->at[i]);

		if (!m || (module_at(m)->kind != MODULE_RUNTIME && module_at(m)->kind != MODULE_SELF))
			return i;
	}
	return s->n > 1;
}
