"""Services for people whom this bank cannot help, and where «Leave this page» goes."""
