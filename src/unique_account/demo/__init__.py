"""The stage: a small company to try the UC Assistant on, with phones that are played.

A service on the embedded defaults, the CTI server and its page, and beside them a page that plays the
deskphones of everybody, colleagues' included. Nothing of it is part of the product's page: where that page
has a SIP phone, the stage gives it a played one that does the same without any sound.
"""
