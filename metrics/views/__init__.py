"""Pages of figures: read the state of the address, load by one query or call one service, answer."""
