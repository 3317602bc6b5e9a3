"""What ships for the tests of others: adapters, services and projects that build on Unique Accounts.

`unique_account.testing.strategies` draws users, accounts and events with Hypothesis,
``unique_account.testing.input_strategies`` what people may write, and `unique_account.testing.contracts`
has a class to subclass for each port. The doubles of the ports are adapters like any other:
`unique_account.adapters.memory`. Nothing here runs in production, and nothing is imported before it is
asked for by its module.
"""
