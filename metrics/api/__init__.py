"""The REST API under /api/v1/: read-only lists of metrics, values, targets and leaders."""
