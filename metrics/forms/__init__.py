"""What people type into grids, read into numbers or refused in words at the cell."""
