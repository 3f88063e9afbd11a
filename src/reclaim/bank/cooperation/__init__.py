"""Working with others for a person: referrals across banks, the police, legal demands, and the plan of recovery."""
