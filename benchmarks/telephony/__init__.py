"""What a call costs on a real Asterisk, by how it is decided where it rings."""
