"""The ports: what the service asks of the world, one contract a module. Adapters carry them out."""
