"""Pages of accounts and people: load, call one service, answer."""
