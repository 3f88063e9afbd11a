"""Where a picture's descriptors lie in it: kept sealed, and answered for by yes or no."""
