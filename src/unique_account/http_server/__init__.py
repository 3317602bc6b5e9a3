"""HTTP for clients that nobody trusts, on uvicorn: who may come in, in what turn, and for how long.

A stranger is a connection that is no WebSocket: it has to say soon what it wants, and to take soon what it is
answered, and it is the first to go when there is no room. Strangers are read in turn, so that users who are
logged in never wait for them.
"""
