"""Adapters: what stands between a platform's software and its review site, and speaks HTTP with both.

Each hands every picture and video to the review site (docs/platform.md) and does in the software what was decided.
"""
