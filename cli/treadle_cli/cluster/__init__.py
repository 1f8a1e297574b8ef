"""What ``treadle`` does with a cluster, by the user's own kubectl.

kubectl knows the user's contexts, logins and proxies; nothing here reads a kubeconfig.
"""
