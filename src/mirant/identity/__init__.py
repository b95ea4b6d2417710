"""Who a client is: tokens, keys, claims, and what a proxy says of it."""
