"""The truth bench: real servers, scripted use, and two judged answers.

``python -m tests.truth`` lets scripts use real nats-servers, and notes what each
script did. It asks the exporter's own parts, and the plain query in a real
Prometheus over the same readings, who is inactive, and judges both by the notes.
"""
