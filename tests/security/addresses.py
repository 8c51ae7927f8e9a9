"""Sixty addresses that lead inside, one way or another. PORT is that of somebody who listens."""

# What names mean in these tests; all else is asked of the system, which reads numbers as it does.
NAMES: dict[str, list[str]] = {
    "internal.example": ["10.0.0.5"],
    "both.example": ["93.184.216.34", "127.0.0.1"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata.google.internal.": ["169.254.169.254"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "localtest.example": ["127.0.0.1"],
    "shared.example": ["100.64.1.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "xn--1ca.example": ["192.168.0.10"],
    "scoped.example": ["fe80::1%1"],
}
HOSTS = (
    # --- this machine, in every way that it can be written
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1",
    "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "0177.1", "127.0.0.1.", "0", "0.0.0.0",
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]",
    "[::1%25lo]", "[fe80::1%25eth0]", "[fe80::1]", "[fec0::1]", "[fd00::1]", "[ff02::1]",
    # --- the networks around it, and those of clouds
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0xa9fea9fe",
    "2852039166", "0251.0376.0251.0376", "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
    "100.64.0.1", "198.18.0.1", "192.0.0.1", "192.0.0.192", "168.63.129.16", "192.88.99.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1",
    # --- names
    *NAMES,
    # --- digits and dots of other scripts
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "١٢٧.0.0.1", "ⓛocalhost",
)  # fmt: skip
ADDRESSES = (
    *(f"http://{host}:PORT/hook" for host in HOSTS),
    # --- user and password, and what parsers disagree on
    "http://example.org@127.0.0.1:PORT/hook", "http://127.0.0.1:PORT#@example.org/hook",
    "http://example.org:80@127.0.0.1:PORT/hook", "http://127.0.0.1:PORT\\@example.org/",
    "http:///127.0.0.1:PORT/hook", "http:127.0.0.1:PORT/hook", "http://127.0.0.1:PORT\t/hook",
    "http://127.0.0.1:PORT\r\nHost: example.org/", "http://[::1/hook", "//127.0.0.1:PORT/hook",
    # --- other schemes
    "file:///etc/passwd", "ftp://127.0.0.1:PORT/hook", "gopher://127.0.0.1:PORT/_x",
    "dict://127.0.0.1:PORT/x", "unix:///var/run/docker.sock", "ldap://127.0.0.1:PORT/",
    "ssh://127.0.0.1:PORT/", "data:text/plain,x", "javascript:alert(1)", "jar:http://127.0.0.1!/",
)  # fmt: skip
