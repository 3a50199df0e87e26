// A plain C++ program on compressed sparse rows: what the machine gives to somebody
// who writes the obvious loops. Usage: csr FILE ANCHORS HOPS ROUNDS
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

using u32 = uint32_t;
using u64 = uint64_t;

static double cpu() {
    rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

struct Edge { u32 from, to; };

struct Rows {
    std::vector<u32> start, to;
};

struct Graph {
    u64 n = 0, m = 0;
    Rows out, in;
};

template <class F>
static void eachEdge(FILE* f, F take) {
    std::vector<Edge> block(8192);
    fseek(f, 16, SEEK_SET);
    while (size_t k = fread(block.data(), sizeof(Edge), block.size(), f))
        for (size_t i = 0; i < k; i++) take(block[i]);
}

static Graph load(const char* path) {
    Graph g;
    FILE* f = fopen(path, "rb");
    u64 head[2];
    if (!f || fread(head, 8, 2, f) != 2) { perror(path); exit(1); }
    g.n = head[0], g.m = head[1];
    for (Rows* r : {&g.out, &g.in}) r->start.assign(g.n + 2, 0), r->to.resize(g.m);
    eachEdge(f, [&](Edge e) { g.out.start[e.from + 2]++, g.in.start[e.to + 2]++; });
    for (Rows* r : {&g.out, &g.in})
        for (u64 v = 2; v < g.n + 2; v++) r->start[v] += r->start[v - 1];
    eachEdge(f, [&](Edge e) {
        g.out.to[g.out.start[e.from + 1]++] = e.to;
        g.in.to[g.in.start[e.to + 1]++] = e.from;
    });
    fclose(f);
    return g;
}

struct Walker {
    std::vector<u64> seen;
    std::vector<u32> queue;
    explicit Walker(u64 n) : seen((n + 63) / 64) {}
    u64 reach(const Rows& r, const u32* seeds, size_t count, int hops) {
        queue.clear();
        auto push = [&](u32 v) {
            u64& word = seen[v / 64];
            u64 bit = u64(1) << (v % 64);
            if (!(word & bit)) word |= bit, queue.push_back(v);
        };
        for (size_t i = 0; i < count; i++) push(seeds[i]);
        size_t head = 0;
        for (int h = 0; h < hops; h++)
            for (size_t end = queue.size(); head < end; head++)
                for (u32 v = queue[head], e = r.start[v]; e < r.start[v + 1]; e++) push(r.to[e]);
        if (queue.size() > seen.size()) std::fill(seen.begin(), seen.end(), 0);
        else for (u32 v : queue) seen[v / 64] = 0;
        return queue.size() - count;
    }
};

static std::vector<double> pagerank(const Graph& g, int rounds) {
    const double d = 0.85;
    std::vector<double> rank(g.n, 1.0 / g.n), share(g.n);
    for (int k = 0; k < rounds; k++) {
        double lost = 0;
        for (u64 v = 0; v < g.n; v++) {
            u32 deg = g.out.start[v + 1] - g.out.start[v];
            if (deg) share[v] = rank[v] / deg;
            else lost += rank[v], share[v] = 0;
        }
        double base = (1 - d) / g.n + d * lost / g.n;
        for (u64 v = 0; v < g.n; v++) {
            double sum = 0;
            for (u32 e = g.in.start[v]; e < g.in.start[v + 1]; e++) sum += share[g.in.to[e]];
            rank[v] = base + d * sum;
        }
    }
    return rank;
}

static u32 root(std::vector<u32>& up, u32 v) {
    while (up[v] != v) v = up[v] = up[up[v]];
    return v;
}

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    int anchors = atoi(argv[2]), hops = atoi(argv[3]), rounds = atoi(argv[4]);
    double t = cpu();
    auto lap = [&] { double now = cpu(), d = now - t; t = now; return d; };
    Graph g = load(argv[1]);
    printf("{\"load\":%.4f", lap());

    Walker w(g.n);
    u64 sum = 0;
    for (u32 a = 0; a < u32(anchors); a++) sum += w.reach(g.in, &a, 1, hops);
    printf(",\"reach\":%.4f,\"reach_sum\":%lu", lap(), sum);
    std::vector<u32> seeds(anchors);
    std::iota(seeds.begin(), seeds.end(), 0);
    u64 all = w.reach(g.in, seeds.data(), seeds.size(), hops);
    printf(",\"union\":%.4f,\"union_sum\":%lu", lap(), all);

    double top = 0;
    for (double r : pagerank(g, rounds)) top = std::max(top, r);
    printf(",\"rank\":%.4f,\"rank_max\":%.15g", lap(), top);

    std::vector<u32> up(g.n), size(g.n);
    std::iota(up.begin(), up.end(), 0);
    for (u32 v = 0; v < g.n; v++)
        for (u32 e = g.out.start[v]; e < g.out.start[v + 1]; e++) {
            u32 a = root(up, v), b = root(up, g.out.to[e]);
            if (a < b) up[b] = a;
            else up[a] = b;
        }
    for (u32 v = 0; v < g.n; v++) up[v] = root(up, v);
    printf(",\"weak\":%.4f", lap());
    u64 components = 0, largest = 0;
    for (u32 v = 0; v < g.n; v++) {
        components += up[v] == v;
        largest = std::max<u64>(largest, ++size[up[v]]);
    }
    rusage r;
    getrusage(RUSAGE_SELF, &r);
    printf(",\"components\":%lu,\"largest\":%lu,\"peak_kib\":%ld}\n", components, largest, r.ru_maxrss);
}
