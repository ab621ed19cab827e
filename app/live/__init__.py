"""From source to screen: a thread that reads, one that parses, one-place mailboxes between; no Qt."""
