"""The first hour's screens: what they save, what they refuse, and that one can stop and go on."""
