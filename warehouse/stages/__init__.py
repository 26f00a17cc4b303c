"""The stages of a plan, one file each: every stage is one statement that reads its source once."""
