"""The demo that ``mirant demo`` serves: chat, a remote call, and one clock for all browsers."""
