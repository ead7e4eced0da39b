"""The audit as one command: read a daemon or poll once, judge, print, exit.

Only this package and the daemon put the parts together; neither imports the other.
"""
