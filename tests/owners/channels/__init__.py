"""Slack, Teams and web hooks over real sockets: what arrives, what is refused, what is kept secret."""
