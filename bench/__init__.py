"""Speed, as ratios against named peers in the same run. Nothing here is part of the test suite."""
