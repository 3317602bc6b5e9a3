"""One owner of a group of media servers and any number of standbys: who owns it when, and what follows."""
