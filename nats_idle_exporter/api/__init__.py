"""What others' programs are told: pure code, from a snapshot to structs.

The structs of :mod:`.model` and :mod:`.facts` are the JSON of the API and of the
report, and what its documentation is made from.
"""
