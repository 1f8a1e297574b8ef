"""Treadle's own API between a peer and whoever runs its chaincodes (docs/production-mode.md)."""
