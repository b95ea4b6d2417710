"""The WebSocket protocol on bytes: frames and the opening handshake (RFC 6455)."""
