"""igraph on the same file. Usage: igraph_peer.py FILE ANCHORS HOPS RANKS_OUT

PageRank is PRPACK's, to convergence: igraph has no rounds to choose.
"""
import array
import json
import resource
import sys

import igraph
import numpy


def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


def main():
    path, anchors, hops, ranks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    out, at = {}, cpu()

    def lap(name):
        nonlocal at
        now = cpu()
        out[name], at = now - at, now

    n, m = (int(x) for x in numpy.fromfile(path, dtype="<u8", count=2))
    edges = numpy.fromfile(path, dtype="<u4", offset=16).reshape(m, 2)
    g = igraph.Graph(n=n, edges=edges, directed=True)
    del edges
    lap("load")
    out["reach_sum"] = sum(k - 1 for k in g.neighborhood_size(list(range(anchors)), order=hops, mode="in"))
    lap("reach")
    rank = g.pagerank(damping=0.85, directed=True, implementation="prpack")
    lap("rank")
    out["rank_max"] = max(rank)
    with open(ranks, "wb") as f:
        array.array("d", rank).tofile(f)
    del rank
    at = cpu()
    for name in ("weak", "strong"):
        sizes = g.connected_components(mode=name).sizes()
        lap(name)
        prefix = "" if name == "weak" else "strong_"
        out[prefix + "components"], out[prefix + "largest"] = len(sizes), max(sizes)
    out["peak_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(out))


main()
