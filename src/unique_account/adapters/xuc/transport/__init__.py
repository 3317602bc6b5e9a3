"""WebSockets below the messages: rates, queues, and the protocol that uvicorn runs."""
