"""Who may log in, from where and how often; and the tokens that they get."""
