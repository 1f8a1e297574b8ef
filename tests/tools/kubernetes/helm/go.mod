// The command that installs charts, for tests.
module treadle.dev/tests/tools/helm

go 1.25.0

require helm.sh/helm/v3 v3.19.5

tool helm.sh/helm/v3/cmd/helm
