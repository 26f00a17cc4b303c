"""The demo company: Doorstep Kitchen, a food-delivery service that never was, deterministic from a seed."""
