// Smooths series of n steps each, one after another in y and w, into z.
void whittaker_all(double *z, const double *y, const double *w, long series, int n, double lambda, double *scratch);
