/* SPDX-License-Identifier: ISC
 *
 * How stacks are found again: an open hash table of numbers, into which a filled entry is put by one
 * compare-and-swap.  Entries are claimed by counting up; two threads that bring the same stack at
 * the same moment may waste one. */
#include "stack.h"
#include "sys.h"
#include <errno.h>

enum { HASHED = 2 * STACKS_MAX, TEXTS_MAX = 4096, TEXT_ROOM = 256 };

/* Made with the first stack: most programs make no descriptors. */
struct table {
	struct stack stacks[STACKS_MAX];
	uint32_t hashed[HASHED]; /* numbers, 0 free */
	char texts[TEXTS_MAX][TEXT_ROOM];
};
BESIDE static struct table *table;
BESIDE static uint32_t count, text_count;

static struct table *table_now(void)
{
	return __atomic_load_n(&table, __ATOMIC_ACQUIRE);
}

int stack_start(void)
{
	struct table *t, *none = NULL;

	if (table_now())
		return 0;
	t = sys_pages(sizeof *t);
	if (!t)
		return -ENOMEM;
	if (!__atomic_compare_exchange_n(&table, &none, t, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		sys_call(SYS_munmap, t, sizeof *t);
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
	struct table *t = table_now();
	uint32_t mine = 0, slot;

	if (!n || (UNLIKELY(!t) && (stack_start() < 0 || !(t = table_now()))))
		return STACK_NONE;
	if (n > UNWIND_FRAMES)
		n = UNWIND_FRAMES;
	for (size_t i = 0; i < n; i++)
		hash = mix(hash, at[i]);
	slot = (uint32_t)(hash >> 20) % HASHED;
	for (unsigned tries = 0; tries < 64; tries++, slot = (slot + 1) % HASHED) {
		uint32_t id = __atomic_load_n(&t->hashed[slot], __ATOMIC_ACQUIRE);

		if (!id) {
			if (!mine) {
				struct stack *s;

				if (__atomic_load_n(&count, __ATOMIC_RELAXED) >= STACKS_MAX - 1)
					return STACK_NONE;
				mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
				if (mine >= STACKS_MAX)
					return STACK_NONE;
				s = &t->stacks[mine];
				s->hash = hash;
				s->n = (uint32_t)n;
				s->script_file = script_file;
				s->script_line = script_line;
				memcpy(s->at, at, n * sizeof *at);
			}
			if (__atomic_compare_exchange_n(&t->hashed[slot], &id, mine, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE))
				return mine;
		}
		if (same(&t->stacks[id], hash, at, n, script_file, script_line))
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
	struct table *t = table_now();

	return id && id < STACKS_MAX && t ? &t->stacks[id] : NULL;
}

uint32_t stack_text(const char *text, size_t n)
{
	const uint32_t have = __atomic_load_n(&text_count, __ATOMIC_ACQUIRE);
	struct table *t;
	uint32_t id;

	if (!n || stack_start() < 0 || !(t = table_now()))
		return 0;
	if (n >= TEXT_ROOM)
		n = TEXT_ROOM - 1;
	for (id = 1; id <= have && id < TEXTS_MAX; id++)
		if (memcmp(t->texts[id], text, n) == 0 && !t->texts[id][n])
			return id;
	id = __atomic_add_fetch(&text_count, 1, __ATOMIC_ACQ_REL);
	if (id >= TEXTS_MAX)
		return 0;
	memcpy(t->texts[id], text, n);
	return id;
}

const char *stack_text_at(uint32_t id)
{
	struct table *t = table_now();

	return id && id < TEXTS_MAX && t ? t->texts[id] : "";
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
