"""Training in a sandbox: made-up people, scenarios with decisions, a facilitator's view. Nothing of it is real."""
