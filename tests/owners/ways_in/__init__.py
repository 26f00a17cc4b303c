"""Links, codes and tokens end with what they were made for; no stranger learns or misleads by them."""
