// The cluster's name server, for tests on a real cluster.
module treadle.dev/tests/tools/coredns

go 1.25.0

require github.com/coredns/coredns v1.14.3

tool github.com/coredns/coredns
