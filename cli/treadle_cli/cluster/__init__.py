"""What ``treadle`` does with a cluster, by the user's own kubectl.

kubectl knows the user's contexts, logins and proxies; nothing here reads a kubeconfig. Ports of
pods are forwarded over WebSockets of our own (``forwarding``), which kubectl leads to the API
server (``proxied``).
"""
