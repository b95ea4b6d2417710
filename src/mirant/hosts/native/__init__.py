"""A host of our own under uvicorn: it answers Bayeux on the connection, without a task and without ASGI."""
