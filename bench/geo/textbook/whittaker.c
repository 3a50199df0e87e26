#include "whittaker.h"

// Whittaker smoother with second differences, evenly spaced: the elimination of
// the five-banded system (W + lambda D'D) z = W y as in Eilers 2003, one series
// after another. Scratch has 3*n elements.
static void whittaker(double *z, const double *y, const double *w, int n, double lambda, double *scratch) {
	double *d = scratch, *c = scratch + n, *e = scratch + 2 * n;
	for (int i = 0; i < n; i++) {
		double diag = 6, first = -4, second = 1;
		if (i == 0 || i == n - 1) {
			diag = 1;
		} else if (i == 1 || i == n - 2) {
			diag = 5;
		}
		if (i == 0 || i == n - 2) {
			first = -2;
		}
		d[i] = w[i] + lambda * diag;
		c[i] = lambda * first;
		e[i] = lambda * second;
		z[i] = w[i] * y[i];
		if (i >= 1) {
			double before = c[i - 1];
			d[i] -= before * before * d[i - 1];
			if (i >= 2) {
				d[i] -= e[i - 2] * e[i - 2] * d[i - 2];
			}
			c[i] -= before * e[i - 1] * d[i - 1];
			z[i] -= before * z[i - 1];
			if (i >= 2) {
				z[i] -= e[i - 2] * z[i - 2];
			}
		}
		c[i] /= d[i];
		e[i] /= d[i];
	}
	for (int i = n - 1; i >= 0; i--) {
		z[i] /= d[i];
		if (i + 1 < n) {
			z[i] -= c[i] * z[i + 1];
		}
		if (i + 2 < n) {
			z[i] -= e[i] * z[i + 2];
		}
	}
}

void whittaker_all(double *z, const double *y, const double *w, long series, int n, double lambda, double *scratch) {
	for (long k = 0; k < series; k++) {
		whittaker(z + k * n, y + k * n, w + k * n, n, lambda, scratch);
	}
}
