"""What we ask nats-servers: bytes to facts, over HTTP, in a loop of its own.

Nothing here judges: readings go to the ledger as they are, failures become
counters and log lines, and never facts.
"""
