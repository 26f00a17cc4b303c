"""Pure arithmetic of periods, plans, pace and limits: frozen dataclasses in and out, no I/O, no clock."""
