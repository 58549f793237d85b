"""Page files: what is read and written, page by page, with what belongs to a scan."""
