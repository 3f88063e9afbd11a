"""Who may hand in signals: proof of work or a one-time code, and limits, so that abuse costs and people get through."""
