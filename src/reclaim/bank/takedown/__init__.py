"""Takedown: links to pictures on any site, who hosts them, requests to take them down, whether they are still there."""
