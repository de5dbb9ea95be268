/* SPDX-License-Identifier: ISC
 *
 * How a stack is walked: what .eh_frame (DWARF 5, section 6.4; LSB, "Exception Frames") says about an
 * address, reduced to where the caller's frame begins and where three registers are kept, and
 * remembered for as long as no object is loaded or unloaded (module_epoch).
 *
 * Nothing is read that could be missing: tables of an object that stays are read where they are, those of any other
 * are copied by the kernel piece by piece; words of the stack are read where the stack is known to
 * reach, and copied beyond. */
#include "unwind.h"
#include "sys.h"
#include "sys/peek.h"
#include <sys/auxv.h>

#if defined(__x86_64__)
enum { DW_BX = 3, DW_FP = 6, DW_SP = 7, DW_RA = 16 };
#elif defined(__aarch64__)
enum { DW_BX = 28, DW_FP = 29, DW_SP = 31, DW_RA = 30 };
#endif

enum reg { SP, FP, BX, RA, REGS };

/* Where the caller's value of a register is. */
enum saved {
	SAVED_SAME, /* still in the register */
	SAVED_CFA,  /* in memory, at the frame's address and an offset */
	SAVED_FP,   /* likewise at the frame pointer: functions that realign their stack */
	SAVED_LOST, /* undefined: for the return address, the outermost frame */
};

struct rule {
	int32_t cfa_off;
	uint8_t cfa_reg;       /* enum reg */
	bool cfa_deref;        /* the frame's address is itself in memory there */
	bool ok, signal;
	uint8_t kind[REGS];    /* enum saved, of FP, BX, RA */
	int16_t off[REGS];     /* eights of bytes */
	uint16_t module;
};

/* -- the table of what was learnt ------------------------------------------------------------ */

enum { SLOTS = 4096 };
static struct slot {
	uint64_t key, a, b; /* key is the address mixed with the others: torn slots do not match */
	frame frame;        /* of the call that returns here */
} slots[SLOTS];

/* In a: what nearly all of the code in the world does.  The frame's address is the stack or the
 * frame pointer and a number, all that was saved is at a number from there, and no signal is about.
 */
#define PLAIN ((uint64_t)1 << 62)
/* In a: the outermost frame, which says that it has no return address. */
#define LAST ((uint64_t)1 << 61)

/* What was learnt in another epoch does not match either. */
static inline uint64_t mixed(uintptr_t pc, uint64_t a, uint64_t b, frame f, unsigned epoch)
{
	return (uint64_t)pc ^ a ^ (b << 1 | b >> 63) ^ (f << 3 | f >> 61) ^ epoch * 0x9e3779b97f4a7c15u;
}

static inline struct slot *slot_of(uintptr_t pc)
{
	return &slots[(pc ^ pc >> 12) % SLOTS];
}

static inline bool slot_read(uintptr_t pc, struct slot *ret)
{
	const struct slot *s = slot_of(pc);

	ret->key = __atomic_load_n(&s->key, __ATOMIC_RELAXED);
	ret->a = __atomic_load_n(&s->a, __ATOMIC_RELAXED);
	ret->b = __atomic_load_n(&s->b, __ATOMIC_RELAXED);
	ret->frame = __atomic_load_n(&s->frame, __ATOMIC_RELAXED);
	return ret->key && ret->key == mixed(pc, ret->a, ret->b, ret->frame,
				       __atomic_load_n(&module_epoch, __ATOMIC_RELAXED));
}

static void slot_rule(const struct slot *s, struct rule *r)
{
	const uint64_t a = s->a, b = s->b;

	r->cfa_off = (int32_t)(uint32_t)a;
	r->cfa_reg = a >> 32 & 3;
	r->cfa_deref = a >> 34 & 1;
	r->ok = a >> 35 & 1;
	r->signal = a >> 36 & 1;
	r->kind[FP] = a >> 37 & 3;
	r->kind[BX] = a >> 39 & 3;
	r->kind[RA] = a >> 41 & 3;
	r->off[FP] = (int16_t)(uint16_t)b;
	r->off[BX] = (int16_t)(uint16_t)(b >> 16);
	r->off[RA] = (int16_t)(uint16_t)(b >> 32);
	r->module = (uint16_t)(b >> 48);
}

static bool is_plain(const struct rule *r)
{
	return r->ok && !r->signal && !r->cfa_deref && r->cfa_reg <= FP &&
	       r->kind[RA] == SAVED_CFA && r->kind[FP] <= SAVED_CFA && r->kind[BX] <= SAVED_CFA;
}

static frame frame_of(const struct rule *r, uintptr_t look)
{
	const uint64_t low = ((uint64_t)1 << 48) - 1;

	return r->module ? (uint64_t)r->module << 48 | ((look - module_at(r->module)->base) & low)
			 : look & low;
}

/* epoch: the one in which it was begun to learn r. */
static void slot_put(uintptr_t pc, const struct rule *r, unsigned epoch)
{
	struct slot *s = slot_of(pc);
	const uint64_t a = (uint32_t)r->cfa_off | (uint64_t)r->cfa_reg << 32 |
			   (uint64_t)r->cfa_deref << 34 | (uint64_t)r->ok << 35 |
			   (uint64_t)r->signal << 36 | (uint64_t)r->kind[FP] << 37 |
			   (uint64_t)r->kind[BX] << 39 | (uint64_t)r->kind[RA] << 41 |
			   (uint64_t)1 << 63 | (is_plain(r) ? PLAIN : 0) |
			   (r->ok && !r->signal && r->kind[RA] == SAVED_LOST ? LAST : 0),
		       b = (uint16_t)r->off[FP] | (uint64_t)(uint16_t)r->off[BX] << 16 |
			   (uint64_t)(uint16_t)r->off[RA] << 32 | (uint64_t)r->module << 48;
	const frame f = frame_of(r, pc - 1);

	__atomic_store_n(&s->a, a, __ATOMIC_RELAXED);
	__atomic_store_n(&s->b, b, __ATOMIC_RELAXED);
	__atomic_store_n(&s->frame, f, __ATOMIC_RELAXED);
	__atomic_store_n(&s->key, mixed(pc, a, b, f, epoch), __ATOMIC_RELAXED);
}

/* -- .eh_frame ------------------------------------------------------------------------------- */

/* A piece of an object's tables: all of them, where they are, or a copy of some bytes. */
struct piece {
	struct span have;
	const unsigned char *bytes; /* at have.start */
	unsigned char room[256];
};

static void piece_start(struct piece *p, const struct module *m)
{
	p->have = m->tables;
	p->bytes = (const unsigned char *)m->tables.start;
}

/* n bytes at this address, at most 64, or NULL: they are not there.  Until the next call. */
static const unsigned char *piece_at(struct piece *p, uintptr_t at, size_t n)
{
	if (UNLIKELY(at < p->have.start || at >= p->have.end || n > p->have.end - at)) {
		p->have = (struct span){at, at + peek_some(p->room, at, sizeof p->room)};
		p->bytes = p->room;
		if (n > p->have.end - at)
			return NULL;
	}
	return p->bytes + (at - p->have.start);
}

struct reader {
	struct piece *from;
	uintptr_t at, end;
};

static uint64_t take(struct reader *r, size_t n)
{
	const unsigned char *bytes = r->end - r->at < n ? NULL : piece_at(r->from, r->at, n);
	uint64_t v = 0;

	if (!bytes) {
		r->at = r->end;
		return 0;
	}
	memcpy(&v, bytes, n);
	r->at += n;
	return v;
}

static uint64_t uleb(struct reader *r)
{
	uint64_t v = 0;
	unsigned shift = 0;
	unsigned char b;

	do {
		b = (unsigned char)take(r, 1);
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80 && r->at < r->end);
	return v;
}

static int64_t sleb(struct reader *r)
{
	int64_t v = 0;
	unsigned shift = 0;
	unsigned char b;

	do {
		b = (unsigned char)take(r, 1);
		if (shift < 64)
			v |= (int64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80 && r->at < r->end);
	if (shift < 64 && b & 0x40)
		v |= -((int64_t)1 << shift);
	return v;
}

static void skip(struct reader *r, uint64_t n)
{
	r->at = n < r->end - r->at ? r->at + n : r->end;
}

/* An encoded address: absolute or relative to its own place. */
static uintptr_t address(struct reader *r, unsigned char enc)
{
	const uintptr_t here = r->at;
	uintptr_t v;

	switch (enc & 0x0f) {
	case 0x0b:
		v = (uintptr_t)(int64_t)(int32_t)take(r, 4);
		break;
	case 0x03:
		v = take(r, 4);
		break;
	case 0x02:
		v = take(r, 2);
		break;
	case 0x0a:
		v = (uintptr_t)(int64_t)(int16_t)take(r, 2);
		break;
	default:
		v = take(r, 8);
	}
	return (enc & 0x70) == 0x10 ? v + here : v;
}

struct row {
	enum reg cfa_reg;
	bool cfa_deref, bad;
	int64_t cfa_off;
	enum saved kind[REGS];
	int64_t off[REGS];
};

static enum reg reg_of(uint64_t dwarf)
{
	return dwarf == DW_SP ? SP : dwarf == DW_FP ? FP : dwarf == DW_BX ? BX : dwarf == DW_RA ? RA : REGS;
}

/* The few expressions that compilers write: a register and an offset, with or without a load. */
static bool expression(struct reader *r, enum reg *reg, int64_t *off, bool *deref)
{
	const uint64_t n = uleb(r);
	struct reader e = {r->from, r->at, r->at};
	unsigned char op;

	skip(r, n);
	e.end = r->at;
	op = (unsigned char)take(&e, 1);
	if (op < 0x70 || op > 0x8f)
		return false;
	*reg = reg_of(op - 0x70u);
	*off = sleb(&e);
	*deref = false;
	if (e.at < e.end)
		*deref = take(&e, 1) == 0x06;
	return e.at == e.end && *reg < RA;
}

static void saved_at(struct row *row, uint64_t dwarf, enum saved kind, int64_t off)
{
	const enum reg reg = reg_of(dwarf);

	if (reg != REGS && reg != SP) {
		row->kind[reg] = kind;
		row->off[reg] = off;
	}
}

/* Runs the instructions of r up to pc; loc: where they begin. */
static void run(struct reader *r, struct row *row, const struct row *initial, uintptr_t loc, uintptr_t pc,
	uint64_t code, int64_t data, unsigned char enc)
{
	struct row kept[8];
	unsigned depth = 0;
	enum reg reg;
	uint64_t x;
	int64_t off;
	bool deref;

	while (r->at < r->end && !row->bad) {
		const unsigned char op = (unsigned char)take(r, 1);

		switch (op & 0xc0) {
		case 0x40:
			loc += (op & 0x3f) * code;
			if (loc > pc)
				return;
			continue;
		case 0x80:
			saved_at(row, op & 0x3f, SAVED_CFA, (int64_t)uleb(r) * data);
			continue;
		case 0xc0:
			reg = reg_of(op & 0x3f);
			if (reg != REGS) {
				row->kind[reg] = initial->kind[reg];
				row->off[reg] = initial->off[reg];
			}
			continue;
		}
		switch (op) {
		case 0x00: /* nop */
		case 0x2d: /* DW_CFA_AARCH64_negate_ra_state */
			break;
		case 0x01:
			loc = address(r, enc);
			if (loc > pc)
				return;
			break;
		case 0x02:
		case 0x03:
		case 0x04:
			loc += take(r, op == 2 ? 1 : op == 3 ? 2 : 4) * code;
			if (loc > pc)
				return;
			break;
		case 0x05: /* offset_extended */
			x = uleb(r);
			saved_at(row, x, SAVED_CFA, (int64_t)uleb(r) * data);
			break;
		case 0x11: /* offset_extended_sf */
			x = uleb(r);
			saved_at(row, x, SAVED_CFA, sleb(r) * data);
			break;
		case 0x2f: /* GNU_negative_offset_extended */
			x = uleb(r);
			saved_at(row, x, SAVED_CFA, -(int64_t)uleb(r) * data);
			break;
		case 0x06: /* restore_extended */
			reg = reg_of(uleb(r));
			if (reg != REGS) {
				row->kind[reg] = initial->kind[reg];
				row->off[reg] = initial->off[reg];
			}
			break;
		case 0x07: /* undefined */
			saved_at(row, uleb(r), SAVED_LOST, 0);
			break;
		case 0x08: /* same_value */
			saved_at(row, uleb(r), SAVED_SAME, 0);
			break;
		case 0x09: /* register */
			x = uleb(r);
			uleb(r);
			saved_at(row, x, SAVED_LOST, 0);
			break;
		case 0x0a: /* remember_state */
			if (depth == ROWS(kept))
				row->bad = true;
			else
				kept[depth++] = *row;
			break;
		case 0x0b: /* restore_state */
			if (depth)
				*row = kept[--depth];
			else
				row->bad = true;
			break;
		case 0x0c: /* def_cfa */
		case 0x12: /* def_cfa_sf */
			row->cfa_reg = reg_of(uleb(r));
			row->cfa_off = op == 0x0c ? (int64_t)uleb(r) : sleb(r) * data;
			row->cfa_deref = false;
			break;
		case 0x0d: /* def_cfa_register */
			row->cfa_reg = reg_of(uleb(r));
			row->cfa_deref = false;
			break;
		case 0x0e: /* def_cfa_offset */
			row->cfa_off = (int64_t)uleb(r);
			break;
		case 0x13: /* def_cfa_offset_sf */
			row->cfa_off = sleb(r) * data;
			break;
		case 0x0f: /* def_cfa_expression */
			if (expression(r, &reg, &off, &deref)) {
				row->cfa_reg = reg;
				row->cfa_off = off;
				row->cfa_deref = deref;
			} else {
				row->cfa_reg = REGS;
			}
			break;
		case 0x10: /* expression */
			x = uleb(r);
			if (expression(r, &reg, &off, &deref) && reg == FP && !deref)
				saved_at(row, x, SAVED_FP, off);
			else
				saved_at(row, x, SAVED_LOST, 0);
			break;
		case 0x14: /* val_offset */
		case 0x15:
			x = uleb(r);
			uleb(r);
			saved_at(row, x, SAVED_LOST, 0);
			break;
		case 0x16: /* val_expression */
			saved_at(row, uleb(r), SAVED_LOST, 0);
			x = uleb(r);
			skip(r, x);
			break;
		case 0x2e: /* GNU_args_size */
			uleb(r);
			break;
		default:
			row->bad = true;
		}
	}
}

/* The frame description entry of pc, 0: none, from the header's table, which is sorted. */
static uintptr_t entry_find(struct piece *p, const struct module *m, uintptr_t pc)
{
	const uintptr_t base = m->eh_hdr;
	const unsigned char *h = base && m->eh_hdr_size >= 12 ? piece_at(p, base, 12) : NULL;
	uint32_t n;
	size_t low = 0, high;
	int32_t pair[2];

	/* version, then: pcrel sdata4, udata4, datarel sdata4, which all linkers write */
	if (!h || h[0] != 1 || h[2] != 0x03 || h[3] != 0x3b || (h[1] & 0x0f) != 0x0b)
		return 0;
	memcpy(&n, h + 8, sizeof n);
	if (!n || 12 + (uint64_t)n * 8 > m->eh_hdr_size)
		return 0;
	for (high = n; high - low > 1;) {
		const size_t mid = (low + high) / 2;

		if (!(h = piece_at(p, base + 12 + mid * 8, sizeof pair)))
			return 0;
		memcpy(pair, h, sizeof pair);
		if (base + (uintptr_t)(intptr_t)pair[0] <= pc)
			low = mid;
		else
			high = mid;
	}
	if (!(h = piece_at(p, base + 12 + low * 8, sizeof pair)))
		return 0;
	memcpy(pair, h, sizeof pair);
	return base + (uintptr_t)(intptr_t)pair[0] <= pc ? base + (uintptr_t)(intptr_t)pair[1] : 0;
}

/* What a common information entry says for all functions that refer to it. */
struct common {
	uint64_t code;
	int64_t data;
	unsigned char enc;
	bool has_data;
};

/* The common information entry at cie; r stops at its instructions.  False: it is none. */
static bool common_read(struct reader *r, uintptr_t cie, struct common *ret)
{
	char aug[8] = "";
	unsigned char version;
	uint32_t n;
	size_t k = 0;

	*ret = (struct common){0};
	r->at = cie;
	r->end = cie + 8;
	n = (uint32_t)take(r, 4);
	if (n < 8 || n >= 0xfffffff0)
		return false;
	r->end = cie + 4 + n;
	take(r, 4);
	version = (unsigned char)take(r, 1);
	for (char c; r->at < r->end && (c = (char)take(r, 1)); k++)
		if (k < sizeof aug - 1)
			aug[k] = c;
	ret->code = uleb(r);
	ret->data = sleb(r);
	if (version == 1)
		take(r, 1);
	else
		uleb(r);
	if (*aug == 'z') {
		const uint64_t size = uleb(r);
		struct reader a = {r->from, r->at, r->at};

		skip(r, size);
		a.end = r->at;
		ret->has_data = true;
		for (const char *c = aug + 1; *c; c++) {
			if (*c == 'R')
				ret->enc = (unsigned char)take(&a, 1);
			else if (*c == 'L')
				take(&a, 1);
			else if (*c == 'P')
				address(&a, (unsigned char)take(&a, 1));
		}
	}
	return true;
}

/* What pc's row says, as a rule; false: more than a rule can hold. */
static bool rule_of(const struct row *row, struct rule *rule)
{
	if (row->bad || row->cfa_reg >= RA || row->cfa_off != (int32_t)row->cfa_off)
		return false;
	rule->cfa_reg = (uint8_t)row->cfa_reg;
	rule->cfa_off = (int32_t)row->cfa_off;
	rule->cfa_deref = row->cfa_deref;
	for (enum reg i = FP; i < REGS; i++) {
		if (row->off[i] % 8 || row->off[i] / 8 != (int16_t)(row->off[i] / 8))
			return false;
		rule->kind[i] = (uint8_t)row->kind[i];
		rule->off[i] = (int16_t)(row->off[i] / 8);
	}
	rule->ok = true;
	return true;
}

static bool cfi_rule(const struct module *m, uintptr_t pc, struct rule *rule)
{
	struct row row = {.cfa_reg = REGS}, initial;
	struct piece piece;
	struct reader r = {.from = &piece};
	struct common c;
	uint32_t length, delta;
	uintptr_t fde, begin, size;

	piece_start(&piece, m);
	fde = entry_find(&piece, m, pc);
	if (!fde)
		return false;
	r.at = fde;
	r.end = fde + 8;
	length = (uint32_t)take(&r, 4);
	delta = (uint32_t)take(&r, 4);
	if (length < 8 || length >= 0xfffffff0 || !delta || !common_read(&r, fde + 4 - delta, &c))
		return false;
	run(&r, &row, &row, 0, UINTPTR_MAX, c.code, c.data, c.enc);
	initial = row;
	r.at = fde + 8;
	r.end = fde + 4 + length;
	begin = address(&r, c.enc);
	size = address(&r, c.enc & 0x0f);
	if (pc < begin || pc - begin >= size)
		return false;
	if (c.has_data) {
		const uint64_t n = uleb(&r);

		skip(&r, n);
	}
	run(&r, &row, &initial, begin, pc, c.code, c.data, c.enc);
	return rule_of(&row, rule);
}

/* -- what of the stack is there ---------------------------------------------------------------- */

struct walk {
	uintptr_t pc, reg[REGS];
	struct span there;  /* of the stack: can be read where it is */
	struct span copied; /* of what lies beyond: can be read in words */
	uintptr_t words[64];
};

/* The stack on which the thread runs is there from its lowest frame on, sp, up to where it began, for as long as the
 * thread runs.  The first thread's began where the kernel put the program's arguments (mmap_base() leaves
 * at least 128 MiB below that free). */
static uintptr_t first_top(uintptr_t sp)
{
	enum { MOST = 64 << 20 };
	static uintptr_t known;
	uintptr_t top = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (UNLIKELY(!top)) {
		top = getauxval(AT_RANDOM) & ~(uintptr_t)7;
		__atomic_store_n(&known, top, __ATOMIC_RELAXED);
	}
	return top - sp < MOST ? top : 0;
}

/* Another thread's began at what libc keeps of the thread, unless it runs on a stack of the program's own
 * making (makecontext(3), sigaltstack(2)) that lies below by chance: so each page up to there is looked
 * at once.  Remembered: the thread, and how many pages. */
static uintptr_t thread_top(uintptr_t sp)
{
	enum { MOST = 64 };
	static uint64_t threads[64];
	const uintptr_t top = sys_thread_pointer();
	const uintptr_t pages = top / PEEK_PAGE - sp / PEEK_PAGE;
	uint64_t *slot = &threads[top / PEEK_PAGE % ROWS(threads)], was = __atomic_load_n(slot, __ATOMIC_RELAXED);
	uintptr_t known = was >> 16 == top ? was & 0xffff : 0;

	if (top < sp || pages > MOST || top >> 48)
		return 0;
	if (LIKELY(pages <= known))
		return top;
	for (uintptr_t i = known; i <= pages; i++)
		if (!peek_page((top / PEEK_PAGE - i) * PEEK_PAGE))
			return 0;
	__atomic_store_n(slot, (uint64_t)top << 16 | pages, __ATOMIC_RELAXED);
	return top;
}

/* The stack is there from sp on, which has been read. */
static void walk_trust(struct walk *w, uintptr_t sp)
{
	uintptr_t top = first_top(sp);

	if (UNLIKELY(!top) && !(top = thread_top(sp)))
		top = (sp | (PEEK_PAGE - 1)) + 1;
	w->there = (struct span){sp, top & ~(uintptr_t)7};
}

static NOINLINE bool load_copy(struct walk *w, uintptr_t at, uintptr_t *ret)
{
	if (at - w->copied.start >= w->copied.end - w->copied.start)
		w->copied = (struct span){at, (at + peek_some(w->words, at, sizeof w->words)) & ~(uintptr_t)7};
	if (at >= w->copied.end)
		return false;
	*ret = w->words[(at - w->copied.start) / 8];
	return true;
}

static inline bool load(struct walk *w, uintptr_t at, uintptr_t *ret)
{
	if (at & 7)
		return false;
	if (UNLIKELY(at - w->there.start >= w->there.end - w->there.start))
		return load_copy(w, at, ret);
	*ret = *(const uintptr_t *)at;
	return true;
}

/* -- one step -------------------------------------------------------------------------------- */

/* Is pc where a signal handler returns to: rt_sigreturn(2) by its number? */
static bool is_sigreturn(uintptr_t pc, const struct module *m)
{
#if defined(__x86_64__)
	static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
#elif defined(__aarch64__)
	static const unsigned char code[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};
#endif
	unsigned char copy[sizeof code];

	if (m && pc >= m->code.start && pc < m->code.end && m->code.end - pc >= sizeof code)
		return memcmp((const void *)pc, code, sizeof code) == 0;
	return peek(copy, pc, sizeof copy) && memcmp(copy, code, sizeof code) == 0;
}

/* arch/x86/include/asm/sigframe.h; arch/arm64/kernel/signal.c: the registers at the interruption. */
static bool load_signal(struct walk *w)
{
	const uintptr_t sp = w->reg[SP];
#if defined(__x86_64__)
	return load(w, sp + 168, &w->pc) && load(w, sp + 120, &w->reg[FP]) && load(w, sp + 128, &w->reg[BX]) &&
	       load(w, sp + 160, &w->reg[SP]);
#elif defined(__aarch64__)
	const uintptr_t regs = sp + 128 + 176 + 8;

	return load(w, regs + 32 * 8, &w->pc) && load(w, regs + 29 * 8, &w->reg[FP]) &&
	       load(w, regs + 30 * 8, &w->reg[RA]) && load(w, regs + 28 * 8, &w->reg[BX]) &&
	       load(w, regs + 31 * 8, &w->reg[SP]);
#endif
}

/* The function that was interrupted may have run on another stack. */
static bool step_signal(struct walk *w)
{
	uintptr_t word;

	if (!load_signal(w) || w->reg[SP] & 7 || !load(w, w->reg[SP], &word))
		return false;
	walk_trust(w, w->reg[SP]);
	return true;
}

/* Code without tables (made at run time): the chain of frame pointers, if there is one. */
static bool step_chain(struct walk *w)
{
	const uintptr_t fp = w->reg[FP];

	if (fp < w->reg[SP] || fp - w->reg[SP] > 1 << 20 || !load(w, fp + 8, &w->pc) ||
		!load(w, fp, &w->reg[FP]))
		return false;
	w->reg[SP] = fp + 16;
	return w->pc != 0;
}

static bool step_rule(struct walk *w, const struct rule *r)
{
	uintptr_t cfa = w->reg[r->cfa_reg] + (uintptr_t)(intptr_t)r->cfa_off, value[REGS];

	if (r->cfa_deref && !load(w, cfa, &cfa))
		return false;
	if (cfa < w->reg[SP] || cfa - w->reg[SP] > 1 << 26 || cfa & 7)
		return false;
	for (enum reg i = FP; i < REGS; i++) {
		const uintptr_t off = (uintptr_t)(intptr_t)r->off[i] * 8;

		switch (r->kind[i]) {
		case SAVED_SAME:
			value[i] = w->reg[i];
			break;
		case SAVED_CFA:
			if (!load(w, cfa + off, &value[i]))
				return false;
			break;
		case SAVED_FP:
			if (!load(w, w->reg[FP] + off, &value[i]))
				return false;
			break;
		default:
			value[i] = 0;
		}
	}
#if defined(__aarch64__)
	value[RA] &= ((uintptr_t)1 << 48) - 1; /* without the pointer's signature */
#endif
	if (cfa == w->reg[SP] && value[RA] == w->pc)
		return false;
	w->pc = value[RA];
	w->reg[SP] = cfa;
	w->reg[FP] = value[FP];
	w->reg[BX] = value[BX];
	w->reg[RA] = value[RA];
	return true;
}

/* Walks on for as long as all is known and plain; true: that was the end of it. */
static inline bool walk_plain(struct walk *w, frame *out, size_t *have, size_t n, unsigned *steps)
{
	uintptr_t pc = w->pc, sp = w->reg[SP], fp = w->reg[FP], bx = w->reg[BX], ra = w->reg[RA];
	const struct span there = w->there;
	const uintptr_t reach = there.end - there.start;
	size_t at = *have;
	bool end = false;

	for (; pc > 4096 && *steps < 64; ++*steps) {
		uintptr_t cfa, cfa_fp, cfa_bx, cfa_ra;
		struct slot s;

		if (!slot_read(pc, &s) || !(s.a & (PLAIN | LAST)))
			break;
		if (s.a & LAST) {
			out[at++] = s.frame;
			end = true;
			break;
		}
		cfa = (s.a >> 32 & 1 ? fp : sp) + (uintptr_t)(intptr_t)(int32_t)(uint32_t)s.a;
		if (at + 1 < n) {
			cfa_fp = s.a >> 37 & 3
					 ? cfa + (uintptr_t)(intptr_t)(int16_t)(uint16_t)s.b * 8
					 : cfa - 8;
			cfa_bx = s.a >> 39 & 3
					 ? cfa + (uintptr_t)(intptr_t)(int16_t)(uint16_t)(s.b >>
											  16) *
							   8
					 : cfa - 8;
			cfa_ra = cfa + (uintptr_t)(intptr_t)(int16_t)(uint16_t)(s.b >> 32) * 8;
			if (cfa <= sp || cfa - sp > 1 << 26 || cfa & 7)
				break; /* odd: looked at with care */
			if (UNLIKELY(cfa_fp - there.start >= reach || cfa_bx - there.start >= reach ||
					cfa_ra - there.start >= reach))
				break;
			pc = *(const uintptr_t *)cfa_ra;
#if defined(__aarch64__)
			pc &= ((uintptr_t)1 << 48) - 1; /* without the pointer's signature */
#endif
			ra = pc;
			if (s.a >> 37 & 3)
				fp = *(const uintptr_t *)cfa_fp;
			if (s.a >> 39 & 3)
				bx = *(const uintptr_t *)cfa_bx;
			sp = cfa;
		}
		out[at++] = s.frame;
		if (at == n) {
			end = true;
			break;
		}
	}
	*have = at;
	w->pc = pc;
	w->reg[SP] = sp;
	w->reg[FP] = fp;
	w->reg[BX] = bx;
	w->reg[RA] = ra;
	return end || pc <= 4096 || *steps >= 64;
}

/* The rule of pc: look is the address in the call. */
static NOINLINE void learn(uintptr_t pc, uintptr_t look, struct rule *r)
{
	const unsigned epoch = __atomic_load_n(&module_epoch, __ATOMIC_ACQUIRE);
	const struct module *m;

	*r = (struct rule){.module = (uint16_t)module_find(look)};
	m = r->module ? module_at(r->module) : NULL;
	r->signal = is_sigreturn(pc, m);
	if (!r->signal && m)
		cfi_rule(m, look, r);
	slot_put(pc, r, epoch);
}

/* libjail's own module and code; before anybody asks for a stack nothing is known of it. */
static unsigned own;
static uintptr_t own_start, own_end, own_base;

static unsigned own_module(void)
{
	if (UNLIKELY(!own)) {
		const unsigned m = module_find((uintptr_t)&own_module);

		if (m && module_at(m)->kind == MODULE_SELF) {
			own_start = module_at(m)->start;
			own_end = module_at(m)->end;
			own_base = module_at(m)->base;
		}
		own = m;
	}
	return own;
}

static bool is_ours(uintptr_t pc)
{
	return pc - own_start < own_end - own_start;
}

size_t unwind_stack(frame *out, size_t n)
{
	struct walk w;
	const unsigned self = own_module();
	uintptr_t last = 0;
	bool exact = false;
	size_t have = 0;
	struct rule r;

	if (n < 2)
		return 0;
	w.pc = w.reg[SP] = w.reg[BX] = w.reg[RA] = 0;
	w.copied = (struct span){0};
	/* Our own frames, which all have a pointer to the one before (the Makefile says so). */
	w.reg[FP] = (uintptr_t)__builtin_frame_address(0);
	do {
		const uintptr_t *f = (const uintptr_t *)w.reg[FP];

		if (w.reg[FP] & 7 || (w.reg[SP] && w.reg[FP] - w.reg[SP] > 1 << 20))
			return 0;
		last = w.pc;
		w.pc = f[1];
		w.reg[FP] = f[0];
		w.reg[SP] = (uintptr_t)(f + 2);
	} while (is_ours(w.pc));
	walk_trust(&w, w.reg[SP] - 16); /* where it was read */
	if (last) {
		out[0] = (uint64_t)self << 48 | ((last - 1 - own_base) & (((uint64_t)1 << 48) - 1));
		have = 1;
	}
	for (unsigned steps = 0; w.pc > 4096 && steps < 64; steps++) {
		struct slot s;
		uintptr_t look;

		if (!exact && walk_plain(&w, out, &have, n, &steps))
			break;
		look = exact ? w.pc : w.pc - 1;
		if (slot_read(w.pc, &s))
			slot_rule(&s, &r);
		else
			learn(w.pc, look, &r);
		if (!r.signal) { /* else the interrupted function is next */
			out[have++] = frame_of(&r, look);
			if (have == n)
				break;
		}
		exact = r.signal;
		if (r.signal ? !step_signal(&w) : r.ok ? !step_rule(&w, &r) : !step_chain(&w))
			break;
	}
	return have;
}
