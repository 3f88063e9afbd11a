"""The StopNCII v1 wire that platforms speak."""
