"""The Kubernetes operator: custom resources in, StatefulSets, Services and Secrets out."""
