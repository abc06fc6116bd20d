"""Pictures: read-only views of a training history, of predictions, and of a tape."""
