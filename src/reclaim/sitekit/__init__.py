"""What both sites share: settings, access, headers, limits, audit, secrets, serving."""
