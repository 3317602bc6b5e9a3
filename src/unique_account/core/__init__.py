"""The core: values, the machine, and the pure functions that decide. No I/O, no clock, no logging."""
