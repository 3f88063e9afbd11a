"""From a picture to the signals it matches and what to do: what a platform embeds between its upload and its review.

``reclaim.matching.videos`` does so for videos; it needs the libraries that decode them, and is not loaded with this.
"""

from reclaim.matching.decisions import Decision, Found, Indexes, decide
from reclaim.matching.pictures import Match, PictureMatches, Searchable, match_picture, match_views
from reclaim.matching.policy import Action, Policy

__all__ = [
    "Action",
    "Decision",
    "Found",
    "Indexes",
    "Match",
    "PictureMatches",
    "Policy",
    "Searchable",
    "decide",
    "match_picture",
    "match_views",
]
