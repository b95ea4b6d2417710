"""Where bytes come from: the servers that run a bus."""
