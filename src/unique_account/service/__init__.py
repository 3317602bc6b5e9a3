"""The service: one choreography of event, core, store and projections, and its helpers."""
