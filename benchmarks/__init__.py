"""What a recompute costs, in ratios that hold on any machine."""
