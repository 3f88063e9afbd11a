"""What goes over the wire between a bank and its clients, as pydantic models. No web framework, no database."""
