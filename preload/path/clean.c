/* SPDX-License-Identifier: ISC
 *
 * The memory of clean names (clean.h). */
#include "clean.h"

/* One factor may be 0: eight bytes of a name can be the constant.  The other one's number must not get lost by that. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	const wide p = (wide)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);

	return a ^ b ^ (uint64_t)p ^ (uint64_t)(p >> 64);
}

uint64_t clean_seed(uint64_t a, uint64_t b)
{
	return mix(mix(a, 0x2545f4914f6cdd1du), b);
}

static uint64_t bytes(const char *p, size_t n)
{
	uint64_t w = 0;

	if (n == 8) {
		__builtin_memcpy(&w, p, 8);
		return w;
	}
	for (size_t i = 0; i < n; i++)
		w = w << 8 | (unsigned char)p[i];
	return w;
}

void clean_trail(struct clean_trail *ret, uint64_t seed, const char *path)
{
	const char *p = path, *c;
	size_t n;

	ret->n = 0;
	for (;;) {
		while (*p == '/')
			p++;
		if (!*p)
			return;
		if (ret->n == CLEAN_DEPTH) {
			ret->n = 0;
			return;
		}
		for (c = p; *p && *p != '/'; p++)
			;
		n = (size_t)(p - c);
		for (seed = mix(seed, n); n > 8; n -= 8, c += 8)
			seed = mix(seed, bytes(c, 8));
		seed = mix(seed, bytes(c, n));
		ret->key[ret->n] = seed;
		ret->end[ret->n++] = (unsigned short)(p - path);
	}
}

static uint64_t check_of(uint64_t key, uint64_t word, uint64_t when)
{
	return mix(key ^ word * 0xff51afd7ed558ccdu, when);
}

static size_t slot_of(uint64_t key)
{
	return (size_t)(key >> 40) % CLEAN_ENTRIES;
}

bool clean_known(const struct clean_memory *m, uint64_t key, uint64_t word, uint64_t now)
{
	const struct clean_entry *e = &m->entry[slot_of(key)];
	const uint64_t when = __atomic_load_n(&e->when, __ATOMIC_RELAXED);

	return now - when < clean_span() && __atomic_load_n(&e->check, __ATOMIC_RELAXED) == check_of(key, word, when);
}

void clean_learn(struct clean_memory *m, uint64_t key, uint64_t word, uint64_t when)
{
	struct clean_entry *e = &m->entry[slot_of(key)];

	__atomic_store_n(&e->when, when, __ATOMIC_RELAXED);
	__atomic_store_n(&e->check, check_of(key, word, when), __ATOMIC_RELAXED);
}

bool clean_asked(struct clean_memory *m, uint64_t key, uint64_t word, uint64_t now)
{
	key ^= CLEAN_ASKED;
	if (clean_known(m, key, word, now))
		return true;
	clean_learn(m, key, word, now);
	return false;
}
