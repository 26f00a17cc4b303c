"""The definitions file: reading it, checking it, and turning what is stored into what a warehouse can
compute."""
