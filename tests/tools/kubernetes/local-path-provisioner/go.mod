// The cluster's volume provisioner, for tests on a real cluster.
module treadle.dev/tests/tools/local-path-provisioner

go 1.25.0

require github.com/rancher/local-path-provisioner v0.0.30

tool github.com/rancher/local-path-provisioner
