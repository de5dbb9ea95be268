/* SPDX-License-Identifier: ISC
 *
 * A small timing harness.  An operation is an int function that returns 0 when it did what it should
 * and an errno value when it did not.  bench_op() finds how many calls fill one batch, runs several
 * batches, and keeps the median and the minimum. */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_MAX_BATCHES 64

typedef int (*bench_fn)(void);

struct bench_result {
	double med_ns;   /* median over batches, nanoseconds per operation */
	double min_ns;   /* fastest batch */
	long   n;        /* operations per batch */
	int    err;      /* 0, or the errno of the first failing call */
};

static double bench_batch_ms = 3.0;
static int    bench_batches  = 9;

static inline double bench_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int bench_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double bench_median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, bench_cmp);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Finds how many calls take bench_batch_ms, and warms up.  Returns 0 or the errno of a failing call. */
static int bench_fill(bench_fn fn, long *ret_n)
{
	double target = bench_batch_ms * 1e6;
	int err = fn();

	for (long n = 1; !err;) {
		double t0 = bench_now();
		for (long i = 0; i < n && !err; i++)
			err = fn();
		double dt = bench_now() - t0;
		if (dt >= target / 4) {
			long m = (long)((double)n * target / dt);
			*ret_n = m > 0 ? m : 1;
			break;
		}
		n = dt < target / 64 ? n * 8 : n * 2;
	}
	return err;
}

/* Nanoseconds of one of n calls.  Returns 0 or the errno of a failing call. */
static int bench_batch(bench_fn fn, long n, double *ret_ns)
{
	double t0 = bench_now();

	for (long i = 0; i < n; i++) {
		int err = fn();
		if (err)
			return err;
	}
	*ret_ns = (bench_now() - t0) / (double)n;
	return 0;
}

static inline struct bench_result bench_op(bench_fn fn)
{
	struct bench_result r = { 0, 0, 0, 0 };
	double v[BENCH_MAX_BATCHES];
	int nb = bench_batches < BENCH_MAX_BATCHES ? bench_batches : BENCH_MAX_BATCHES;

	r.err = bench_fill(fn, &r.n);
	for (int b = 0; b < nb && !r.err; b++)
		r.err = bench_batch(fn, r.n, &v[b]);
	if (r.err)
		return r;
	r.med_ns = bench_median(v, nb);
	r.min_ns = v[0];                        /* sorted by now */
	return r;
}

static inline void bench_print(const char *name, struct bench_result r)
{
	if (r.err)
		printf("%s\tFAIL\t%s\n", name, strerror(r.err));
	else
		printf("%s\t%.1f\t%.1f\t%ld\n", name, r.med_ns, r.min_ns, r.n);
	fflush(stdout);
}

#endif
