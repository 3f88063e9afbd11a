"""From a picture to the signals it matches: what a platform embeds between its upload and its review."""

from reclaim.matching.pictures import Match, PictureMatches, Searchable, match_luma, match_picture

__all__ = ["Match", "PictureMatches", "Searchable", "match_luma", "match_picture"]
