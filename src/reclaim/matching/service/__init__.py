"""The match service: a signal, many signals or a picture over HTTP, and what to do about it."""
