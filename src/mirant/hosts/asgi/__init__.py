"""A bus as an ASGI application: mountable in any framework, served by any ASGI server."""
