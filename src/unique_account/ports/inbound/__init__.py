"""Driving ports: what adapters call to report events and to carry out what users ask."""
