"""WebSockets below the protocol: rates, queues and what uvicorn lacks."""
