"""The simulator: random histories of NATS systems that judge the heart.

It plays servers, networks and clocks, lets the heart watch them through its
door (``Ledger``, ``Timeline`` and the facts), and compares every view with the
truth. It shares no code with the heart.
"""
