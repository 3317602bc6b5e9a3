"""What ships for the tests of others: adapters, services and projects that build on Unique Accounts.

Nothing here runs in production, and nothing is imported before it is asked for by its module.
"""
