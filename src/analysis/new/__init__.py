"""New editions: empty from the schemas, or from an export as a map says."""
