"""Forms of accounts and people. Every form names its fields; what else is sent is ignored."""
