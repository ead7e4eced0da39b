"""The single checks: one function for each item of the checklist."""
