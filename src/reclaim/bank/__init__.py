"""Django site 1: the bank, run by an NGO.

intake (a person's pages) and exchange (platforms' wire) stand on cases and feedback, those on the ledger, that on
platforms and directory. Each app: models (facts), queries (reads), services (writes), thin views.
"""
