"""What is worked out of a sweep's trials and takes too long for a page: the queue does it."""
