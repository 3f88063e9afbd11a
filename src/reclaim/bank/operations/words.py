"""What an applicant chooses from, by the word that the API has for it."""

KINDS = {
    "social": "A social network",
    "messaging": "Messaging",
    "hosting": "Hosting of pictures, videos or files",
    "forum": "A forum or community",
    "dating": "Dating",
    "adult": "Adult content",
    "other": "Something else",
}
PEOPLE = {
    "1000": "Up to 1,000",
    "10000": "Up to 10,000",
    "100000": "Up to 100,000",
    "1000000": "Up to a million",
    "10000000": "Up to 10 million",
    "more": "More",
}
MEDIA = {"pictures": "Pictures", "videos": "Videos"}
SCOPES = {
    "fetch": "Fetch the list of signals",
    "submit": "Send signals that it finds itself",
    "feedback": "Say what became of matches, acknowledge withdrawals",
    "lookup": "Look single uploads up, without a list",
}
