"""The manager interface (AMI): its messages without I/O, its words, and a live connection."""
