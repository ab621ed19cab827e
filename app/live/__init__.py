"""From source to screen: two threads, two one-place mailboxes, no Qt."""
