"""Channel event logging (CEL): from its rows to call records (H)."""
