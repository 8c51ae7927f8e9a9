"""Ways to write a path that climbs: for every route that takes a part of one.

Each is what stands in the address as it goes over the wire: the server takes percent-encodings
away once. What others decoded twice, cut at a sign, or folded, is here (MLflow's CVE-2023-1177,
-2780, -6831, -6909, CVE-2024-1560, -3848, CVE-2025-11201, and their fixes).
"""

from itertools import islice, product

# One step up, as somebody downstream may read it.
UPS = (
    "..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%25252e%25252e", "..%00", "%00..",
    "..%20", "..%09", "..%0a", "..;", "..;a=b", "..%3b", "..%23", "..%3f", "..#", "..?",
    "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%f0%80%80%ae%f0%80%80%ae", "%ef%bc%8e%ef%bc%8e",
    "%e2%80%a5", "%u002e%u002e", "%%32%65%%32%65", "....", "...", ".%00.", "..%e2%80%8b",
    "..%cc%81", "%2e%2e%5c..", "x/..", "./..", "%ed%a0%80..", "&#46;&#46;",
)  # fmt: skip
# What divides the parts of a path, likewise.
SLASHES = (
    "/", "%2f", "%2F", "%252f", "%25252f", "\\", "%5c", "%255c", "//", "/./", "%2f%2f", "%c0%af",
    "%e0%80%af", "%ef%bc%8f", "%e2%88%95", "%e2%81%84", ";/", "%00/", "%5c%2f", "%u2215", "%%32%66",
)  # fmt: skip
# ROOT is the folder above: an absolute path without its first slash.
WHOLE = (
    "/ROOT/canary", "//ROOT/canary", "%2fROOT/canary", "%252fROOT/canary", "%2f%2fROOT/canary",
    "file:///ROOT/canary", "file:/ROOT/canary", "file:%2f%2f%2fROOT%2fcanary", "///ROOT/canary",
    "\\ROOT\\canary", "%5cROOT%5ccanary", "C:/ROOT/canary", "C:%5cROOT%5ccanary", "~/canary",
    "%7eroot/canary", "\\\\localhost\\ROOT\\canary", "//localhost/ROOT/canary", "%00/ROOT/canary",
    "proc/self/root/ROOT/canary", "/proc/self/cwd/canary", "/dev/fd/0", "/etc/passwd",
    "link/canary", "link", "file-link", "inner/up/canary", "inner/up", "pipe", "pipe/x",
    "linked.log", "stdout.log/../../canary", "stdout%00.log", "stdout/../canary", "stdout%2f..",
)  # fmt: skip
DEPTHS = (1, 2, 3, 6, 9)


def climbs(most: int | None = None) -> list[str]:
    """`WHOLE` and products of the others; the first are the plainest, and of all kinds."""
    pairs = sorted(
        product(range(len(UPS)), range(len(SLASHES))), key=lambda pair: (min(pair), sum(pair))
    )
    climbing = dict.fromkeys(
        SLASHES[slash].join([*[UPS[up]] * DEPTHS[(up + slash) % len(DEPTHS)], "canary"])
        for up, slash in pairs
    )
    return [*WHOLE, *islice(climbing, None if most is None else most - len(WHOLE))]
