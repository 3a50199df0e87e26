// SuiteSparse GraphBLAS on the same file. Usage: graphblas FILE ANCHORS HOPS ROUNDS
#include <GraphBLAS.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define OK(call)                                                       \
    do {                                                               \
        GrB_Info info = (call);                                        \
        if (info != GrB_SUCCESS && info != GrB_NO_VALUE) {             \
            fprintf(stderr, "line %d: GraphBLAS says %d\n", __LINE__, info); \
            exit(1);                                                   \
        }                                                              \
    } while (0)

static double at;

static double lap(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double now = r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
    double took = now - at;
    at = now;
    return took;
}

// load builds the matrix whose entry (i, j) is a link from i to j, and its transpose.
static void load(const char *path, GrB_Index *n, GrB_Matrix *out, GrB_Matrix *in) {
    FILE *f = fopen(path, "rb");
    uint64_t head[2];
    if (!f || fread(head, 8, 2, f) != 2) { perror(path); exit(1); }
    *n = head[0];
    GrB_Index m = head[1];
    GrB_Index *rows = malloc(m * sizeof *rows), *cols = malloc(m * sizeof *cols);
    uint32_t block[16384];
    GrB_Index k = 0;
    for (size_t got; (got = fread(block, 8, 8192, f)) > 0;)
        for (size_t i = 0; i < got; i++, k++) rows[k] = block[2 * i], cols[k] = block[2 * i + 1];
    fclose(f);
    GrB_Scalar one;
    OK(GrB_Scalar_new(&one, GrB_FP64));
    OK(GrB_Scalar_setElement_FP64(one, 1));
    OK(GrB_Matrix_new(out, GrB_FP64, *n, *n));
    double *ones = malloc(m * sizeof *ones);
    for (GrB_Index i = 0; i < m; i++) ones[i] = 1;
    OK(GrB_Matrix_build_FP64(*out, rows, cols, ones, m, GrB_PLUS_FP64)); // a link given twice weighs 2
    free(rows), free(cols), free(ones);
    OK(GrB_Scalar_free(&one));
    OK(GrB_Matrix_new(in, GrB_FP64, *n, *n));
    OK(GrB_transpose(*in, NULL, NULL, *out, NULL));
    OK(GrB_Matrix_wait(*in, GrB_MATERIALIZE));
}

// reach counts what leads to the seeds in at most so many hops.
static uint64_t reach(GrB_Matrix in, GrB_Index n, GrB_Index first, GrB_Index count, int hops) {
    GrB_Vector seen, front;
    OK(GrB_Vector_new(&seen, GrB_BOOL, n));
    OK(GrB_Vector_new(&front, GrB_BOOL, n));
    for (GrB_Index v = first; v < first + count; v++) {
        OK(GrB_Vector_setElement_BOOL(seen, true, v));
        OK(GrB_Vector_setElement_BOOL(front, true, v));
    }
    for (int h = 0; h < hops; h++) {
        OK(GrB_vxm(front, seen, NULL, GxB_ANY_PAIR_BOOL, front, in, GrB_DESC_RSC));
        OK(GrB_Vector_assign_BOOL(seen, front, NULL, true, GrB_ALL, n, GrB_DESC_S));
    }
    GrB_Index size;
    OK(GrB_Vector_nvals(&size, seen));
    OK(GrB_Vector_free(&seen));
    OK(GrB_Vector_free(&front));
    return size - count;
}

static double pagerank(GrB_Matrix out, GrB_Matrix in, GrB_Index n, int rounds) {
    const double d = 0.85;
    GrB_Vector degree, rank, share, lost;
    OK(GrB_Vector_new(&degree, GrB_FP64, n));
    OK(GrB_Matrix_reduce_Monoid(degree, NULL, NULL, GrB_PLUS_MONOID_FP64, out, NULL));
    OK(GrB_Vector_new(&rank, GrB_FP64, n));
    OK(GrB_Vector_new(&share, GrB_FP64, n));
    OK(GrB_Vector_new(&lost, GrB_FP64, n));
    OK(GrB_Vector_assign_FP64(rank, NULL, NULL, 1.0 / n, GrB_ALL, n, NULL));
    for (int k = 0; k < rounds; k++) {
        double nobody = 0;
        OK(GrB_Vector_assign(lost, degree, NULL, rank, GrB_ALL, n, GrB_DESC_RSC));
        OK(GrB_Vector_reduce_FP64(&nobody, NULL, GrB_PLUS_MONOID_FP64, lost, NULL));
        OK(GrB_Vector_eWiseMult_BinaryOp(share, NULL, NULL, GrB_DIV_FP64, rank, degree, NULL));
        OK(GrB_Vector_apply_BinaryOp1st_FP64(share, NULL, NULL, GrB_TIMES_FP64, d, share, NULL));
        OK(GrB_Vector_assign_FP64(rank, NULL, NULL, (1 - d) / n + d * nobody / n, GrB_ALL, n, NULL));
        OK(GrB_mxv(rank, NULL, GrB_PLUS_FP64, GrB_PLUS_TIMES_SEMIRING_FP64, in, share, NULL));
    }
    double top;
    OK(GrB_Vector_reduce_FP64(&top, NULL, GrB_MAX_MONOID_FP64, rank, NULL));
    OK(GrB_Vector_free(&degree));
    OK(GrB_Vector_free(&rank));
    OK(GrB_Vector_free(&share));
    OK(GrB_Vector_free(&lost));
    return top;
}

// weak labels components by their smallest node: the smallest label around, then the
// label of the label, until nothing moves.
static void weak(GrB_Matrix out, GrB_Matrix in, GrB_Index n, uint64_t *components, uint64_t *largest) {
    GrB_Vector f, g;
    OK(GrB_Vector_new(&f, GrB_UINT64, n));
    OK(GrB_Vector_new(&g, GrB_UINT64, n));
    GrB_Index *label = malloc(n * sizeof *label), *all = malloc(n * sizeof *all);
    for (GrB_Index v = 0; v < n; v++) all[v] = label[v] = v;
    OK(GrB_Vector_build_UINT64(f, all, label, n, GrB_MIN_UINT64));
    for (bool moved = true; moved;) {
        OK(GrB_Vector_dup(&g, f));
        OK(GrB_mxv(f, NULL, GrB_MIN_UINT64, GrB_MIN_SECOND_SEMIRING_UINT64, out, f, NULL));
        OK(GrB_mxv(f, NULL, GrB_MIN_UINT64, GrB_MIN_SECOND_SEMIRING_UINT64, in, f, NULL));
        GrB_Index k = n;
        OK(GrB_Vector_extractTuples_UINT64(all, label, &k, f));
        moved = false;
        for (GrB_Index v = 0; v < n; v++) {
            GrB_Index p = label[v];
            while (label[p] != p) p = label[p];
            label[v] = p;
        }
        OK(GrB_Vector_clear(f));
        OK(GrB_Vector_build_UINT64(f, all, label, n, GrB_MIN_UINT64));
        GrB_Vector diff;
        OK(GrB_Vector_new(&diff, GrB_BOOL, n));
        OK(GrB_Vector_eWiseMult_BinaryOp(diff, NULL, NULL, GrB_NE_UINT64, f, g, NULL));
        OK(GrB_Vector_reduce_BOOL(&moved, NULL, GrB_LOR_MONOID_BOOL, diff, NULL));
        OK(GrB_Vector_free(&diff));
        OK(GrB_Vector_free(&g));
    }
    for (GrB_Index v = 0; v < n; v++) all[v] = 0;
    *components = *largest = 0;
    for (GrB_Index v = 0; v < n; v++) {
        *components += label[v] == v;
        if (++all[label[v]] > *largest) *largest = all[label[v]];
    }
    free(label), free(all);
    OK(GrB_Vector_free(&f));
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int anchors = atoi(argv[2]), hops = atoi(argv[3]), rounds = atoi(argv[4]);
    OK(GrB_init(GrB_NONBLOCKING));
    GrB_Index n;
    GrB_Matrix out, in;
    lap();
    load(argv[1], &n, &out, &in);
    printf("{\"load\":%.4f", lap());
    uint64_t sum = 0;
    for (int a = 0; a < anchors; a++) sum += reach(in, n, a, 1, hops);
    printf(",\"reach\":%.4f,\"reach_sum\":%lu", lap(), sum);
    sum = reach(in, n, 0, anchors, hops);
    printf(",\"union\":%.4f,\"union_sum\":%lu", lap(), sum);
    double top = pagerank(out, in, n, rounds);
    printf(",\"rank\":%.4f,\"rank_max\":%.15g", lap(), top);
    uint64_t components, largest;
    weak(out, in, n, &components, &largest);
    struct rusage r;
    printf(",\"weak\":%.4f", lap());
    getrusage(RUSAGE_SELF, &r);
    printf(",\"components\":%lu,\"largest\":%lu,\"peak_kib\":%ld}\n", components, largest, r.ru_maxrss);
    return 0;
}
