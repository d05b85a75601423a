// Placeholder of the first commit: the target's own files replace it.
